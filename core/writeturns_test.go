package core_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/hashing"
	"github.com/authcompat/authcompat/store/sqlite"
	"github.com/authcompat/authcompat/store/sqlite/sqlitetest"
)

// busyDisk is a store with one writer, who takes a millisecond for each write, and whom the writes
// reach in the order in which they come.
type busyDisk struct {
	*sqlite.Store
	writer chan struct{}
	writes atomic.Int64
}

func (d *busyDisk) write() (done func()) {
	d.writer <- struct{}{}
	time.Sleep(time.Millisecond)
	d.writes.Add(1)
	return func() { <-d.writer }
}

func (d *busyDisk) CreateUser(ctx context.Context, u core.NewUser, mint func(core.User) (core.Token, error), audit *core.AuditEntry) (core.User, error) {
	defer d.write()()
	return d.Store.CreateUser(ctx, u, mint, audit)
}

func (d *busyDisk) IssueToken(ctx context.Context, t core.Token, passwordHash string, limit int, audit *core.AuditEntry) error {
	defer d.write()()
	return d.Store.IssueToken(ctx, t, passwordHash, limit, audit)
}

func (d *busyDisk) DeleteToken(ctx context.Context, digest core.Digest, audit *core.AuditEntry) error {
	defer d.write()()
	return d.Store.DeleteToken(ctx, digest, audit)
}

func (d *busyDisk) Reserve(ctx context.Context, now time.Time, keys ...core.LimitKey) (time.Duration, error) {
	defer d.write()()
	return d.Store.Reserve(ctx, now, keys...)
}

func (d *busyDisk) Refund(ctx context.Context, at time.Time, keys ...core.LimitKey) error {
	defer d.write()()
	return d.Store.Refund(ctx, at, keys...)
}

func (d *busyDisk) Record(ctx context.Context, e core.AuditEntry) error {
	defer d.write()()
	return d.Store.Record(ctx, e)
}

// newBusyDisk is an engine on such a store with a user mary, in the bubble of a test.
func newBusyDisk(t *testing.T) (*core.Service, *busyDisk) {
	t.Helper()
	d := &busyDisk{Store: sqlitetest.MustOpen(t), writer: make(chan struct{}, 1)}
	passwords, err := hashing.NewDjangoHasher(1)
	if err != nil {
		t.Fatal(err)
	}
	s := core.New(core.Config{
		Backend: core.Backend{Store: d, Auditor: d, Writers: d.Backend().Writers}, DatabaseKey: make([]byte, core.DatabaseKeySize),
		Hasher: hashing.NewPool(passwords, hashing.PoolOptions{Threads: 1, Queue: 1000}),
	})
	s.SetLoginLimits(&core.LoginLimits{Limiter: d, PerUser: many, PerAddress: many, Registrations: many})
	if _, err := s.CreateUser(t.Context(), core.Policy{}, core.Registration{Username: "mary", Password: "secret"}); err != nil {
		t.Fatal(err)
	}
	return s, d
}

// TestFloodOfWrites has one address keep the store's writer busy with hundreds of requests,
// while somebody logs in from elsewhere: her three writes wait for a few of theirs.
func TestFloodOfWrites(t *testing.T) {
	const flood = 100
	for name, request := range map[string]func(t *testing.T, s *core.Service, i int) func(context.Context) error{
		"registrations": func(_ *testing.T, s *core.Service, i int) func(context.Context) error {
			return func(ctx context.Context) error {
				_, err := s.Register(ctx, fixed, core.Registration{Username: fmt.Sprint("user", i), Password: "secret"})
				return err
			}
		},
		"right logins": func(_ *testing.T, s *core.Service, _ int) func(context.Context) error {
			return func(ctx context.Context) error {
				_, err := s.Login(ctx, fixed, "mary", "secret")
				return err
			}
		},
		"wrong logins": func(_ *testing.T, s *core.Service, i int) func(context.Context) error {
			return func(ctx context.Context) error {
				if _, err := s.Login(ctx, fixed, fmt.Sprint("user", i), "wrong"); core.KindOf(err) != core.KindInvalidCredentials {
					return fmt.Errorf("a wrong password: %w", err)
				}
				return nil
			}
		},
		"logouts": func(t *testing.T, s *core.Service, _ int) func(context.Context) error {
			session, err := s.Login(t.Context(), fixed, "mary", "secret")
			if err != nil {
				t.Fatal(err)
			}
			return func(ctx context.Context) error { return s.Logout(ctx, session) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, d := newBusyDisk(t)
				requests := make([]func(context.Context) error, flood)
				for i := range requests {
					requests[i] = request(t, s, i)
				}
				var all sync.WaitGroup
				ctx := from(t, "192.0.2.1")
				for _, do := range requests {
					all.Go(func() {
						if err := do(ctx); err != nil {
							t.Error(err)
						}
					})
				}
				synctest.Wait()
				before := d.writes.Load()
				if _, err := s.Login(from(t, "198.51.100.1"), fixed, "mary", "secret"); err != nil {
					t.Error(err)
				}
				// For each of her writes, those that have been begun, and one whose turn it is.
				const own, most = 3, 3 * 3
				if theirs := d.writes.Load() - before - own; theirs > most {
					t.Errorf("she waits for %d writes of theirs, want at most %d", theirs, most)
				}
				all.Wait()
			})
		})
	}
}

// TestLoginThatIsHalfDone checks that a login that has been counted is finished, and refunded,
// before others from its own address begin.
func TestLoginThatIsHalfDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, d := newBusyDisk(t)
		ctx := from(t, "192.0.2.1")
		var sessions []core.Session
		for range 100 {
			session, err := s.Login(ctx, fixed, "mary", "secret")
			if err != nil {
				t.Fatal(err)
			}
			sessions = append(sessions, session)
		}
		before := d.writes.Load()
		var all sync.WaitGroup
		all.Go(func() {
			if _, err := s.Login(ctx, fixed, "mary", "secret"); err != nil {
				t.Error(err)
			}
			const own, most = 3, 2 * 3
			if others := d.writes.Load() - before - own; others > most {
				t.Errorf("%d writes of others came before, want at most %d", others, most)
			}
		})
		synctest.Wait() // it is being counted
		for _, session := range sessions {
			all.Go(func() {
				if err := s.Logout(ctx, session); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
	})
}

// TestRefusedRegistrationsWriteNothing checks that registrations that come to nothing cost the
// store looks alone: they are counted, and refunded, at most when a password is hashed.
func TestRefusedRegistrationsWriteNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, d := newBusyDisk(t)
		once := core.Limit{Burst: 1, Window: time.Hour}
		s.SetLoginLimits(&core.LoginLimits{Limiter: d, Registrations: once})
		ctx := from(t, "192.0.2.1")
		refuse := func(name string, want core.Kind) {
			t.Helper()
			before := d.writes.Load()
			_, err := s.Register(ctx, fixed, core.Registration{Username: name, Password: "secret"})
			wantKind(t, err, want)
			if n := d.writes.Load() - before; n > 0 {
				t.Errorf("%q: %d writes", name, n)
			}
		}
		refuse("mary", core.KindUsernameTaken)
		refuse("", core.KindInvalidUser)
		if _, err := s.Register(ctx, fixed, core.Registration{Username: "john", Password: "secret"}); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"mary", "ann"} {
			refuse(name, core.KindThrottled)
		}
		full, err := hashing.NewDjangoHasher(1)
		if err != nil {
			t.Fatal(err)
		}
		pool := hashing.NewPool(full, hashing.PoolOptions{Threads: 1, Queue: 1})
		s = core.New(core.Config{Backend: core.Backend{Store: d, Auditor: d}, Hasher: pool, DatabaseKey: make([]byte, core.DatabaseKeySize)})
		s.SetLoginLimits(&core.LoginLimits{Limiter: d, Registrations: many})
		ctx = from(t, "192.0.2.2")
		for range 2 {
			if _, _, err := pool.Acquire(ctx, 1); err != nil {
				t.Fatal(err)
			}
		}
		refuse("ann", core.KindOverloaded)
		refuse("mary", core.KindOverloaded) // nobody has looked
	})
}

// TestWritesThatWaitTooLong checks that a write whose turn does not come fails as one at a
// store that is away, and ends with its client; a refund waits on.
func TestWritesThatWaitTooLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, d := newBusyDisk(t)
		ctx := from(t, "192.0.2.1")
		var sessions []core.Session
		for range 4 {
			session, err := s.Login(ctx, fixed, "mary", "secret")
			if err != nil {
				t.Fatal(err)
			}
			sessions = append(sessions, session)
		}
		d.writer <- struct{}{}
		kinds := make(chan core.Kind, len(sessions))
		logout := func(ctx context.Context, session core.Session) {
			go func() { kinds <- core.KindOf(s.Logout(ctx, session)) }()
			synctest.Wait()
		}
		for _, session := range sessions[:2] { // as many as write at a time
			logout(ctx, session)
		}
		logout(ctx, sessions[2])
		leaving, leave := context.WithCancel(ctx)
		logout(leaving, sessions[3])
		leave()
		for _, want := range []core.Kind{core.KindCanceled, core.KindUnavailable} {
			if got := <-kinds; got != want {
				t.Errorf("a logout: %v, want %v", got, want)
			}
		}
		<-d.writer
		for range 2 {
			<-kinds
		}
		for _, session := range sessions[2:] {
			if err := s.Logout(ctx, session); err != nil {
				t.Errorf("after it: %v", err)
			}
		}
	})
}
