package postgres_test

import (
	"testing"

	"github.com/authcompat/authcompat/store/storetest/transfertest"
)

func TestTransfer(t *testing.T) {
	transfertest.Run(t, pairs())
}

func TestTransferSerializable(t *testing.T) {
	transfertest.Run(t, pairs("default_transaction_isolation", "serializable"))
}
