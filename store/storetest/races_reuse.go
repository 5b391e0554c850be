package storetest

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
)

func reuseRaces() []testCase {
	return []testCase{
		{"many first logins: all get one token", raceFirstReuse},
		{"many logins after the end: all get one new token", raceExpiredReuse},
		{"many logins of a live token: the latest end holds", raceLiveReuse},
		{"login against logout: a deleted token is not given", raceReuseLogout},
	}
}

// reuseAtOnce has all actors log in at once, and returns the token that all of them
// got. It also checks that none of the other texts is valid.
func reuseAtOnce(t *testing.T, p pair, fresh func(i int) core.Token, text func(i int) string, now time.Time) core.Token {
	t.Helper()
	got := make([]core.Token, actors)
	together(actors, func(i int) {
		var err error
		if got[i], err = p.both(i).ReuseToken(t.Context(), fresh(i), "", now, nil); err != nil {
			t.Error(err)
		}
	})
	for i := range actors {
		wantSame(t, fmt.Sprintf("digest for actor %d", i), got[0].Digest, got[i].Digest)
		if string(fresh(i).Digest) != string(got[0].Digest) {
			wantGone(t, p.both(i+1), text(i))
		}
	}
	return got[0]
}

func raceFirstReuse(t *testing.T, p pair) {
	for round := range 12 {
		ann := p.add(t, newUser(fmt.Sprintf("ann %d", round)))
		text := func(i int) string { return fmt.Sprintf("key %d %d", round, i) }
		fresh := func(i int) core.Token { return reusableOf(ann, text(i), time.Hour) }
		token := reuseAtOnce(t, p, fresh, text, noon())
		wantSame(t, "token shown again", token, p.reuseToken(t, fresh(actors), noon()))
	}
}

func raceExpiredReuse(t *testing.T, p pair) {
	for round := range 8 {
		ann := p.add(t, newUser(fmt.Sprintf("ann %d", round)))
		old := reusableOf(ann, fmt.Sprintf("old %d", round), time.Hour)
		p.issue(t, old)
		text := func(i int) string { return fmt.Sprintf("key %d %d", round, i) }
		fresh := func(i int) core.Token { return reusableOf(ann, text(i), 3*time.Hour) }
		token := reuseAtOnce(t, p, fresh, text, old.ExpiresAt)
		if string(token.Digest) == string(old.Digest) {
			t.Errorf("round %d: the expired token was given", round)
		}
		old.Reusable = false
		wantFound(t, p.b, fmt.Sprintf("old %d", round), old, ann)
	}
}

func raceLiveReuse(t *testing.T, p pair) {
	for round := range 8 {
		ann := p.add(t, newUser(fmt.Sprintf("ann %d", round)))
		live := reusableOf(ann, fmt.Sprintf("live %d", round), time.Hour)
		p.issue(t, live)
		text := func(i int) string { return fmt.Sprintf("key %d %d", round, i) }
		fresh := func(i int) core.Token { return reusableOf(ann, text(i), time.Duration(i+2)*time.Hour) }
		token := reuseAtOnce(t, p, fresh, text, noon())
		wantSame(t, "digest", live.Digest, token.Digest)
		live.ExpiresAt = fresh(actors - 1).ExpiresAt
		wantFound(t, p.b, fmt.Sprintf("live %d", round), live, ann)
	}
}

func raceReuseLogout(t *testing.T, p pair) {
	ann := p.add(t, newUser("ann"))
	for round := range 12 {
		live := p.reuseToken(t, reusableOf(ann, fmt.Sprintf("live %d", round), time.Hour), noon())
		var ended atomic.Bool
		together(4, func(i int) {
			if i == 0 {
				if err := p.both(round).DeleteToken(t.Context(), live.Digest, nil); err != nil {
					t.Error(err)
				}
				ended.Store(true)
				return
			}
			for n, left := 0, 2; left > 0; n++ {
				after := ended.Load()
				fresh := reusableOf(ann, fmt.Sprintf("key %d %d %d", round, i, n), time.Hour)
				token, err := p.both(i).ReuseToken(t.Context(), fresh, "", noon(), nil)
				if err != nil {
					t.Error(err)
				}
				if after {
					left--
				}
				if after && string(token.Digest) == string(live.Digest) {
					t.Errorf("round %d: a token was given after its deletion was acknowledged", round)
				}
			}
		})
		if _, err := p.a.DeleteUserTokens(t.Context(), ann.ID, realm, nil); err != nil {
			t.Fatal(err)
		}
	}
}
