package inprocess

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/authcompat/authcompat/conformance"
	"github.com/authcompat/authcompat/conformance/differential"
	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/hashing"
)

// A lane is one API on two stores, which get the same requests, with the same clock and
// the same random numbers.
type lane struct {
	api      differential.API
	requests int
	servers  [2]*soakServer // on SQLite and on PostgreSQL
}

// newLane starts the servers of a lane.
func newLane(t *testing.T, api differential.API, requests int, sqlite, postgres *soakStore) *lane {
	t.Helper()
	l := &lane{api: api, requests: requests}
	for i, store := range []*soakStore{sqlite, postgres} {
		hasher := soakHasher(t)
		l.servers[i] = newSoakServer(t, store, hasher, []string{api.Name})
	}
	return l
}

// run sends the lane's requests of a batch.
func (l *lane) run(ctx context.Context, seed uint64, batch int) (*differential.Report, error) {
	for _, s := range l.servers {
		s.begin(seed, batch)
		if err := s.createUsers(ctx, l.api.Name); err != nil {
			return nil, err
		}
	}
	moves := newMoves(seed)
	var failed error
	report, err := differential.Compare(ctx, l.api, l.servers[0].target(l.api.Name), l.servers[1].target(l.api.Name), differential.Options{
		Seed: seed, Requests: l.requests, Hostile: true, Exact: true,
		Before: func(number int) {
			passed, disable := moves.next(), number%70 == 50
			for _, s := range l.servers {
				s.step(number, passed)
				// For a few requests, the tokens of a user who may not use them are presented.
				if disable || number%70 == 60 {
					// Requests of some APIs remove or rename that user, at both servers.
					if err := s.setActive(ctx, differential.ActiveUser, !disable); !errors.Is(err, core.ErrNotFound) {
						failed = errors.Join(failed, err)
					}
				}
			}
		},
	})
	return report, errors.Join(err, failed)
}

func (l *lane) empty(t *testing.T) {
	for _, s := range l.servers {
		s.empty(t)
	}
}

// soakHasher is a hasher whose hashes cost nothing. Those of the users of weakHasher are
// replaced at their first login.
func soakHasher(t *testing.T) *hashing.DjangoHasher { return newHasher(t, cheapIterations+1) }

func weakHasher(t *testing.T) *hashing.DjangoHasher { return newHasher(t, cheapIterations) }

func newHasher(t *testing.T, iterations int) *hashing.DjangoHasher {
	t.Helper()
	hasher, err := hashing.NewDjangoHasher(iterations)
	if err != nil {
		t.Fatal(err)
	}
	return hasher
}

// moves says how time passes.
type moves struct {
	rand *rand.Rand
	fast bool
}

func newMoves(seed uint64) *moves { return &moves{rand: rand.New(rand.NewPCG(seed, 1))} }

// next returns the time that passes before the next request: for some requests on end hardly any, so that limits are reached, then seconds, in which they
// recover, and now and then so much that tokens expire.
func (m *moves) next() time.Duration {
	if m.rand.IntN(50) == 0 {
		m.fast = !m.fast
	}
	passed := time.Millisecond
	if m.fast {
		passed = time.Duration(m.rand.IntN(20_000)) * time.Millisecond
	}
	if m.rand.IntN(60) == 0 {
		jumps := []time.Duration{time.Minute, 61 * time.Second, 15 * time.Minute, time.Hour, 10 * time.Hour, 24 * time.Hour, 14 * 24 * time.Hour, 15 * 24 * time.Hour}
		passed = jumps[m.rand.IntN(len(jumps))]
	}
	return passed
}

// A sharedLane is a store that clients of all APIs use at the same time.
type sharedLane struct{ server *soakServer }

func newSharedLane(t *testing.T, store *soakStore) *sharedLane {
	t.Helper()
	pool := hashing.NewPool(soakHasher(t), hashing.PoolOptions{Threads: 2, Queue: 10 * sharedClients})
	var names []string
	for _, api := range differential.Builtin() {
		names = append(names, api.Name)
	}
	return &sharedLane{newSoakServer(t, store, pool, names)}
}

// run sends the lane's requests of a batch.
func (l *sharedLane) run(ctx context.Context, seed uint64, batch int) ([]*differential.Report, error) {
	apis := differential.Builtin()
	l.server.begin(seed, batch)
	if err := l.server.createUsers(ctx, apis[0].Name); err != nil {
		return nil, err
	}
	reports, errs := make([]*differential.Report, sharedClients), make([]error, sharedClients)
	var clients sync.WaitGroup
	for i := range sharedClients {
		clients.Go(func() {
			api, moves := apis[i%len(apis)], newMoves(seed+uint64(i)<<32)
			reports[i], errs[i] = differential.Compare(ctx, api, l.server.target(api.Name), nil, differential.Options{
				Seed: seed + uint64(i)<<32, Requests: shared, Hostile: true,
				Before: func(int) { l.server.clock.advance(moves.next()) },
			})
		})
	}
	clients.Wait()
	return reports, errors.Join(errs...)
}

// soakUsers are the users that random requests refer to.
func soakUsers() []conformance.User {
	return []conformance.User{
		{Username: differential.ActiveUser, Password: differential.UserPassword, Email: "john@example.com"},
		{Username: differential.InactiveUser, Password: differential.UserPassword, Email: "ghost@example.com", Inactive: true},
	}
}
