package storetest

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/storetest/internal/suite"
)

func reuse() []testCase {
	return []testCase{
		{"without a token the fresh one is added", reuseAdds},
		{"a live token is given again", reuseGives},
		{"a sliding token moves", reuseMoves},
		{"a token moves only forwards", reuseNeverShortens},
		{"a fresh token that does not slide moves nothing", reuseWithoutSliding},
		{"a token that never expires stays so", reuseForever},
		{"an expired token stays and is not given", reuseExpired},
		{"a token ends at its very instant", reuseAtTheEnd},
		{"issuers, realms and users are apart", reuseApart},
		{"a token that is not reusable is not given", reuseOnlyReusable},
		{"a deleted token is not given", reuseDeleted},
		{"the inactive user's token is not given", reuseInactive},
	}
}

func reuseAdds(t *testing.T, p suite.Pair) {
	ann := p.Add(t, suite.NewUser("ann"))
	fresh := suite.ReusableOf(ann, "fresh", time.Hour)
	suite.WantSame(t, "token", fresh, p.Reuse(t, fresh, suite.Noon()))
	suite.WantFound(t, p.B, "fresh", fresh, ann)
}

func reuseGives(t *testing.T, p suite.Pair) {
	ann := p.Add(t, suite.NewUser("ann"))
	first := suite.ReusableOf(ann, "first", 0)
	first.ExpiresAt = time.Time{}
	p.Issue(t, first)
	for _, key := range []string{"second", "third"} {
		fresh := suite.ReusableOf(ann, key, 0)
		fresh.ExpiresAt, fresh.SealKey, fresh.CreatedAt = time.Time{}, "key-2", suite.Noon().Add(time.Hour)
		suite.WantSame(t, "token", first, p.Reuse(t, fresh, suite.Noon().Add(time.Hour)))
		suite.WantFound(t, p.B, "first", first, ann)
		suite.WantGone(t, p.B, key)
	}
}

func reuseMoves(t *testing.T, p suite.Pair) {
	ann := p.Add(t, suite.NewUser("ann"))
	first := suite.ReusableOf(ann, "first", time.Hour)
	p.Issue(t, first)
	fresh := suite.ReusableOf(ann, "fresh", 2*time.Hour)
	fresh.ExpiresAt = first.ExpiresAt.Add(time.Microsecond)

	want := first // all but the expiry is stored with the first token
	want.ExpiresAt = fresh.ExpiresAt
	suite.WantSame(t, "token", want, p.Reuse(t, fresh, suite.Noon()))
	suite.WantFound(t, p.B, "first", want, ann)
	suite.WantGone(t, p.B, "fresh")
}

func reuseNeverShortens(t *testing.T, p suite.Pair) {
	ann := p.Add(t, suite.NewUser("ann"))
	first := suite.ReusableOf(ann, "first", 2*time.Hour)
	p.Issue(t, first)
	suite.WantSame(t, "token", first, p.Reuse(t, suite.ReusableOf(ann, "fresh", time.Hour), suite.Noon()))
	suite.WantFound(t, p.B, "first", first, ann)
}

func reuseWithoutSliding(t *testing.T, p suite.Pair) {
	ann := p.Add(t, suite.NewUser("ann"))
	first := suite.ReusableOf(ann, "first", time.Hour)
	p.Issue(t, first)
	fresh := suite.ReusableOf(ann, "fresh", 2*time.Hour)
	fresh.Sliding = 0
	suite.WantSame(t, "token", first, p.Reuse(t, fresh, suite.Noon()))
	suite.WantFound(t, p.B, "first", first, ann)
}

func reuseForever(t *testing.T, p suite.Pair) {
	ann := p.Add(t, suite.NewUser("ann"))
	first := suite.ReusableOf(ann, "first", time.Hour)
	first.ExpiresAt = time.Time{}
	p.Issue(t, first)
	suite.WantSame(t, "token", first, p.Reuse(t, suite.ReusableOf(ann, "fresh", 2*time.Hour), suite.Noon()))
	suite.WantFound(t, p.B, "first", first, ann)
}

func reuseExpired(t *testing.T, p suite.Pair) {
	ann := p.Add(t, suite.NewUser("ann"))
	first := suite.ReusableOf(ann, "first", time.Hour)
	p.Issue(t, first)
	later := first.ExpiresAt.Add(time.Hour)
	second := suite.ReusableOf(ann, "second", 3*time.Hour)
	suite.WantSame(t, "token", second, p.Reuse(t, second, later))

	retired := first
	retired.Reusable = false
	suite.WantFound(t, p.B, "first", retired, ann)
	suite.WantFound(t, p.B, "second", second, ann)
	// The clock of another node may be behind: the token is still not returned again.
	suite.WantSame(t, "token", second, p.Reuse(t, suite.ReusableOf(ann, "third", time.Hour), suite.Noon()))
	suite.WantFound(t, p.B, "first", retired, ann)
}

func reuseAtTheEnd(t *testing.T, p suite.Pair) {
	ann := p.Add(t, suite.NewUser("ann"))
	first := suite.ReusableOf(ann, "first", time.Hour)
	first.Sliding = 0
	p.Issue(t, first)
	fresh := suite.ReusableOf(ann, "fresh", 2*time.Hour)
	fresh.Sliding = 0
	suite.WantSame(t, "token a microsecond before", first, p.Reuse(t, fresh, first.ExpiresAt.Add(-time.Microsecond)))
	suite.WantSame(t, "token at the end", fresh, p.Reuse(t, fresh, first.ExpiresAt))
}

func reuseApart(t *testing.T, p suite.Pair) {
	ann, bob := p.Add(t, suite.NewUser("ann")), p.Add(t, suite.NewUser("bob"))
	set := map[string]core.Token{}
	for _, user := range []core.User{ann, bob} {
		for _, issuer := range []string{"one", "One"} {
			for _, realm := range []string{"default", "inner"} {
				key := user.Username + issuer + realm
				token := suite.ReusableOf(user, key, time.Hour)
				token.Issuer, token.Realm = issuer, realm
				set[key] = token
				suite.WantSame(t, key, token, p.Reuse(t, token, suite.Noon()))
			}
		}
	}
	for key, token := range set {
		fresh := token
		fresh.Digest = core.Presented("again " + key).SHA256()
		suite.WantSame(t, key+" again", token, p.Reuse(t, fresh, suite.Noon()))
	}
}

func reuseOnlyReusable(t *testing.T, p suite.Pair) {
	ann := p.Add(t, suite.NewUser("ann"))
	other := suite.SlidingOf(ann, "other", time.Hour)
	p.Issue(t, other)
	fresh := suite.ReusableOf(ann, "fresh", 2*time.Hour)
	suite.WantSame(t, "token", fresh, p.Reuse(t, fresh, suite.Noon()))
	suite.WantFound(t, p.B, "other", other, ann)
}

func reuseDeleted(t *testing.T, p suite.Pair) {
	ann := p.Add(t, suite.NewUser("ann"))
	first := suite.ReusableOf(ann, "first", time.Hour)
	p.Issue(t, first)
	if err := p.B.DeleteToken(t.Context(), first.Digest, nil); err != nil {
		t.Fatal(err)
	}
	fresh := suite.ReusableOf(ann, "fresh", time.Hour)
	suite.WantSame(t, "token", fresh, p.Reuse(t, fresh, suite.Noon()))
	suite.WantGone(t, p.B, "first")
}

func reuseInactive(t *testing.T, p suite.Pair) {
	u := suite.NewUser("ann")
	u.Inactive = true
	var first core.Token
	ann, err := p.A.CreateUser(t.Context(), u, func(user core.User) (core.Token, error) {
		first = suite.ReusableOf(user, "first", time.Hour)
		return first, nil
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = p.A.ReuseToken(t.Context(), suite.ReusableOf(ann, "fresh", 2*time.Hour), "", suite.Noon(), nil)
	suite.WantError(t, "reuse", err, core.ErrUserInactive)
	suite.WantFound(t, p.B, "first", first, ann)
}

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
func reuseAtOnce(t *testing.T, p suite.Pair, fresh func(i int) core.Token, text func(i int) string, now time.Time) core.Token {
	t.Helper()
	got := make([]core.Token, actors)
	suite.Together(actors, func(i int) {
		var err error
		if got[i], err = p.Of(i).ReuseToken(t.Context(), fresh(i), "", now, nil); err != nil {
			t.Error(err)
		}
	})
	for i := range actors {
		suite.WantSame(t, fmt.Sprintf("digest for actor %d", i), got[0].Digest, got[i].Digest)
		if string(fresh(i).Digest) != string(got[0].Digest) {
			suite.WantGone(t, p.Of(i+1), text(i))
		}
	}
	return got[0]
}

func raceFirstReuse(t *testing.T, p suite.Pair) {
	for round := range 12 {
		ann := p.Add(t, suite.NewUser(fmt.Sprintf("ann %d", round)))
		text := func(i int) string { return fmt.Sprintf("key %d %d", round, i) }
		fresh := func(i int) core.Token { return suite.ReusableOf(ann, text(i), time.Hour) }
		token := reuseAtOnce(t, p, fresh, text, suite.Noon())
		suite.WantSame(t, "token shown again", token, p.Reuse(t, fresh(actors), suite.Noon()))
	}
}

func raceExpiredReuse(t *testing.T, p suite.Pair) {
	for round := range 8 {
		ann := p.Add(t, suite.NewUser(fmt.Sprintf("ann %d", round)))
		old := suite.ReusableOf(ann, fmt.Sprintf("old %d", round), time.Hour)
		p.Issue(t, old)
		text := func(i int) string { return fmt.Sprintf("key %d %d", round, i) }
		fresh := func(i int) core.Token { return suite.ReusableOf(ann, text(i), 3*time.Hour) }
		token := reuseAtOnce(t, p, fresh, text, old.ExpiresAt)
		if string(token.Digest) == string(old.Digest) {
			t.Errorf("round %d: the expired token was given", round)
		}
		old.Reusable = false
		suite.WantFound(t, p.B, fmt.Sprintf("old %d", round), old, ann)
	}
}

func raceLiveReuse(t *testing.T, p suite.Pair) {
	for round := range 8 {
		ann := p.Add(t, suite.NewUser(fmt.Sprintf("ann %d", round)))
		live := suite.ReusableOf(ann, fmt.Sprintf("live %d", round), time.Hour)
		p.Issue(t, live)
		text := func(i int) string { return fmt.Sprintf("key %d %d", round, i) }
		fresh := func(i int) core.Token { return suite.ReusableOf(ann, text(i), time.Duration(i+2)*time.Hour) }
		token := reuseAtOnce(t, p, fresh, text, suite.Noon())
		suite.WantSame(t, "digest", live.Digest, token.Digest)
		live.ExpiresAt = fresh(actors - 1).ExpiresAt
		suite.WantFound(t, p.B, fmt.Sprintf("live %d", round), live, ann)
	}
}

func raceReuseLogout(t *testing.T, p suite.Pair) {
	ann := p.Add(t, suite.NewUser("ann"))
	for round := range 12 {
		live := p.Reuse(t, suite.ReusableOf(ann, fmt.Sprintf("live %d", round), time.Hour), suite.Noon())
		var ended atomic.Bool
		suite.Together(4, func(i int) {
			if i == 0 {
				if err := p.Of(round).DeleteToken(t.Context(), live.Digest, nil); err != nil {
					t.Error(err)
				}
				ended.Store(true)
				return
			}
			for n, left := 0, 2; left > 0; n++ {
				after := ended.Load()
				fresh := suite.ReusableOf(ann, fmt.Sprintf("key %d %d %d", round, i, n), time.Hour)
				token, err := p.Of(i).ReuseToken(t.Context(), fresh, "", suite.Noon(), nil)
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
		if _, err := p.A.DeleteUserTokens(t.Context(), ann.ID, suite.Realm, nil); err != nil {
			t.Fatal(err)
		}
	}
}
