package core_test

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/expiries"
	"github.com/authcompat/authcompat/core/hashing"
	"github.com/authcompat/authcompat/core/sealing"
	"github.com/authcompat/authcompat/store/sqlite/sqlitetest"
)

// movingWorld is a world that extends expiry in the background.
type movingWorld struct {
	*world
	moves *expiries.Writer
	steps *countedSteps
}

// countedSteps is a store that counts its steps.
type countedSteps struct {
	core.ExpiryBatcher
	steps, moves atomic.Int64
}

func (c *countedSteps) ExtendExpiries(ctx context.Context, moves []core.ExpiryUpdate, now time.Time) error {
	c.steps.Add(1)
	c.moves.Add(int64(len(moves)))
	return c.ExpiryBatcher.ExtendExpiries(ctx, moves, now)
}

// newMovingWorld makes a world whose store writes several extensions in one step, or one
// at a time.
func newMovingWorld(t *testing.T, several bool) *movingWorld {
	t.Helper()
	hasher, err := hashing.NewDjangoHasher(1)
	if err != nil {
		t.Fatal(err)
	}
	sealer, err := sealing.NewSealer(make([]byte, sealing.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	store := sqlitetest.MustOpen(t)
	w := &world{store: store, now: time.Date(2026, 1, 2, 3, 4, 5, 678901000, time.UTC)}
	clock := func() time.Time { return w.now }
	log := slog.New(slog.NewTextHandler(&w.log, nil))
	counted := &countedSteps{ExpiryBatcher: store}
	m := expiries.NewWriter(store, nil, clock, log)
	if several {
		m = expiries.NewWriter(store, counted, clock, log)
	}
	w.Service = core.New(core.Config{Backend: core.Backend{Store: store}, Hasher: hasher, Sealer: sealer, Clock: clock, Log: log, ExpiryWriter: m})
	w.user(t, "john")
	return &movingWorld{w, m, counted}
}

// flush writes pending extensions, as a server does when it stops.
func (w *movingWorld) flush(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { w.moves.Run(ctx) })
	cancel()
	running.Wait()
}

// end returns the stored expiry of a session's token.
func (w *movingWorld) end(t *testing.T, s core.Session) time.Time {
	t.Helper()
	token, _, err := w.store.FindToken(t.Context(), core.DefaultRealm, core.Presented(s.Key))
	if err != nil {
		t.Fatal(err)
	}
	return token.ExpiresAt
}

// use checks a session's token and returns the expiry that the client is told.
func (w *movingWorld) use(t *testing.T, s core.Session) time.Time {
	t.Helper()
	session, err := w.Authenticate(t.Context(), core.Policy{Realm: core.DefaultRealm}, core.Presented(s.Key))
	if err != nil {
		t.Error(err)
	}
	return session.Token.ExpiresAt
}

func TestMovesAreWrittenLaterTogether(t *testing.T) {
	for _, several := range []bool{true, false} {
		w := newMovingWorld(t, several)
		a, b := w.login(t, apiece, "john"), w.login(t, apiece, "john")
		issued := w.end(t, a)
		w.now = w.now.Add(time.Hour)
		for range 10 {
			w.use(t, a)
			if got, want := w.use(t, b), w.now.Add(apiece.TTL); !got.Equal(want) {
				t.Errorf("the session ends %v, want %v", got, want)
			}
		}
		if got := w.end(t, a); !got.Equal(issued) {
			t.Errorf("a check has written: the end is %v", got)
		}
		w.flush(t)
		for _, s := range []core.Session{a, b} {
			if got, want := w.end(t, s), w.now.Add(apiece.TTL); !got.Equal(want) {
				t.Errorf("the end is %v, want %v", got, want)
			}
		}
		if steps, moves := w.steps.steps.Load(), w.steps.moves.Load(); several && (steps != 1 || moves != 2) {
			t.Errorf("%d moves in %d steps, want 2 in 1", moves, steps)
		}
		if w.log.Len() > 0 {
			t.Errorf("logged: %s", w.log.String())
		}
	}
}

// apiece is a policy of sliding tokens, several per user.
var apiece = core.Policy{Issuer: "apiece", Realm: core.DefaultRealm, TokenHex: 40, TTL: 15 * 24 * time.Hour, Sliding: true}

func TestLateMovesBringNothingBack(t *testing.T) {
	w := newMovingWorld(t, true)
	out, over := w.login(t, apiece, "john"), w.login(t, apiece, "john")
	end := w.end(t, over)
	w.now = w.now.Add(time.Hour)
	w.use(t, out)
	w.use(t, over)
	if err := w.Logout(t.Context(), out); err != nil {
		t.Fatal(err)
	}
	w.now = end
	w.flush(t)
	wantKind(t, w.check(t, out), core.KindTokenUnknown)
	wantKind(t, w.check(t, over), core.KindTokenExpired)
	if got := w.end(t, over); !got.Equal(end) {
		t.Errorf("the end is %v, want %v", got, end)
	}
}

func TestNearEndsAreMovedAtOnce(t *testing.T) {
	w := newMovingWorld(t, true)
	s := w.login(t, apiece, "john")
	w.now = w.end(t, s).Add(-core.DefaultRefreshInterval + time.Microsecond)
	w.use(t, s)
	if got, want := w.end(t, s), w.now.Add(apiece.TTL); !got.Equal(want) {
		t.Errorf("the end is %v, want %v", got, want)
	}
}

// TestMovesRunWhileTokensAreUsed runs the background writer while tokens are used
// and deleted, for the race detector, and checks that nothing is left over.
func TestMovesRunWhileTokensAreUsed(t *testing.T) {
	w := newMovingWorld(t, true)
	var sessions []core.Session
	for range 8 {
		sessions = append(sessions, w.login(t, apiece, "john"))
	}
	w.now = w.now.Add(time.Hour)
	ctx, cancel := context.WithCancel(t.Context())
	var running, using sync.WaitGroup
	running.Go(func() { w.moves.Run(ctx) })
	for i, s := range sessions {
		using.Go(func() {
			for range 50 {
				w.use(t, s)
			}
			if i%2 == 0 {
				if err := w.Logout(t.Context(), s); err != nil {
					t.Error(err)
				}
			}
		})
	}
	using.Wait()
	cancel()
	running.Wait()
	for i, s := range sessions {
		if i%2 == 0 {
			wantKind(t, w.check(t, s), core.KindTokenUnknown)
		} else if got, want := w.end(t, s), w.now.Add(apiece.TTL); !got.Equal(want) {
			t.Errorf("the end is %v, want %v", got, want)
		}
	}
}

func TestMovesThatFailAreLogged(t *testing.T) {
	w := newMovingWorld(t, true)
	s := w.login(t, apiece, "john")
	w.now = w.now.Add(time.Hour)
	w.use(t, s)
	if err := w.store.Close(); err != nil {
		t.Fatal(err)
	}
	w.flush(t)
	if got := w.log.String(); got == "" {
		t.Error("nothing is logged")
	}
}
