package postgres_test

import (
	"testing"

	"github.com/authcompat/authcompat/store/storetest"
)

func TestExpiryBatch(t *testing.T) { storetest.RunExpiryBatch(t, pairs()) }

func TestExpiryBatchSerializable(t *testing.T) {
	storetest.RunExpiryBatch(t, pairs("default_transaction_isolation", "serializable"))
}
