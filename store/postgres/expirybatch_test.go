package postgres_test

import (
	"testing"

	"github.com/authcompat/authcompat/store/storetest"
)

func TestMoves(t *testing.T) { storetest.RunMoves(t, pairs()) }

func TestMovesSerializable(t *testing.T) {
	storetest.RunMoves(t, pairs("default_transaction_isolation", "serializable"))
}
