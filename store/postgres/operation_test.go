package postgres_test

import (
	"testing"

	"github.com/authcompat/authcompat/store/storetest"
)

func TestOperation(t *testing.T) {
	storetest.RunOperation(t, pairs())
}

func TestOperationSerializable(t *testing.T) {
	storetest.RunOperation(t, pairs("default_transaction_isolation", "serializable"))
}
