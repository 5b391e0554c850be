package postgres_test

import (
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/transfer"
	"github.com/authcompat/authcompat/store/postgres"
	"github.com/authcompat/authcompat/store/postgres/postgrestest"
)

// cuts are the ways in which a connection is lost during a request.
func cuts() map[string]postgrestest.Action {
	return map[string]postgrestest.Action{
		"before the server has the request": postgrestest.CutBefore,
		"when the server has the request":   postgrestest.CutSent,
		"when the server has answered":      postgrestest.CutAfter,
	}
}

// proxied returns a store connected directly to a database and another one that is
// connected through a proxy.
func proxied(t *testing.T, wait string) (direct, through *postgres.Store, proxy *postgrestest.Proxy) {
	t.Helper()
	dsn := postgrestest.Schema(t, "wait", patient)
	direct = mustOpen(t, dsn)
	proxy, dsn = postgrestest.NewSharedProxy(t, postgrestest.With(t, dsn, "wait", wait))
	return direct, mustOpen(t, dsn), proxy
}

// from returns a judge that applies action to count requests, beginning with number
// first, and a function that returns the number of requests so far.
func from(first, count int, action postgrestest.Action) (judge func(string) postgrestest.Action, seen func() int) {
	var n atomic.Int64
	return func(string) postgrestest.Action {
		if i := int(n.Add(1)) - 1; i >= first && i < first+count {
			return action
		}
		return postgrestest.Pass
	}, func() int { return int(n.Load()) }
}

// TestCut loses the connection once at each request of each call: the call still takes
// effect once, and succeeds.
func TestCut(t *testing.T) {
	for name, prepare := range operations() {
		for cut, action := range cuts() {
			t.Run(name+", "+cut, func(t *testing.T) {
				t.Parallel()
				direct, s, proxy := proxied(t, patient)
				for at := 0; ; at++ {
					op := prepare(t, direct, at)
					judge, seen := from(at, 1, action)
					proxy.Judge(judge)
					err := op.run(t.Context(), s)
					proxy.Judge(nil)
					if err != nil {
						t.Errorf("request %d: %v", at, err)
					}
					if !op.done(t, direct) {
						t.Errorf("request %d: not done", at)
					}
					if seen() <= at {
						break // it was the call's last request
					}
				}
			})
		}
	}
}

// TestCutFinishImport loses the connection once at each request of the end of an import: that its run is over when it is tried again
// is its own doing.
func TestCutFinishImport(t *testing.T) {
	for cut, action := range cuts() {
		t.Run(cut, func(t *testing.T) {
			t.Parallel()
			direct, s, proxy := proxied(t, patient)
			for at := 0; ; at++ {
				place, err := direct.BeginImport(t.Context(), "somewhere", "options")
				if err == nil {
					place.Stage = "users"
					_, err = direct.ImportUsers(t.Context(), place, []transfer.ImportedUser{{Key: "1", Account: core.Account{User: core.User{ID: 1, Username: "ann"}}}})
				}
				if err != nil {
					t.Fatal(err)
				}
				judge, seen := from(at, 1, action)
				proxy.Judge(judge)
				_, err = s.FinishImport(t.Context(), place, []string{"tokens"})
				proxy.Judge(nil)
				if err != nil {
					t.Errorf("request %d: %v", at, err)
				}
				if again, err := direct.BeginImport(t.Context(), "somewhere", "options"); err != nil || again.Run != place.Run+1 {
					t.Errorf("request %d: run %d goes on as run %d, %v", at, place.Run, again.Run, err)
				}
				if seen() <= at {
					break // it was the call's last request
				}
			}
		})
	}
}

// TestCutRead loses the connection once at each request of a look-up.
func TestCutRead(t *testing.T) {
	for cut, action := range cuts() {
		t.Run(cut, func(t *testing.T) {
			direct, s, proxy := proxied(t, patient)
			user, _ := someone(t, direct, 0)
			for at := range 3 {
				judge, _ := from(at, 1, action)
				proxy.Judge(judge)
				if !there(t, s, user.Username) {
					t.Errorf("request %d: the token is not found", at)
				}
				if _, err := s.Account(t.Context(), user.Username); err != nil {
					t.Errorf("request %d: %v", at, err)
				}
				if err := s.Ping(t.Context()); err != nil {
					t.Errorf("request %d: %v", at, err)
				}
				proxy.Judge(nil)
			}
		})
	}
}

// TestGone loses the network for good at each request of each call: the call fails
// quickly with ErrUnavailable, and its effect is unknown only if the COMMIT was sent.
// The store recovers as soon as the network does.
func TestGone(t *testing.T) {
	const wait = 1200 * time.Millisecond
	actions := cuts()
	actions["when nothing is heard any more"] = postgrestest.Silence
	for name, prepare := range operations() {
		for cut, action := range actions {
			t.Run(name+", "+cut, func(t *testing.T) {
				t.Parallel()
				direct, s, proxy := proxied(t, wait.String())
				for at := 0; ; at++ {
					op := prepare(t, direct, at)
					var committing atomic.Bool
					judge, seen := from(at, 1_000_000, action)
					proxy.Judge(func(request string) postgrestest.Action {
						verdict := judge(request)
						if request == "COMMIT" && verdict != postgrestest.CutBefore && verdict != postgrestest.Silence {
							committing.Store(true)
						}
						return verdict
					})
					began := time.Now()
					err := op.run(t.Context(), s)
					took := time.Since(began)
					proxy.Judge(nil)
					proxy.Break()
					if seen() <= at {
						if err != nil || !op.done(t, direct) {
							t.Errorf("nothing was lost: %v", err)
						}
						break
					}
					if !errors.Is(err, core.ErrUnavailable) {
						t.Errorf("request %d: error %v", at, err)
					}
					if took > wait+time.Second {
						t.Errorf("request %d: answered after %v", at, took)
					}
					if op.done(t, direct) && !committing.Load() {
						t.Errorf("request %d: done without a COMMIT", at)
					}
					if err := s.Ping(t.Context()); err != nil {
						t.Errorf("request %d: when the network is back: %v", at, err)
					}
				}
			})
		}
	}
}
