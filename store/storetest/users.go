package storetest

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/storetest/internal/suite"
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

func keptAsGiven(t *testing.T, p suite.Pair) {
	u := core.NewUser{
		Username: "zoë", Email: "Zoë@example.org", PasswordHash: "pbkdf2_sha256$1$Sält$hash=", CreatedAt: suite.Noon(),
		Attributes: map[string]string{"first_name": "Zoë"},
	}
	user := p.Add(t, u)
	want := core.User{
		ID: user.ID, Username: "zoë", Email: "Zoë@example.org", Active: true, CreatedAt: suite.Noon(),
		Attributes: map[string]string{"first_name": "Zoë"},
	}
	suite.WantSame(t, "created user", want, user)
	if user.ID <= 0 {
		t.Errorf("id %d is not positive", user.ID)
	}
	account, err := p.B.Account(t.Context(), "zoë")
	if err != nil {
		t.Fatal(err)
	}
	suite.WantSame(t, "account", core.Account{User: want, PasswordHash: "pbkdf2_sha256$1$Sält$hash="}, account)
}

func keptInactive(t *testing.T, p suite.Pair) {
	u := suite.NewUser("ann")
	u.Inactive, u.Email = true, ""
	user := p.Add(t, u)
	want := core.User{ID: user.ID, Username: "ann", CreatedAt: suite.Noon()}
	suite.WantSame(t, "created user", want, user)
	account, err := p.B.Account(t.Context(), "ann")
	if err != nil {
		t.Fatal(err)
	}
	suite.WantSame(t, "account", want, account.User)
}

func keptAttributes(t *testing.T, p suite.Pair) {
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
		u := suite.NewUser(test.name)
		u.Attributes = test.given
		user := p.Add(t, u)
		suite.WantSame(t, test.name+": created user", test.want, user.Attributes)
		account, err := p.B.Account(t.Context(), test.name)
		if err != nil {
			t.Fatal(err)
		}
		suite.WantSame(t, test.name+": account", test.want, account.Attributes)
		p.Issue(t, suite.TokenOf(user, test.name))
		suite.WantFound(t, p.B, test.name, suite.TokenOf(user, test.name), user)
	}
}

func keptTimes(t *testing.T, p suite.Pair) {
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
		u := suite.NewUser(test.name)
		u.CreatedAt = test.given
		user := p.Add(t, u)
		suite.WantSame(t, test.name+": created user", test.want, user.CreatedAt)

		token := suite.SlidingOf(user, test.name, time.Hour+time.Microsecond)
		token.CreatedAt, token.ExpiresAt = test.given, test.given
		p.Issue(t, token)
		token.CreatedAt, token.ExpiresAt = test.want, test.want
		suite.WantFound(t, p.B, test.name, token, user)
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

func exactNames(t *testing.T, p suite.Pair) {
	for _, name := range alike() {
		_, err := p.B.Account(t.Context(), name)
		suite.WantError(t, "account "+name, err, core.ErrNotFound)
		p.Add(t, suite.NewUser(name))
	}
	for _, name := range alike() {
		account, err := p.B.Account(t.Context(), name)
		if err != nil {
			t.Errorf("account %q: %v", name, err)
			continue
		}
		suite.WantSame(t, "name", name, account.Username)
		suite.WantSame(t, "password of "+name, "hash of "+name, account.PasswordHash)
	}
}

func takenName(t *testing.T, p suite.Pair) {
	first := p.Add(t, suite.NewUser("ann"))
	second := suite.NewUser("ann")
	second.Email, second.PasswordHash = "other@example.org", "other"
	user, err := p.B.CreateUser(t.Context(), second, func(core.User) (core.Token, error) {
		return suite.TokenOf(first, "second"), nil
	}, nil)
	suite.WantError(t, "create the same name", err, core.ErrUsernameTaken)
	suite.WantSame(t, "user beside the error", core.User{}, user)
	suite.WantGone(t, p.B, "second")
	account, err := p.A.Account(t.Context(), "ann")
	if err != nil {
		t.Fatal(err)
	}
	suite.WantSame(t, "account", core.Account{User: first, PasswordHash: "hash of ann"}, account)
}

func sameAddress(t *testing.T, p suite.Pair) {
	for _, name := range []string{"ann", "bob"} {
		u := suite.NewUser(name)
		u.Email = "shared@example.org"
		p.Add(t, u)
	}
}

func unknownName(t *testing.T, p suite.Pair) {
	p.Add(t, suite.NewUser("ann"))
	for _, name := range []string{"", "an", "anna", "ann@example.org"} {
		account, err := p.B.Account(t.Context(), name)
		suite.WantError(t, "account "+name, err, core.ErrNotFound)
		suite.WantSame(t, "account beside the error", core.Account{}, account)
	}
}

func differentIDs(t *testing.T, p suite.Pair) {
	seen := map[int64]bool{}
	for i, name := range []string{"a", "b", "c", "d"} {
		user, err := p.Of(i).CreateUser(t.Context(), suite.NewUser(name), nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		if seen[user.ID] {
			t.Errorf("id %d of %q is another user's", user.ID, name)
		}
		seen[user.ID] = true
	}
}

func mintedToken(t *testing.T, p suite.Pair) {
	for _, inactive := range []bool{false, true} {
		u := suite.NewUser("ann")
		if inactive {
			u = suite.NewUser("bob")
		}
		u.Inactive = inactive
		var token core.Token
		var asked core.User
		user, err := p.A.CreateUser(t.Context(), u, func(user core.User) (core.Token, error) {
			asked, token = user, suite.ReusableOf(user, "key of "+user.Username, time.Hour)
			return token, nil
		}, nil)
		if err != nil {
			t.Fatal(err)
		}
		suite.WantSame(t, "user that mint was asked for", user, asked)
		suite.WantFound(t, p.B, "key of "+u.Username, token, user)
	}
}

func mintFails(t *testing.T, p suite.Pair) {
	refused := errors.New("no key to seal with")
	user, err := p.A.CreateUser(t.Context(), suite.NewUser("ann"), func(user core.User) (core.Token, error) {
		return suite.TokenOf(user, "key"), refused
	}, nil)
	suite.WantError(t, "create user", err, refused)
	suite.WantSame(t, "user beside the error", core.User{}, user)
	suite.WantNobody(t, p, "ann")
}

func mintedTokenFails(t *testing.T, p suite.Pair) {
	bob := p.Add(t, suite.NewUser("bob"))
	p.Issue(t, suite.TokenOf(bob, "key"))
	_, err := p.A.CreateUser(t.Context(), suite.NewUser("ann"), func(user core.User) (core.Token, error) {
		return suite.TokenOf(user, "key"), nil
	}, nil)
	if err == nil {
		t.Error("a second token with one digest was kept")
	}
	suite.WantFound(t, p.B, "key", suite.TokenOf(bob, "key"), bob)
	suite.WantNobody(t, p, "ann")
}

func ping(t *testing.T, p suite.Pair) {
	for i := range 2 {
		if err := p.Of(i).Ping(t.Context()); err != nil {
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

func replaced(t *testing.T, p suite.Pair) {
	ann, bob := p.Add(t, suite.NewUser("ann")), p.Add(t, suite.NewUser("bob"))
	p.Issue(t, suite.TokenOf(ann, "key"))
	if err := p.A.UpdatePassword(t.Context(), ann.ID, "hash of ann", "new hash", false, nil); err != nil {
		t.Fatal(err)
	}
	suite.WantAccount(t, p.B, core.Account{User: ann, PasswordHash: "new hash"})
	suite.WantAccount(t, p.B, core.Account{User: bob, PasswordHash: "hash of bob"})
	suite.WantFound(t, p.B, "key", suite.TokenOf(ann, "key"), ann)
}

func notReplaced(t *testing.T, p suite.Pair) {
	ann := p.Add(t, suite.NewUser("ann"))
	for _, old := range []string{"", "hash of bob", "Hash of ann", "hash of ann ", "hash of an%"} {
		err := p.A.UpdatePassword(t.Context(), ann.ID, old, "new hash", false, nil)
		suite.WantError(t, "update from "+old, err, core.ErrNotFound)
	}
	suite.WantAccount(t, p.B, core.Account{User: ann, PasswordHash: "hash of ann"})
}

func nobodysPassword(t *testing.T, p suite.Pair) {
	ann := p.Add(t, suite.NewUser("ann"))
	err := p.A.UpdatePassword(t.Context(), ann.ID+1, "hash of ann", "new hash", false, nil)
	suite.WantError(t, "update", err, core.ErrNotFound)
	suite.WantAccount(t, p.B, core.Account{User: ann, PasswordHash: "hash of ann"})
}
