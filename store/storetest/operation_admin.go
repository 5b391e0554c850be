package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
)

func privacy() []operationCase {
	return []operationCase{
		{"the key is drawn once", databaseKey},
		{"passwords are counted by their parameters", passwordMix},
	}
}

func operatedUsers() []operationCase {
	return []operationCase{
		{"pages of users", userPages},
		{"an inactive user keeps the tokens", setActive},
		{"a deleted user has no tokens", deleteUser},
	}
}

func operatedTokens() []operationCase {
	return []operationCase{
		{"pages of tokens", tokenPages},
		{"live tokens are counted", countTokens},
		{"what ended is purged in batches", purgeTokens},
		{"all tokens are revoked in batches", revokeTokens},
		{"tokens created before a time are revoked", revokeOldTokens},
		{"sealed tokens are sealed anew", reseal},
	}
}

func databaseKey(t *testing.T, p operables) {
	drawn := func(b byte) func() ([]byte, error) {
		return func() ([]byte, error) { return bytes.Repeat([]byte{b}, core.DatabaseKeySize), nil }
	}
	failure := errors.New("no randomness")
	_, err := p.a.DatabaseKey(t.Context(), func() ([]byte, error) { return nil, failure })
	wantError(t, "key", err, failure)
	keys := make([][]byte, 8)
	together(len(keys), func(i int) {
		var err error
		if keys[i], err = p.of(i).DatabaseKey(t.Context(), drawn(byte(i))); err != nil {
			t.Error(err)
		}
	})
	for _, key := range keys {
		wantSame(t, "key", keys[0], key)
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
		u := newUser(fmt.Sprint("user ", n))
		u.PasswordHash = hash
		p.add(t, u)
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
				wantSame(t, prefix, count, g.Accounts)
				delete(want, prefix)
			}
		}
	}
	if len(want) > 0 {
		t.Errorf("not counted: %v", want)
	}
	wantSame(t, "accounts with a password", n-1, total)
	wantSame(t, "groups", 8+2+2, len(mix))
}

func userPages(t *testing.T, p operables) {
	ann, bob, eve := p.add(t, newUser("ann")), p.add(t, newUser("bob")), newUser("eve")
	eve.Inactive, eve.Attributes = true, map[string]string{"location": "here"}
	inactive := p.add(t, eve)
	page := func(f core.UserFilter, limit int) []core.User {
		users, err := p.b.Users(t.Context(), f, limit)
		if err != nil {
			t.Fatal(err)
		}
		return users
	}
	wantSame(t, "first page", []core.User{ann, bob}, page(core.UserFilter{}, 2))
	wantSame(t, "second page", []core.User{inactive}, page(core.UserFilter{After: bob.ID}, 2))
	wantSame(t, "inactive ones", []core.User{inactive}, page(core.UserFilter{Inactive: true}, 9))
	wantSame(t, "none", 0, len(page(core.UserFilter{After: inactive.ID}, 9)))
}

func setActive(t *testing.T, p operables) {
	ann := p.add(t, newUser("ann"))
	p.issue(t, tokenOf(ann, "key"))
	for _, active := range []bool{false, true} {
		if err := p.a.SetActive(t.Context(), ann.ID, active, nil); err != nil {
			t.Fatal(err)
		}
		ann.Active = active
		wantFound(t, p.a, "key", tokenOf(ann, "key"), ann)
		wantFound(t, p.b, "key", tokenOf(ann, "key"), ann)
	}
	wantError(t, "nobody", p.a.SetActive(t.Context(), ann.ID+1, true, nil), core.ErrNotFound)
}

func deleteUser(t *testing.T, p operables) {
	ann, bob := p.add(t, newUser("ann")), p.add(t, newUser("bob"))
	p.issue(t, tokenOf(ann, "ann's"))
	p.issue(t, tokenOf(bob, "bob's"))
	wantFound(t, p.b, "ann's", tokenOf(ann, "ann's"), ann)
	if err := p.a.DeleteUser(t.Context(), ann.ID, nil); err != nil {
		t.Fatal(err)
	}
	wantGone(t, p.a, "ann's")
	wantGone(t, p.b, "ann's")
	wantNobody(t, p.pair, "ann")
	wantFound(t, p.b, "bob's", tokenOf(bob, "bob's"), bob)
	wantError(t, "again", p.b.DeleteUser(t.Context(), ann.ID, nil), core.ErrNotFound)
}

func tokenPages(t *testing.T, p operables) {
	ann, bob := p.add(t, newUser("ann")), p.add(t, newUser("bob"))
	all := []core.Token{tokenOf(ann, "1"), reusableOf(ann, "2", time.Hour), tokenOf(bob, "3")}
	for i, digest := range []string{"aaaa", "abbb", "b"} {
		all[i].Digest = core.Digest(digest)
		p.issue(t, all[i])
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
		wantSame(t, test.name, test.want, got)
	}
}

func countTokens(t *testing.T, p operables) {
	ann := p.add(t, newUser("ann"))
	p.issue(t, tokenOf(ann, "for ever"))
	p.issue(t, slidingOf(ann, "hour", time.Hour))
	for after, want := range map[time.Duration]int64{0: 2, time.Hour: 1, 2 * time.Hour: 1} {
		live, err := p.b.CountTokens(t.Context(), noon().Add(after))
		if err != nil || live != want {
			t.Errorf("after %v: %d live, %v, want %d", after, live, err, want)
		}
	}
}

func purgeTokens(t *testing.T, p operables) {
	ann := p.add(t, newUser("ann"))
	p.issue(t, tokenOf(ann, "for ever"))
	for i, key := range []string{"a", "b", "c", "d"} {
		token := slidingOf(ann, key, time.Duration(i)*time.Hour)
		if key == "b" {
			token.Issuer = "another"
		}
		p.issue(t, token)
	}
	purge := func(want int, before time.Duration, limit int, issuers ...string) {
		t.Helper()
		n, err := p.a.PurgeTokens(t.Context(), noon().Add(before), issuers, limit)
		if err != nil || n != want {
			t.Errorf("purged %d, %v, want %d", n, err, want)
		}
	}
	purge(0, 0, 9)
	purge(0, 9*time.Hour, 9, "nobody's")
	purge(1, 9*time.Hour, 1, "another", "nobody's")
	wantGone(t, p.b, "b")
	purge(1, 90*time.Minute, 9)
	wantGone(t, p.b, "a")
	purge(1, 9*time.Hour, 1)
	purge(1, 9*time.Hour, 9)
	wantFound(t, p.b, "for ever", tokenOf(ann, "for ever"), ann)
}

func revokeTokens(t *testing.T, p operables) {
	ann, bob := p.add(t, newUser("ann")), p.add(t, newUser("bob"))
	for i, u := range []core.User{ann, bob, ann} {
		token := tokenOf(u, fmt.Sprint(i))
		token.Digest, token.Realm = core.Digest{byte(i)}, fmt.Sprint("realm ", i)
		p.issue(t, token)
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
	wantSame(t, "entries", 1, len(p.entries(t, core.AuditFilter{Action: core.ActionRevokeTokens})))
}

func revokeOldTokens(t *testing.T, p operables) {
	ann := p.add(t, newUser("ann"))
	for key, age := range map[string]time.Duration{"older": time.Hour, "as old": 0, "younger": -time.Hour} {
		token := tokenOf(ann, key)
		token.CreatedAt = noon().Add(-age)
		p.issue(t, token)
		wantFound(t, p.b, key, token, ann)
	}
	if n, _, err := p.a.RevokeTokens(t.Context(), noon(), nil, 9, nil); err != nil || n != 1 {
		t.Errorf("revoked %d, %v, want 1", n, err)
	}
	wantGone(t, p.b, "older")
	wantFound(t, p.b, "as old", tokenOf(ann, "as old"), ann)
}

func reseal(t *testing.T, p operables) {
	ann := p.add(t, newUser("ann"))
	p.issue(t, tokenOf(ann, "not sealed"))
	sealed := make([]core.Token, 3)
	for i := range sealed {
		u := p.add(t, newUser(fmt.Sprint("user ", i)))
		sealed[i] = reusableOf(u, fmt.Sprint("key ", i), time.Hour)
		sealed[i].Digest = core.Digest{byte(i)}
		p.issue(t, sealed[i])
	}
	page := func(key string, after core.Digest, limit int) []core.Token {
		tokens, err := p.b.SealedTokens(t.Context(), key, after, limit)
		if err != nil {
			t.Fatal(err)
		}
		return tokens
	}
	wantSame(t, "first page", sealed[:2], page("key-1", nil, 2))
	wantSame(t, "second page", sealed[2:], page("key-1", sealed[1].Digest, 2))
	sealed[0].Sealed, sealed[0].SealKey = []byte("anew"), "key-2"
	late := sealed[0]
	late.Sealed, late.SealKey = []byte("too late"), "key-3"
	for _, token := range []core.Token{sealed[0], late} { // the second one does not have that key any more
		if err := p.a.Reseal(t.Context(), "key-1", []core.Token{token}); err != nil {
			t.Fatal(err)
		}
	}
	wantSame(t, "resealed", sealed[:1], page("key-2", nil, 9))
	wantSame(t, "others", sealed[1:], page("key-1", nil, 9))
	keys, err := p.b.SealKeys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	wantSame(t, "keys", map[string]int64{"key-1": 2, "key-2": 1}, keys)
}
