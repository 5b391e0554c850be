package postgres_test

import (
	"flag"
	"fmt"
	"sync"
	"testing"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/postgres/postgrestest"
	"github.com/authcompat/authcompat/store/storetest"
)

// TestStorePooled runs the suite through pgbouncer in transaction mode, with fewer
// connections to the server than the stores have to the pooler, but with two for each of
// those that make their tables at the same time.
func TestStorePooled(t *testing.T) {
	parallel := flag.Lookup("test.parallel").Value.(flag.Getter).Get().(int)
	pooled := postgrestest.Pooler(t, postgrestest.DSN(t), max(8, 2*parallel))
	storetest.Run(t, func(tb testing.TB) (a, b core.Store) {
		dsn := postgrestest.SchemaAt(tb, pooled, "wait", patient)
		return mustOpen(tb, dsn), mustOpen(tb, dsn)
	})
}

// TestPooledStatements has stores on two schemas share the few connections of a pooler,
// so that each meets the other's statements on its connections.
func TestPooledStatements(t *testing.T) {
	pooled := postgrestest.Pooler(t, postgrestest.DSN(t), 3)
	var done sync.WaitGroup
	for range 2 {
		s := mustOpen(t, postgrestest.SchemaAt(t, pooled, "wait", patient))
		if err := register(t.Context(), s, "ann"); err != nil {
			t.Fatal(err)
		}
		found, _, err := s.FindToken(t.Context(), "default", "ann")
		if err != nil {
			t.Fatal(err)
		}
		for range 8 {
			done.Go(func() {
				for i := range 100 {
					got, _, err := s.FindToken(t.Context(), "default", "ann")
					if err != nil || got.UserID != found.UserID || string(got.Digest) != string(found.Digest) {
						t.Errorf("found %+v, %v", got, err)
					}
					if _, _, err := s.FindToken(t.Context(), "default", core.Presented(fmt.Sprint(i))); err == nil {
						t.Error("found what nobody has")
					}
				}
			})
		}
	}
	done.Wait()
}
