package storetest

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
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

// reuseToken calls p.a.ReuseToken, which must succeed.
func (p pair) reuseToken(t *testing.T, fresh core.Token, now time.Time) core.Token {
	t.Helper()
	token, err := p.a.ReuseToken(t.Context(), fresh, "", now, nil)
	if err != nil {
		t.Fatalf("reuse token: %v", err)
	}
	return token
}

func reuseAdds(t *testing.T, p pair) {
	ann := p.add(t, newUser("ann"))
	fresh := reusableOf(ann, "fresh", time.Hour)
	wantSame(t, "token", fresh, p.reuseToken(t, fresh, noon()))
	wantFound(t, p.b, "fresh", fresh, ann)
}

func reuseGives(t *testing.T, p pair) {
	ann := p.add(t, newUser("ann"))
	first := reusableOf(ann, "first", 0)
	first.ExpiresAt = time.Time{}
	p.issue(t, first)
	for _, key := range []string{"second", "third"} {
		fresh := reusableOf(ann, key, 0)
		fresh.ExpiresAt, fresh.SealKey, fresh.CreatedAt = time.Time{}, "key-2", noon().Add(time.Hour)
		wantSame(t, "token", first, p.reuseToken(t, fresh, noon().Add(time.Hour)))
		wantFound(t, p.b, "first", first, ann)
		wantGone(t, p.b, key)
	}
}

func reuseMoves(t *testing.T, p pair) {
	ann := p.add(t, newUser("ann"))
	first := reusableOf(ann, "first", time.Hour)
	p.issue(t, first)
	fresh := reusableOf(ann, "fresh", 2*time.Hour)
	fresh.ExpiresAt = first.ExpiresAt.Add(time.Microsecond)

	want := first // all but the expiry is stored with the first token
	want.ExpiresAt = fresh.ExpiresAt
	wantSame(t, "token", want, p.reuseToken(t, fresh, noon()))
	wantFound(t, p.b, "first", want, ann)
	wantGone(t, p.b, "fresh")
}

func reuseNeverShortens(t *testing.T, p pair) {
	ann := p.add(t, newUser("ann"))
	first := reusableOf(ann, "first", 2*time.Hour)
	p.issue(t, first)
	wantSame(t, "token", first, p.reuseToken(t, reusableOf(ann, "fresh", time.Hour), noon()))
	wantFound(t, p.b, "first", first, ann)
}

func reuseWithoutSliding(t *testing.T, p pair) {
	ann := p.add(t, newUser("ann"))
	first := reusableOf(ann, "first", time.Hour)
	p.issue(t, first)
	fresh := reusableOf(ann, "fresh", 2*time.Hour)
	fresh.Sliding = 0
	wantSame(t, "token", first, p.reuseToken(t, fresh, noon()))
	wantFound(t, p.b, "first", first, ann)
}

func reuseForever(t *testing.T, p pair) {
	ann := p.add(t, newUser("ann"))
	first := reusableOf(ann, "first", time.Hour)
	first.ExpiresAt = time.Time{}
	p.issue(t, first)
	wantSame(t, "token", first, p.reuseToken(t, reusableOf(ann, "fresh", 2*time.Hour), noon()))
	wantFound(t, p.b, "first", first, ann)
}

func reuseExpired(t *testing.T, p pair) {
	ann := p.add(t, newUser("ann"))
	first := reusableOf(ann, "first", time.Hour)
	p.issue(t, first)
	later := first.ExpiresAt.Add(time.Hour)
	second := reusableOf(ann, "second", 3*time.Hour)
	wantSame(t, "token", second, p.reuseToken(t, second, later))

	retired := first
	retired.Reusable = false
	wantFound(t, p.b, "first", retired, ann)
	wantFound(t, p.b, "second", second, ann)
	// The clock of another node may be behind: the token is still not returned again.
	wantSame(t, "token", second, p.reuseToken(t, reusableOf(ann, "third", time.Hour), noon()))
	wantFound(t, p.b, "first", retired, ann)
}

func reuseAtTheEnd(t *testing.T, p pair) {
	ann := p.add(t, newUser("ann"))
	first := reusableOf(ann, "first", time.Hour)
	first.Sliding = 0
	p.issue(t, first)
	fresh := reusableOf(ann, "fresh", 2*time.Hour)
	fresh.Sliding = 0
	wantSame(t, "token a microsecond before", first, p.reuseToken(t, fresh, first.ExpiresAt.Add(-time.Microsecond)))
	wantSame(t, "token at the end", fresh, p.reuseToken(t, fresh, first.ExpiresAt))
}

func reuseApart(t *testing.T, p pair) {
	ann, bob := p.add(t, newUser("ann")), p.add(t, newUser("bob"))
	set := map[string]core.Token{}
	for _, user := range []core.User{ann, bob} {
		for _, issuer := range []string{"one", "One"} {
			for _, realm := range []string{"default", "inner"} {
				key := user.Username + issuer + realm
				token := reusableOf(user, key, time.Hour)
				token.Issuer, token.Realm = issuer, realm
				set[key] = token
				wantSame(t, key, token, p.reuseToken(t, token, noon()))
			}
		}
	}
	for key, token := range set {
		fresh := token
		fresh.Digest = core.Presented("again " + key).SHA256()
		wantSame(t, key+" again", token, p.reuseToken(t, fresh, noon()))
	}
}

func reuseOnlyReusable(t *testing.T, p pair) {
	ann := p.add(t, newUser("ann"))
	other := slidingOf(ann, "other", time.Hour)
	p.issue(t, other)
	fresh := reusableOf(ann, "fresh", 2*time.Hour)
	wantSame(t, "token", fresh, p.reuseToken(t, fresh, noon()))
	wantFound(t, p.b, "other", other, ann)
}

func reuseDeleted(t *testing.T, p pair) {
	ann := p.add(t, newUser("ann"))
	first := reusableOf(ann, "first", time.Hour)
	p.issue(t, first)
	if err := p.b.DeleteToken(t.Context(), first.Digest, nil); err != nil {
		t.Fatal(err)
	}
	fresh := reusableOf(ann, "fresh", time.Hour)
	wantSame(t, "token", fresh, p.reuseToken(t, fresh, noon()))
	wantGone(t, p.b, "first")
}

func reuseInactive(t *testing.T, p pair) {
	u := newUser("ann")
	u.Inactive = true
	var first core.Token
	ann, err := p.a.CreateUser(t.Context(), u, func(user core.User) (core.Token, error) {
		first = reusableOf(user, "first", time.Hour)
		return first, nil
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = p.a.ReuseToken(t.Context(), reusableOf(ann, "fresh", 2*time.Hour), "", noon(), nil)
	wantError(t, "reuse", err, core.ErrUserInactive)
	wantFound(t, p.b, "first", first, ann)
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
