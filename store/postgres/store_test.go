package postgres_test

import (
	"os"
	"testing"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/postgres"
	"github.com/authcompat/authcompat/store/postgres/postgrestest"
	"github.com/authcompat/authcompat/store/storetest"
)

func TestMain(m *testing.M) {
	if dsn := os.Getenv(childVariable); dsn != "" {
		os.Exit(serveOrders(dsn, os.Stdin, os.Stdout))
	}
	os.Exit(postgrestest.Main(m))
}

// patient is the wait of stores in tests that are not about time: a machine may
// be busy with other tests.
const patient = "30s"

// mustOpen returns a store that ends with the test. Stores on one DSN are to each
// other as two nodes are.
func mustOpen(tb testing.TB, dsn string) *postgres.Store {
	tb.Helper()
	s, err := postgres.Open(tb.Context(), dsn)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Error(err)
		}
	})
	return s
}

// pairs opens two stores on one fresh schema.
func pairs(parameters ...string) storetest.Opener {
	return func(tb testing.TB) (a, b core.Store) {
		dsn := postgrestest.Schema(tb, append(parameters, "wait", patient)...)
		return mustOpen(tb, dsn), mustOpen(tb, dsn)
	}
}

func TestStore(t *testing.T) {
	storetest.Run(t, pairs())
}

// TestStoreIsolated runs the suite at the isolation levels that distributed
// engines have.
func TestStoreIsolated(t *testing.T) {
	for _, level := range []string{"repeatable read", "serializable"} {
		t.Run(level, func(t *testing.T) {
			storetest.Run(t, pairs("default_transaction_isolation", level))
		})
	}
}
