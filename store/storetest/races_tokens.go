package storetest

import (
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/storetest/internal/suite"
)

func tokenRaces() []testCase {
	return []testCase{
		{"logout against use: nothing begun after it finds the token", raceLogoutUse},
		{"logout against logout: one wins", raceLogouts},
		{"logout-all against login: each token is before or after", raceLogoutAllLogin},
		{"a new password against logins with the old one: no token is left", func(t *testing.T, p suite.Pair) {
			racePasswordLogins(t, p, func(s core.Store, user core.User, key, old string) error {
				return s.IssueToken(t.Context(), suite.TokenOf(user, key), old, 0, nil)
			})
		}},
		{"a new password against logins that reuse tokens: no token is left", func(t *testing.T, p suite.Pair) {
			racePasswordLogins(t, p, func(s core.Store, user core.User, key, old string) error {
				_, err := s.ReuseToken(t.Context(), suite.ReusableOf(user, key, time.Hour), old, suite.Noon(), nil)
				return err
			})
		}},
		{"logout-all against logins by a token: no token is left", func(t *testing.T, p suite.Pair) {
			raceLogoutAllTokenLogins(t, p, func(s core.Store, fresh core.Token) error {
				return s.IssueToken(t.Context(), fresh, "", 0, nil)
			})
		}},
		{"logout-all against logins by a token that keep their time: no token is left", func(t *testing.T, p suite.Pair) {
			raceLogoutAllTokenLogins(t, p, func(s core.Store, fresh core.Token) error {
				fresh.Login = true
				return s.IssueToken(t.Context(), fresh, "", 0, nil)
			})
		}},
		{"logout-all against logins by a token that reuse tokens: no token is left", func(t *testing.T, p suite.Pair) {
			raceLogoutAllTokenLogins(t, p, func(s core.Store, fresh core.Token) error {
				fresh.Reusable = true
				_, err := s.ReuseToken(t.Context(), fresh, "", suite.Noon(), nil)
				return err
			})
		}},
		{"moving against logout: the token stays gone", raceMoveLogout},
		{"moving against moving: the latest end holds", raceMoves},
	}
}

func raceLogoutUse(t *testing.T, p suite.Pair) {
	ann := p.Add(t, suite.NewUser("ann"))
	for round := range 24 {
		key := fmt.Sprintf("key %d", round)
		p.Issue(t, suite.TokenOf(ann, key))
		var ended atomic.Bool
		suite.Together(4, func(i int) {
			if i == 0 {
				if err := p.Of(round).DeleteToken(t.Context(), suite.TokenOf(ann, key).Digest, nil); err != nil {
					t.Error(err)
				}
				ended.Store(true)
				return
			}
			// Each looks up the token a few more times after the logout has returned.
			for left := 10; left > 0; {
				after := ended.Load()
				err := suite.Find(t.Context(), p.Of(i), key)
				if err != nil {
					suite.WantError(t, "find", err, core.ErrNotFound)
				} else if after {
					t.Errorf("round %d: found after its deletion was acknowledged", round)
				}
				if after || err != nil {
					left--
				}
			}
		})
	}
}

// racePasswordLogins changes a password and ends all tokens, while logins that have checked
// the old password get theirs.
func racePasswordLogins(t *testing.T, p suite.Pair, login func(s core.Store, user core.User, key, old string) error) {
	for round := range 12 {
		ann := p.Add(t, suite.NewUser(fmt.Sprint("ann", round)))
		old := "hash of " + ann.Username
		suite.Together(actors, func(i int) {
			s, key := p.Of(i), fmt.Sprintf("key %d of %d", i, round)
			var err error
			if i > 0 {
				err = login(s, ann, key, old)
			} else if err = s.UpdatePassword(t.Context(), ann.ID, old, "new hash", false, nil); err == nil {
				_, err = s.DeleteUserTokens(t.Context(), ann.ID, suite.Realm, nil)
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

func raceLogouts(t *testing.T, p suite.Pair) {
	ann := p.Add(t, suite.NewUser("ann"))
	for round := range 12 {
		key := fmt.Sprintf("key %d", round)
		p.Issue(t, suite.TokenOf(ann, key))
		var winners atomic.Int32
		suite.Together(actors, func(i int) {
			switch err := p.Of(i).DeleteToken(t.Context(), suite.TokenOf(ann, key).Digest, nil); {
			case err == nil:
				winners.Add(1)
			default:
				suite.WantError(t, "delete", err, core.ErrNotFound)
			}
		})
		if n := winners.Load(); n != 1 {
			t.Errorf("round %d: %d deletions of one token succeeded", round, n)
		}
	}
}

// raceLogoutAllLogin checks that the outcome is that of some sequence of the calls:
// tokens issued before the deletion began are deleted, those issued after it returned
// exist, and the number it returned is that of the deleted tokens.
func raceLogoutAllLogin(t *testing.T, p suite.Pair) {
	for round := range 6 {
		ann := p.Add(t, suite.NewUser(fmt.Sprintf("ann %d", round)))
		const each = 4
		key := func(i, n int) string { return fmt.Sprintf("key %d %d %d", round, i, n) }
		var began, ended atomic.Bool
		var deleted int
		var before, after [actors][each]bool
		suite.Together(actors, func(i int) {
			for n := range each {
				if i == 0 && n == each/2 {
					began.Store(true)
					var err error
					if deleted, err = p.A.DeleteUserTokens(t.Context(), ann.ID, suite.Realm, nil); err != nil {
						t.Error(err)
					}
					ended.Store(true)
				}
				after[i][n] = ended.Load()
				if err := p.Of(i).IssueToken(t.Context(), suite.TokenOf(ann, key(i, n)), "", 0, nil); err != nil {
					t.Error(err)
				}
				before[i][n] = !began.Load()
			}
		})

		alive := 0
		for i := range actors {
			for n := range each {
				err := suite.Find(t.Context(), p.Of(i+1), key(i, n))
				if err == nil {
					alive++
				}
				if before[i][n] && err == nil {
					t.Errorf("%s: alive, but issued before the deletion", key(i, n))
				}
				if after[i][n] && err != nil {
					t.Errorf("%s: %v, but issued after the deletion", key(i, n), err)
				}
			}
		}
		if alive+deleted != actors*each {
			t.Errorf("round %d: %d alive and %d deleted of %d", round, alive, deleted, actors*each)
		}
	}
}

// raceLogoutAllTokenLogins ends all tokens, while logins that have found one of them get others: whatever comes
// first, none is left.
func raceLogoutAllTokenLogins(t *testing.T, p suite.Pair, login func(s core.Store, fresh core.Token) error) {
	for round := range 12 {
		ann := p.Add(t, suite.NewUser(fmt.Sprint("ann", round)))
		first := suite.TokenOf(ann, fmt.Sprint("first of ", round))
		p.Issue(t, first)
		const each = 4
		key := func(i, n int) string { return fmt.Sprintf("key %d %d %d", round, i, n) }
		suite.Together(actors, func(i int) {
			for n := range each {
				if i == 0 && n == each/2 {
					if _, err := p.A.DeleteUserTokens(t.Context(), ann.ID, suite.Realm, nil); err != nil {
						t.Error(err)
					}
				}
				fresh := suite.TokenOf(ann, key(i, n))
				fresh.By = first.Digest
				if err := login(p.Of(i), fresh); err != nil && !errors.Is(err, core.ErrTokenEnded) {
					t.Error(err)
				}
			}
		})
		for i := range actors {
			for n := range each {
				suite.WantGone(t, p.B, key(i, n))
			}
		}
	}
}

func raceMoveLogout(t *testing.T, p suite.Pair) {
	ann := p.Add(t, suite.NewUser("ann"))
	for round := range 16 {
		key := fmt.Sprintf("key %d", round)
		token := suite.SlidingOf(ann, key, time.Hour)
		p.Issue(t, token)
		suite.Together(4, func(i int) {
			if i == 0 {
				if err := p.Of(round).DeleteToken(t.Context(), token.Digest, nil); err != nil {
					t.Error(err)
				}
				return
			}
			for n := range 4 {
				to := token.ExpiresAt.Add(time.Duration(n*4+i) * time.Minute)
				if err := p.Of(i).ExtendExpiry(t.Context(), token.Digest, to, suite.Noon()); err != nil {
					t.Error(err)
				}
			}
		})
		suite.WantGone(t, p.A, key)
		suite.WantGone(t, p.B, key)
	}
}

func raceMoves(t *testing.T, p suite.Pair) {
	ann := p.Add(t, suite.NewUser("ann"))
	for round := range 8 {
		key := fmt.Sprintf("key %d", round)
		token := suite.SlidingOf(ann, key, time.Hour)
		p.Issue(t, token)
		end := token.ExpiresAt
		suite.Together(actors, func(i int) {
			if err := p.Of(i).ExtendExpiry(t.Context(), token.Digest, end.Add(time.Duration(i+1)*time.Minute), suite.Noon()); err != nil {
				t.Error(err)
			}
		})
		token.ExpiresAt = end.Add(actors * time.Minute)
		suite.WantFound(t, p.A, key, token, ann)
		suite.WantFound(t, p.B, key, token, ann)
	}
}
