package postgres_test

import (
	"testing"

	"github.com/authcompat/authcompat/store/storetest"
)

func TestTransfer(t *testing.T) {
	storetest.RunTransfer(t, pairs())
}

func TestTransferSerializable(t *testing.T) {
	storetest.RunTransfer(t, pairs("default_transaction_isolation", "serializable"))
}
