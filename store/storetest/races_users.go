package storetest

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/authcompat/authcompat/core"
)

// actors is the number of goroutines that race in a round, alternating between the
// handles.
const actors = 8

func userRaces() []testCase {
	return []testCase{
		{"one name, many registrations: one wins", raceForName},
		{"many names at once: all are kept", registerAtOnce},
		{"one password, many updates: one wins", racePassword},
	}
}

func raceForName(t *testing.T, p pair) {
	for round := range 24 {
		name := fmt.Sprintf("name %d", round)
		users := make([]core.User, actors)
		errs := make([]error, actors)
		together(actors, func(i int) {
			u := newUser(name)
			u.PasswordHash = fmt.Sprintf("hash of actor %d", i)
			users[i], errs[i] = p.both(i).CreateUser(t.Context(), u, func(user core.User) (core.Token, error) {
				return tokenOf(user, fmt.Sprintf("key %d %d", round, i)), nil
			}, nil)
		})

		winners := 0
		for i, err := range errs {
			key := fmt.Sprintf("key %d %d", round, i)
			if err != nil {
				wantError(t, name, err, core.ErrUsernameTaken)
				wantGone(t, p.both(i+1), key)
				continue
			}
			winners++
			wantFound(t, p.both(i+1), key, tokenOf(users[i], key), users[i])
			wantAccount(t, p.both(i+1), core.Account{User: users[i], PasswordHash: fmt.Sprintf("hash of actor %d", i)})
		}
		if winners != 1 {
			t.Errorf("%s: %d registrations succeeded", name, winners)
		}
	}
}

func registerAtOnce(t *testing.T, p pair) {
	const each = 8
	var ids sync.Map
	together(actors, func(i int) {
		for n := range each {
			user, err := p.both(i).CreateUser(t.Context(), newUser(fmt.Sprintf("user %d %d", i, n)), nil, nil)
			if err != nil {
				t.Error(err)
				continue
			}
			if other, taken := ids.LoadOrStore(user.ID, user.Username); taken {
				t.Errorf("id %d is that of %q and of %q", user.ID, user.Username, other)
			}
		}
	})
	for i := range actors {
		for n := range each {
			if _, err := p.both(i+1).Account(t.Context(), fmt.Sprintf("user %d %d", i, n)); err != nil {
				t.Errorf("user %d %d: %v", i, n, err)
			}
		}
	}
}

func racePassword(t *testing.T, p pair) {
	ann := p.add(t, newUser("ann"))
	old := "hash of ann"
	for round := range 40 {
		errs := make([]error, actors)
		hash := func(i int) string { return fmt.Sprintf("hash %d of actor %d", round, i) }
		together(actors, func(i int) {
			errs[i] = p.both(i).UpdatePassword(t.Context(), ann.ID, old, hash(i), false, nil)
		})

		winner := -1
		for i, err := range errs {
			switch {
			case errors.Is(err, core.ErrNotFound):
			case err != nil:
				t.Error(err)
			case winner >= 0:
				t.Errorf("round %d: actors %d and %d both replaced one password", round, winner, i)
			default:
				winner = i
			}
		}
		if winner < 0 {
			t.Fatalf("round %d: nobody replaced the password", round)
		}
		old = hash(winner)
		wantAccount(t, p.both(winner+1), core.Account{User: ann, PasswordHash: old})
	}
}
