package storetest

import (
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/storetest/internal/suite"
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

func raceForName(t *testing.T, p suite.Pair) {
	for round := range 24 {
		name := fmt.Sprintf("name %d", round)
		users := make([]core.User, actors)
		errs := make([]error, actors)
		suite.Together(actors, func(i int) {
			u := suite.NewUser(name)
			u.PasswordHash = fmt.Sprintf("hash of actor %d", i)
			users[i], errs[i] = p.Of(i).CreateUser(t.Context(), u, func(user core.User) (core.Token, error) {
				return suite.TokenOf(user, fmt.Sprintf("key %d %d", round, i)), nil
			}, nil)
		})

		winners := 0
		for i, err := range errs {
			key := fmt.Sprintf("key %d %d", round, i)
			if err != nil {
				suite.WantError(t, name, err, core.ErrUsernameTaken)
				suite.WantGone(t, p.Of(i+1), key)
				continue
			}
			winners++
			suite.WantFound(t, p.Of(i+1), key, suite.TokenOf(users[i], key), users[i])
			suite.WantAccount(t, p.Of(i+1), core.Account{User: users[i], PasswordHash: fmt.Sprintf("hash of actor %d", i)})
		}
		if winners != 1 {
			t.Errorf("%s: %d registrations succeeded", name, winners)
		}
	}
}

func registerAtOnce(t *testing.T, p suite.Pair) {
	const each = 8
	var ids sync.Map
	suite.Together(actors, func(i int) {
		for n := range each {
			user, err := p.Of(i).CreateUser(t.Context(), suite.NewUser(fmt.Sprintf("user %d %d", i, n)), nil, nil)
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
			if _, err := p.Of(i+1).Account(t.Context(), fmt.Sprintf("user %d %d", i, n)); err != nil {
				t.Errorf("user %d %d: %v", i, n, err)
			}
		}
	}
}

func racePassword(t *testing.T, p suite.Pair) {
	ann := p.Add(t, suite.NewUser("ann"))
	old := "hash of ann"
	for round := range 40 {
		errs := make([]error, actors)
		hash := func(i int) string { return fmt.Sprintf("hash %d of actor %d", round, i) }
		suite.Together(actors, func(i int) {
			errs[i] = p.Of(i).UpdatePassword(t.Context(), ann.ID, old, hash(i), false, nil)
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
		suite.WantAccount(t, p.Of(winner+1), core.Account{User: ann, PasswordHash: old})
	}
}

func accountRaces() []testCase {
	return []testCase{
		{"registrations under one name in several cases: one wins", raceDistinct},
		{"updates of one user: none is lost", raceUpdates},
		{"a changed password against logins with the old one: no token is left", raceChangedPassword},
	}
}

func raceDistinct(t *testing.T, p suite.Pair) {
	for round := range 6 {
		var winners atomic.Int32
		suite.Together(actors, func(i int) {
			u := suite.NewUser(fmt.Sprintf("%s%d", []string{"ann", "Ann", "aNN", "ANN"}[i%4], round))
			u.Email, u.Distinct = "", core.Distinct{Username: true}
			if i%2 == 1 { // and others under one address
				u.Email, u.Distinct = fmt.Sprintf("Ann%d@example.org", round), core.Distinct{Username: true, Email: true}
			}
			switch _, err := p.Of(i).CreateUser(t.Context(), u, nil, nil); {
			case err == nil:
				winners.Add(1)
			case !errors.Is(err, core.ErrUsernameTaken) && !errors.Is(err, core.ErrEmailTaken):
				t.Error(err)
			}
		})
		if n := winners.Load(); n != 1 {
			t.Errorf("round %d: %d users have one name", round, n)
		}
	}
}

// raceUpdates counts in an attribute, as requests that read and write do.
func raceUpdates(t *testing.T, p suite.Pair) {
	ann := p.Add(t, suite.NewUser("ann"))
	var done atomic.Int32
	suite.Together(actors, func(i int) {
		s := accountsOf(p.Of(i))
		for range 5 {
			account, err := s.AccountByID(t.Context(), ann.ID)
			if err != nil {
				t.Error(err)
				return
			}
			n, _ := strconv.Atoi(account.Attributes["count"])
			to := update(account.User, "ann", account.Email, map[string]string{"count": strconv.Itoa(n + 1)})
			switch _, err := s.UpdateUser(t.Context(), core.UserChange{Was: account.User, To: to, Distinct: core.Distinct{}}, nil); {
			case err == nil:
				done.Add(1)
			case !errors.Is(err, core.ErrConflict):
				t.Error(err)
			}
		}
	})
	account, err := accountsOf(p.B).AccountByID(t.Context(), ann.ID)
	if want := strconv.Itoa(int(done.Load())); err != nil || account.Attributes["count"] != want {
		t.Errorf("%s updates of %s are left, %v", account.Attributes["count"], want, err)
	}
}

// raceChangedPassword is racePasswordLogins with a single call that changes and ends.
func raceChangedPassword(t *testing.T, p suite.Pair) {
	for round := range 12 {
		ann := p.Add(t, suite.NewUser(fmt.Sprint("ann", round)))
		old := "hash of " + ann.Username
		suite.Together(actors, func(i int) {
			s, key := p.Of(i), fmt.Sprintf("key %d of %d", i, round)
			var err error
			if i > 0 {
				err = s.IssueToken(t.Context(), suite.TokenOf(ann, key), old, 0, nil)
			} else {
				_, err = accountsOf(s).ChangePassword(t.Context(), core.PasswordChange{UserID: ann.ID, Old: old, New: "new", EndTokens: true, Realm: suite.Realm}, nil)
			}
			if err != nil && !errors.Is(err, core.ErrPasswordChanged) {
				t.Error(err)
			}
		})
		for i := range actors {
			suite.WantGone(t, p.B, fmt.Sprintf("key %d of %d", i, round))
		}
	}
}
