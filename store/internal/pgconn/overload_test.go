package pgconn

import (
	"context"
	"errors"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/postgres/postgrestest"
)

func TestMain(m *testing.M) { os.Exit(postgrestest.Main(m)) }

// mustOpen returns a pool on the shared database.
func mustOpen(t *testing.T, parameters ...string) *Pool {
	t.Helper()
	settings, err := Parse(postgrestest.With(t, postgrestest.DSN(t), parameters...))
	if err != nil {
		t.Fatal(err)
	}
	p := NewPool(settings, Options{})
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// TestOverload makes several times as many calls as the connections can handle within
// the wait: some are refused, none is interrupted, and others are still answered.
func TestOverload(t *testing.T) {
	const (
		callers = 1000 // at 10 ms on 2 connections, 400 can be answered within the wait
		lasts   = 5 * time.Second
	)
	s := mustOpen(t, "pool_size", "2", "wait", "2s")
	generation := generationOf(t, s)
	began := time.Now()
	var (
		early, late, refused atomic.Int64
		group                sync.WaitGroup
	)
	for range callers {
		group.Go(func() {
			for time.Since(began) < lasts {
				err := s.Read(t.Context(), func(ctx context.Context) error {
					_, err := s.DB.ExecContext(ctx, `SELECT pg_sleep(0.01)`)
					return err
				})
				switch {
				case errors.Is(err, core.ErrUnavailable):
					refused.Add(1)
				case err != nil:
					t.Error(err)
				case time.Since(began) < lasts/2:
					early.Add(1)
				default:
					late.Add(1)
				}
			}
		})
	}
	group.Wait()
	if early.Load() == 0 || late.Load() < early.Load()/4 || refused.Load() == 0 {
		t.Errorf("%d answered in the first half, %d in the second; %d refused", early.Load(), late.Load(), refused.Load())
	}
	if now := generationOf(t, s); now != generation {
		t.Errorf("connections went out of use %d times", now-generation)
	}
}

// TestBrokenConnection counts the attempts of a statement that breaks every connection
// it runs on.
func TestBrokenConnection(t *testing.T) {
	s := mustOpen(t, "pool_size", "4")
	runs := 0
	err := s.Read(t.Context(), func(ctx context.Context) error {
		runs++
		var none int
		return s.DB.GetContext(ctx, &none, `SELECT 1 FROM (SELECT pg_terminate_backend(pg_backend_pid())) AS gone, pg_sleep(1)`)
	})
	if !errors.Is(err, core.ErrUnavailable) {
		t.Errorf("error %v, want %v", err, core.ErrUnavailable)
	}
	if runs != maxLost {
		t.Errorf("it was tried %d times, want %d", runs, maxLost)
	}
	if got := generationOf(t, s); got != maxLost {
		t.Errorf("connections were broken %d times, want %d", got, maxLost)
	}
}

// generationOf returns the number of times that connections were invalidated.
func generationOf(t *testing.T, s *Pool) (generation int64) {
	t.Helper()
	conn, err := s.DB.Connx(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.Raw(func(c any) error {
		generation = c.(*session).epoch.current.Load()
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return generation
}
