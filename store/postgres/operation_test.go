package postgres_test

import (
	"testing"

	"github.com/authcompat/authcompat/store/storetest/operationtest"
)

func TestOperation(t *testing.T) {
	operationtest.Run(t, pairs())
}

func TestOperationSerializable(t *testing.T) {
	operationtest.Run(t, pairs("default_transaction_isolation", "serializable"))
}
