package operationtest

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/storetest/internal/suite"
)

func privacy() []testCase {
	return []testCase{
		{"the key is drawn once", databaseKey},
		{"passwords are counted by their parameters", passwordMix},
	}
}

func operatedUsers() []testCase {
	return []testCase{
		{"pages of users", userPages},
		{"an inactive user keeps the tokens", setActive},
		{"a deleted user has no tokens", deleteUser},
	}
}

func operatedTokens() []testCase {
	return []testCase{
		{"pages of tokens", tokenPages},
		{"live tokens are counted", countTokens},
		{"what ended is purged in batches", purgeTokens},
		{"all tokens are revoked in batches", revokeTokens},
		{"tokens created before a time are revoked", revokeOldTokens},
		{"users who have tokens", tokenOwners},
		{"sealed tokens are sealed anew", reseal},
	}
}

func databaseKey(t *testing.T, p operables) {
	drawn := func(b byte) func() ([]byte, error) {
		return func() ([]byte, error) { return bytes.Repeat([]byte{b}, core.DatabaseKeySize), nil }
	}
	failure := errors.New("no randomness")
	_, err := p.a.DatabaseKey(t.Context(), func() ([]byte, error) { return nil, failure })
	suite.WantError(t, "key", err, failure)
	keys := make([][]byte, 8)
	suite.Together(len(keys), func(i int) {
		var err error
		if keys[i], err = p.of(i).DatabaseKey(t.Context(), drawn(byte(i))); err != nil {
			t.Error(err)
		}
	})
	for _, key := range keys {
		suite.WantSame(t, "key", keys[0], key)
	}
	if len(keys[0]) != core.DatabaseKeySize {
		t.Errorf("key of %d bytes", len(keys[0]))
	}
}

func passwordMix(t *testing.T, p operables) {
	want := map[string]int{
		"pbkdf2_sha256$600000$": 3, "pbkdf2_sha256$1000$": 2, "pbkdf2_sha1$1000$": 1,
		"bcrypt$$2b$12$": 2, "bcrypt_sha256$$2b$11$": 1, "argon2$argon2id$v=19$m=102400,t=2,p=8$": 2,
		"argon2$argon2id$v=19$m=512,t=2,p=2$": 1, "md5$": 2,
	}
	n := 0
	add := func(hash string) {
		n++
		u := suite.NewUser(fmt.Sprint("user ", n))
		u.PasswordHash = hash
		p.Add(t, u)
	}
	for prefix, count := range want {
		for i := range count {
			add(fmt.Sprintf("%s%022d%d", prefix, i, i))
		}
	}
	for i, parameters := range []string{"8$1", "8$5", "8$5"} {
		add(fmt.Sprintf("scrypt$16384$salt%d$%s$hash%d", i, parameters, i))
	}
	add("!unusable")
	add("sha1$$" + "0123456789012345678901234567890123456789")
	add("01234567890123456789012345678901")

	mix, err := p.b.PasswordFormatCounts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	total := 0
	for _, g := range mix {
		total += g.Accounts
		for prefix, count := range want {
			if len(g.Example) > len(prefix) && g.Example[:len(prefix)] == prefix {
				suite.WantSame(t, prefix, count, g.Accounts)
				delete(want, prefix)
			}
		}
	}
	if len(want) > 0 {
		t.Errorf("not counted: %v", want)
	}
	suite.WantSame(t, "accounts with a password", n-1, total)
	suite.WantSame(t, "groups", 8+2+2, len(mix))
}

func userPages(t *testing.T, p operables) {
	ann, bob, eve := p.Add(t, suite.NewUser("ann")), p.Add(t, suite.NewUser("bob")), suite.NewUser("eve")
	eve.Inactive, eve.Attributes = true, map[string]string{"location": "here"}
	inactive := p.Add(t, eve)
	page := func(f core.UserFilter, limit int) []core.User {
		users, err := p.b.Users(t.Context(), f, limit)
		if err != nil {
			t.Fatal(err)
		}
		return users
	}
	suite.WantSame(t, "first page", []core.User{ann, bob}, page(core.UserFilter{}, 2))
	suite.WantSame(t, "second page", []core.User{inactive}, page(core.UserFilter{After: bob.ID}, 2))
	suite.WantSame(t, "inactive ones", []core.User{inactive}, page(core.UserFilter{Inactive: true}, 9))
	suite.WantSame(t, "none", 0, len(page(core.UserFilter{After: inactive.ID}, 9)))
	suite.WantSame(t, "some ids", []core.User{ann, inactive}, page(core.UserFilter{IDs: []int64{inactive.ID, inactive.ID + 1, ann.ID}}, 9))
	suite.WantSame(t, "one of them", []core.User{inactive}, page(core.UserFilter{After: bob.ID, IDs: []int64{ann.ID, inactive.ID}}, 9))
	suite.WantSame(t, "no ids", 0, len(page(core.UserFilter{IDs: []int64{}}, 9)))
}

func setActive(t *testing.T, p operables) {
	ann := p.Add(t, suite.NewUser("ann"))
	p.Issue(t, suite.TokenOf(ann, "key"))
	for _, active := range []bool{false, true} {
		if err := p.a.SetActive(t.Context(), ann.ID, active, nil); err != nil {
			t.Fatal(err)
		}
		ann.Active = active
		suite.WantFound(t, p.a, "key", suite.TokenOf(ann, "key"), ann)
		suite.WantFound(t, p.b, "key", suite.TokenOf(ann, "key"), ann)
	}
	suite.WantError(t, "nobody", p.a.SetActive(t.Context(), ann.ID+1, true, nil), core.ErrNotFound)
}

func deleteUser(t *testing.T, p operables) {
	ann, bob := p.Add(t, suite.NewUser("ann")), p.Add(t, suite.NewUser("bob"))
	p.Issue(t, suite.TokenOf(ann, "ann's"))
	p.Issue(t, suite.TokenOf(bob, "bob's"))
	suite.WantFound(t, p.b, "ann's", suite.TokenOf(ann, "ann's"), ann)
	if err := p.a.DeleteUser(t.Context(), ann.ID, nil); err != nil {
		t.Fatal(err)
	}
	suite.WantGone(t, p.a, "ann's")
	suite.WantGone(t, p.b, "ann's")
	suite.WantNobody(t, p.Pair, "ann")
	suite.WantFound(t, p.b, "bob's", suite.TokenOf(bob, "bob's"), bob)
	suite.WantError(t, "again", p.b.DeleteUser(t.Context(), ann.ID, nil), core.ErrNotFound)
}

func tokenPages(t *testing.T, p operables) {
	ann, bob := p.Add(t, suite.NewUser("ann")), p.Add(t, suite.NewUser("bob"))
	all := []core.Token{suite.TokenOf(ann, "1"), suite.ReusableOf(ann, "2", time.Hour), suite.TokenOf(bob, "3")}
	for i, digest := range []string{"aaaa", "abbb", "b"} {
		all[i].Digest = core.Digest(digest)
		p.Issue(t, all[i])
	}
	for _, test := range []struct {
		name   string
		filter core.TokenFilter
		limit  int
		want   []core.Token
	}{
		{"all", core.TokenFilter{}, 9, all},
		{"page", core.TokenFilter{}, 2, all[:2]},
		{"next page", core.TokenFilter{After: all[1].Digest}, 2, all[2:]},
		{"of ann", core.TokenFilter{UserID: ann.ID}, 9, all[:2]},
		{"of ann, next page", core.TokenFilter{UserID: ann.ID, After: all[0].Digest}, 9, all[1:2]},
		{"prefix", core.TokenFilter{Prefix: core.Digest("ab")}, 9, all[1:2]},
		{"prefix of two", core.TokenFilter{Prefix: core.Digest("a")}, 9, all[:2]},
		{"prefix of none", core.TokenFilter{Prefix: core.Digest("ac")}, 9, nil},
		{"of nobody", core.TokenFilter{UserID: bob.ID + 1}, 9, nil},
	} {
		got, err := p.b.Tokens(t.Context(), test.filter, test.limit)
		if err != nil {
			t.Fatal(err)
		}
		suite.WantSame(t, test.name, test.want, got)
	}
}

func countTokens(t *testing.T, p operables) {
	ann := p.Add(t, suite.NewUser("ann"))
	p.Issue(t, suite.TokenOf(ann, "for ever"))
	p.Issue(t, suite.SlidingOf(ann, "hour", time.Hour))
	for after, want := range map[time.Duration]int64{0: 2, time.Hour: 1, 2 * time.Hour: 1} {
		live, err := p.b.CountTokens(t.Context(), suite.Noon().Add(after))
		if err != nil || live != want {
			t.Errorf("after %v: %d live, %v, want %d", after, live, err, want)
		}
	}
}

func purgeTokens(t *testing.T, p operables) {
	ann := p.Add(t, suite.NewUser("ann"))
	p.Issue(t, suite.TokenOf(ann, "for ever"))
	for i, key := range []string{"a", "b", "c", "d"} {
		token := suite.SlidingOf(ann, key, time.Duration(i)*time.Hour)
		if key == "b" {
			token.Issuer = "another"
		}
		p.Issue(t, token)
	}
	purge := func(want int, before time.Duration, limit int, issuers ...string) {
		t.Helper()
		n, err := p.a.PurgeTokens(t.Context(), suite.Noon().Add(before), issuers, limit)
		if err != nil || n != want {
			t.Errorf("purged %d, %v, want %d", n, err, want)
		}
	}
	purge(0, 0, 9)
	purge(0, 9*time.Hour, 9, "nobody's")
	purge(1, 9*time.Hour, 1, "another", "nobody's")
	suite.WantGone(t, p.b, "b")
	purge(1, 90*time.Minute, 9)
	suite.WantGone(t, p.b, "a")
	purge(1, 9*time.Hour, 1)
	purge(1, 9*time.Hour, 9)
	suite.WantFound(t, p.b, "for ever", suite.TokenOf(ann, "for ever"), ann)
}

func revokeTokens(t *testing.T, p operables) {
	ann, bob := p.Add(t, suite.NewUser("ann")), p.Add(t, suite.NewUser("bob"))
	for i, u := range []core.User{ann, bob, ann} {
		token := suite.TokenOf(u, fmt.Sprint(i))
		token.Digest, token.Realm = core.Digest{byte(i)}, fmt.Sprint("realm ", i)
		p.Issue(t, token)
	}
	step := func(after core.Digest, limit, want int, wantLast core.Digest, e *core.AuditEntry) {
		t.Helper()
		n, last, err := p.a.RevokeTokens(t.Context(), time.Time{}, after, limit, e)
		if err != nil || n != want || string(last) != string(wantLast) {
			t.Errorf("revoked %d up to %x, %v, want %d up to %x", n, last, err, want, wantLast)
		}
	}
	e := line(core.ActionRevokeTokens, core.OK, "")
	step(nil, 2, 2, core.Digest{1}, &e)
	step(core.Digest{1}, 2, 1, core.Digest{2}, nil)
	step(core.Digest{2}, 2, 0, nil, nil)
	left, err := p.b.Tokens(t.Context(), core.TokenFilter{}, 9)
	if err != nil || len(left) != 0 {
		t.Errorf("left: %v, %v", left, err)
	}
	suite.WantSame(t, "entries", 1, len(p.entries(t, core.AuditFilter{Action: core.ActionRevokeTokens})))
}

func revokeOldTokens(t *testing.T, p operables) {
	ann := p.Add(t, suite.NewUser("ann"))
	for key, age := range map[string]time.Duration{"older": time.Hour, "as old": 0, "younger": -time.Hour} {
		token := suite.TokenOf(ann, key)
		token.CreatedAt = suite.Noon().Add(-age)
		p.Issue(t, token)
		suite.WantFound(t, p.b, key, token, ann)
	}
	if n, _, err := p.a.RevokeTokens(t.Context(), suite.Noon(), nil, 9, nil); err != nil || n != 1 {
		t.Errorf("revoked %d, %v, want 1", n, err)
	}
	suite.WantGone(t, p.b, "older")
	suite.WantFound(t, p.b, "as old", suite.TokenOf(ann, "as old"), ann)
}

func tokenOwners(t *testing.T, p operables) {
	ann, bob := p.Add(t, suite.NewUser("ann")), p.Add(t, suite.NewUser("bob"))
	p.Add(t, suite.NewUser("zoe"))
	for i, owner := range []core.TokenOwner{{UserID: ann.ID, Realm: "one"}, {UserID: ann.ID, Realm: "one"}, {UserID: ann.ID, Realm: "two"}, {UserID: bob.ID, Realm: "one"}} {
		token := suite.TokenOf(ann, fmt.Sprint(i))
		token.UserID, token.Realm, token.ExpiresAt = owner.UserID, owner.Realm, suite.Noon().Add(-time.Hour)
		p.Issue(t, token)
	}
	want := func(want ...core.TokenOwner) {
		t.Helper()
		got, err := p.b.TokenOwners(t.Context())
		slices.SortFunc(got, func(x, y core.TokenOwner) int {
			return cmp.Or(cmp.Compare(x.UserID, y.UserID), cmp.Compare(x.Realm, y.Realm))
		})
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("tokens of %v, %v, want %v", got, err, want)
		}
	}
	want(core.TokenOwner{UserID: ann.ID, Realm: "one"}, core.TokenOwner{UserID: ann.ID, Realm: "two"}, core.TokenOwner{UserID: bob.ID, Realm: "one"})
	if _, err := p.a.DeleteUserTokens(t.Context(), ann.ID, "one", nil); err != nil {
		t.Error(err)
	}
	want(core.TokenOwner{UserID: ann.ID, Realm: "two"}, core.TokenOwner{UserID: bob.ID, Realm: "one"})
}

func reseal(t *testing.T, p operables) {
	ann := p.Add(t, suite.NewUser("ann"))
	p.Issue(t, suite.TokenOf(ann, "not sealed"))
	sealed := make([]core.Token, 3)
	for i := range sealed {
		u := p.Add(t, suite.NewUser(fmt.Sprint("user ", i)))
		sealed[i] = suite.ReusableOf(u, fmt.Sprint("key ", i), time.Hour)
		sealed[i].Digest = core.Digest{byte(i)}
		p.Issue(t, sealed[i])
	}
	page := func(key string, after core.Digest, limit int) []core.Token {
		tokens, err := p.b.SealedTokens(t.Context(), key, after, limit)
		if err != nil {
			t.Fatal(err)
		}
		return tokens
	}
	suite.WantSame(t, "first page", sealed[:2], page("key-1", nil, 2))
	suite.WantSame(t, "second page", sealed[2:], page("key-1", sealed[1].Digest, 2))
	sealed[0].Sealed, sealed[0].SealKey = []byte("anew"), "key-2"
	late := sealed[0]
	late.Sealed, late.SealKey = []byte("too late"), "key-3"
	for _, token := range []core.Token{sealed[0], late} { // the second one does not have that key any more
		if err := p.a.Reseal(t.Context(), "key-1", []core.Token{token}); err != nil {
			t.Fatal(err)
		}
	}
	suite.WantSame(t, "resealed", sealed[:1], page("key-2", nil, 9))
	suite.WantSame(t, "others", sealed[1:], page("key-1", nil, 9))
	keys, err := p.b.SealKeys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	suite.WantSame(t, "keys", map[string]int64{"key-1": 2, "key-2": 1}, keys)
}
