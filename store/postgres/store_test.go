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

// patient is the wait of stores in tests that do not depend on time: a machine may be
// busy with other tests.
const patient = "30s"

// mustOpen returns a store that is closed when the test ends. Stores on one DSN act
// like separate nodes.
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

// pairs opens two stores on a new schema.
func pairs(parameters ...string) storetest.Opener {
	return func(tb testing.TB) (a, b core.Store) {
		dsn := postgrestest.Schema(tb, append(parameters, "wait", patient)...)
		return mustOpen(tb, dsn), mustOpen(tb, dsn)
	}
}

func TestStore(t *testing.T) {
	storetest.Run(t, pairs())
}

// TestStoreIsolated runs the suite at the isolation levels of distributed engines.
func TestStoreIsolated(t *testing.T) {
	for _, level := range []string{"repeatable read", "serializable"} {
		t.Run(level, func(t *testing.T) {
			storetest.Run(t, pairs("default_transaction_isolation", level))
		})
	}
}
