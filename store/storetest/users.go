package storetest

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
)

func users() []testCase {
	return []testCase{
		{"a user is kept as given", keptAsGiven},
		{"an inactive user is kept inactive", keptInactive},
		{"attributes are kept as given", keptAttributes},
		{"times are kept to the microsecond", keptTimes},
		{"names are compared exactly", exactNames},
		{"a taken name is refused", takenName},
		{"addresses need not differ", sameAddress},
		{"an unknown name is not found", unknownName},
		{"ids differ", differentIDs},
		{"mint's token comes with the user", mintedToken},
		{"mint's error leaves nothing", mintFails},
		{"a token that can't be kept leaves nothing", mintedTokenFails},
		{"ping answers", ping},
	}
}

func keptAsGiven(t *testing.T, p pair) {
	u := core.NewUser{
		Username: "zoë", Email: "Zoë@example.org", PasswordHash: "pbkdf2_sha256$1$Sält$hash=", CreatedAt: noon(),
		Attributes: map[string]string{"first_name": "Zoë"},
	}
	user := p.add(t, u)
	want := core.User{
		ID: user.ID, Username: "zoë", Email: "Zoë@example.org", Active: true, CreatedAt: noon(),
		Attributes: map[string]string{"first_name": "Zoë"},
	}
	wantSame(t, "created user", want, user)
	if user.ID <= 0 {
		t.Errorf("id %d is not positive", user.ID)
	}
	account, err := p.b.Account(t.Context(), "zoë")
	if err != nil {
		t.Fatal(err)
	}
	wantSame(t, "account", core.Account{User: want, PasswordHash: "pbkdf2_sha256$1$Sält$hash="}, account)
}

func keptInactive(t *testing.T, p pair) {
	u := newUser("ann")
	u.Inactive, u.Email = true, ""
	user := p.add(t, u)
	want := core.User{ID: user.ID, Username: "ann", CreatedAt: noon()}
	wantSame(t, "created user", want, user)
	account, err := p.b.Account(t.Context(), "ann")
	if err != nil {
		t.Fatal(err)
	}
	wantSame(t, "account", want, account.User)
}

func keptAttributes(t *testing.T, p pair) {
	tests := []struct {
		name        string
		given, want map[string]string
	}{
		{"none", nil, nil},
		{"empty", map[string]string{}, nil},
		{"many", map[string]string{"location": "Köln", "followers": "17", "bio": ""}, map[string]string{"location": "Köln", "followers": "17", "bio": ""}},
		{"no name", map[string]string{"": "x"}, map[string]string{"": "x"}},
		{
			"marks", map[string]string{`a"b\c`: "<&>'\"\\/\t\r\n\x01\u2028\U0001F600"},
			map[string]string{`a"b\c`: "<&>'\"\\/\t\r\n\x01\u2028\U0001F600"},
		},
		{
			"long", map[string]string{"text": strings.Repeat("é", 20_000)},
			map[string]string{"text": strings.Repeat("é", 20_000)},
		},
	}
	for _, test := range tests {
		u := newUser(test.name)
		u.Attributes = test.given
		user := p.add(t, u)
		wantSame(t, test.name+": created user", test.want, user.Attributes)
		account, err := p.b.Account(t.Context(), test.name)
		if err != nil {
			t.Fatal(err)
		}
		wantSame(t, test.name+": account", test.want, account.Attributes)
		p.issue(t, tokenOf(user, test.name))
		wantFound(t, p.b, test.name, tokenOf(user, test.name), user)
	}
}

func keptTimes(t *testing.T, p pair) {
	berlin := time.FixedZone("berlin", 2*60*60)
	tests := []struct {
		name        string
		given, want time.Time
	}{
		{"whole second", time.Date(2014, 6, 16, 20, 51, 0, 0, time.UTC), time.Date(2014, 6, 16, 20, 51, 0, 0, time.UTC)},
		{"one microsecond", time.Date(2014, 6, 16, 20, 51, 0, 1000, time.UTC), time.Date(2014, 6, 16, 20, 51, 0, 1000, time.UTC)},
		{"last microsecond", time.Date(2014, 12, 31, 23, 59, 59, 999_999_000, time.UTC), time.Date(2014, 12, 31, 23, 59, 59, 999_999_000, time.UTC)},
		{"another zone", time.Date(2014, 6, 16, 22, 51, 0, 5000, berlin), time.Date(2014, 6, 16, 20, 51, 0, 5000, time.UTC)},
		{"before 1970", time.Date(1969, 12, 31, 23, 59, 59, 999_999_000, time.UTC), time.Date(1969, 12, 31, 23, 59, 59, 999_999_000, time.UTC)},
		{"far ahead", time.Date(9999, 12, 31, 23, 59, 59, 999_999_000, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 999_999_000, time.UTC)},
	}
	for _, test := range tests {
		u := newUser(test.name)
		u.CreatedAt = test.given
		user := p.add(t, u)
		wantSame(t, test.name+": created user", test.want, user.CreatedAt)

		token := slidingOf(user, test.name, time.Hour+time.Microsecond)
		token.CreatedAt, token.ExpiresAt = test.given, test.given
		p.issue(t, token)
		token.CreatedAt, token.ExpiresAt = test.want, test.want
		wantFound(t, p.b, test.name, token, user)
	}
}

// alike returns usernames that some comparison or normalization considers equal.
func alike() []string {
	return []string{
		"alice", "Alice", "ALICE", "alice ", " alice", "alic\u00e9", "alice\u0301", "al\u0131ce", "al\u0130ce",
		"ａｌｉｃｅ", "аlice", "straße", "strasse", "STRASSE", "\u212a", "k", "K", "ﬁ", "fi", "%", "_", "a%", "'", `"`, `\`,
		strings.Repeat("\U0001F600", core.MaxUsername), strings.Repeat("\U0001F600", core.MaxUsername-1),
	}
}

func exactNames(t *testing.T, p pair) {
	for _, name := range alike() {
		_, err := p.b.Account(t.Context(), name)
		wantError(t, "account "+name, err, core.ErrNotFound)
		p.add(t, newUser(name))
	}
	for _, name := range alike() {
		account, err := p.b.Account(t.Context(), name)
		if err != nil {
			t.Errorf("account %q: %v", name, err)
			continue
		}
		wantSame(t, "name", name, account.Username)
		wantSame(t, "password of "+name, "hash of "+name, account.PasswordHash)
	}
}

func takenName(t *testing.T, p pair) {
	first := p.add(t, newUser("ann"))
	second := newUser("ann")
	second.Email, second.PasswordHash = "other@example.org", "other"
	user, err := p.b.CreateUser(t.Context(), second, func(core.User) (core.Token, error) {
		return tokenOf(first, "second"), nil
	}, nil)
	wantError(t, "create the same name", err, core.ErrUsernameTaken)
	wantSame(t, "user beside the error", core.User{}, user)
	wantGone(t, p.b, "second")
	account, err := p.a.Account(t.Context(), "ann")
	if err != nil {
		t.Fatal(err)
	}
	wantSame(t, "account", core.Account{User: first, PasswordHash: "hash of ann"}, account)
}

func sameAddress(t *testing.T, p pair) {
	for _, name := range []string{"ann", "bob"} {
		u := newUser(name)
		u.Email = "shared@example.org"
		p.add(t, u)
	}
}

func unknownName(t *testing.T, p pair) {
	p.add(t, newUser("ann"))
	for _, name := range []string{"", "an", "anna", "ann@example.org"} {
		account, err := p.b.Account(t.Context(), name)
		wantError(t, "account "+name, err, core.ErrNotFound)
		wantSame(t, "account beside the error", core.Account{}, account)
	}
}

func differentIDs(t *testing.T, p pair) {
	seen := map[int64]bool{}
	for i, name := range []string{"a", "b", "c", "d"} {
		user, err := p.both(i).CreateUser(t.Context(), newUser(name), nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		if seen[user.ID] {
			t.Errorf("id %d of %q is another user's", user.ID, name)
		}
		seen[user.ID] = true
	}
}

func mintedToken(t *testing.T, p pair) {
	for _, inactive := range []bool{false, true} {
		u := newUser("ann")
		if inactive {
			u = newUser("bob")
		}
		u.Inactive = inactive
		var token core.Token
		var asked core.User
		user, err := p.a.CreateUser(t.Context(), u, func(user core.User) (core.Token, error) {
			asked, token = user, reusableOf(user, "key of "+user.Username, time.Hour)
			return token, nil
		}, nil)
		if err != nil {
			t.Fatal(err)
		}
		wantSame(t, "user that mint was asked for", user, asked)
		wantFound(t, p.b, "key of "+u.Username, token, user)
	}
}

func mintFails(t *testing.T, p pair) {
	refused := errors.New("no key to seal with")
	user, err := p.a.CreateUser(t.Context(), newUser("ann"), func(user core.User) (core.Token, error) {
		return tokenOf(user, "key"), refused
	}, nil)
	wantError(t, "create user", err, refused)
	wantSame(t, "user beside the error", core.User{}, user)
	wantNobody(t, p, "ann")
}

func mintedTokenFails(t *testing.T, p pair) {
	bob := p.add(t, newUser("bob"))
	p.issue(t, tokenOf(bob, "key"))
	_, err := p.a.CreateUser(t.Context(), newUser("ann"), func(user core.User) (core.Token, error) {
		return tokenOf(user, "key"), nil
	}, nil)
	if err == nil {
		t.Error("a second token with one digest was kept")
	}
	wantFound(t, p.b, "key", tokenOf(bob, "key"), bob)
	wantNobody(t, p, "ann")
}

// wantNobody checks that the username is not taken and can be registered.
func wantNobody(t *testing.T, p pair, name string) {
	t.Helper()
	_, err := p.b.Account(t.Context(), name)
	wantError(t, "account "+name, err, core.ErrNotFound)
	if _, err := p.b.CreateUser(t.Context(), newUser(name), nil, nil); err != nil {
		t.Errorf("create user %q: %v", name, err)
	}
}

func ping(t *testing.T, p pair) {
	for i := range 2 {
		if err := p.both(i).Ping(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

func passwords() []testCase {
	return []testCase{
		{"a password is replaced", replaced},
		{"another password than the old one stays", notReplaced},
		{"nobody's password", nobodysPassword},
	}
}

func replaced(t *testing.T, p pair) {
	ann, bob := p.add(t, newUser("ann")), p.add(t, newUser("bob"))
	p.issue(t, tokenOf(ann, "key"))
	if err := p.a.UpdatePassword(t.Context(), ann.ID, "hash of ann", "new hash", false, nil); err != nil {
		t.Fatal(err)
	}
	wantAccount(t, p.b, core.Account{User: ann, PasswordHash: "new hash"})
	wantAccount(t, p.b, core.Account{User: bob, PasswordHash: "hash of bob"})
	wantFound(t, p.b, "key", tokenOf(ann, "key"), ann)
}

func notReplaced(t *testing.T, p pair) {
	ann := p.add(t, newUser("ann"))
	for _, old := range []string{"", "hash of bob", "Hash of ann", "hash of ann ", "hash of an%"} {
		err := p.a.UpdatePassword(t.Context(), ann.ID, old, "new hash", false, nil)
		wantError(t, "update from "+old, err, core.ErrNotFound)
	}
	wantAccount(t, p.b, core.Account{User: ann, PasswordHash: "hash of ann"})
}

func nobodysPassword(t *testing.T, p pair) {
	ann := p.add(t, newUser("ann"))
	err := p.a.UpdatePassword(t.Context(), ann.ID+1, "hash of ann", "new hash", false, nil)
	wantError(t, "update", err, core.ErrNotFound)
	wantAccount(t, p.b, core.Account{User: ann, PasswordHash: "hash of ann"})
}

// wantAccount checks the account with this name.
func wantAccount(t *testing.T, s core.Store, want core.Account) {
	t.Helper()
	account, err := s.Account(t.Context(), want.Username)
	if err != nil {
		t.Errorf("account %q: %v", want.Username, err)
		return
	}
	wantSame(t, "account "+want.Username, want, account)
}
