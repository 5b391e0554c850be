package postgres_test

import (
	"testing"

	"github.com/authcompat/authcompat/store/storetest"
)

func TestMoving(t *testing.T) {
	storetest.RunMoving(t, pairs())
}

func TestMovingSerializable(t *testing.T) {
	storetest.RunMoving(t, pairs("default_transaction_isolation", "serializable"))
}
