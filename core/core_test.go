package core_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/hashing"
	"github.com/authcompat/authcompat/core/sealing"
	"github.com/authcompat/authcompat/store/sqlite/sqlitetest"
)

// world is an engine on a real store, with a clock that the test controls.
type world struct {
	*core.Service
	store core.Store
	now   time.Time
	log   strings.Builder
}

// policies are those that the APIs' documents specify.
var (
	reusing = core.Policy{Issuer: "reusing", Realm: core.DefaultRealm, TokenHex: 40, TTL: 15 * 24 * time.Hour, Sliding: true, Reuse: true}
	fixed   = core.Policy{Issuer: "fixed", Realm: core.DefaultRealm, TokenHex: 64, TTL: 10 * time.Hour}
	forever = core.Policy{Issuer: "forever", Realm: core.DefaultRealm, TokenHex: 40}
)

func newWorld(t *testing.T, withKey bool) *world {
	t.Helper()
	hasher, err := hashing.NewDjangoHasher(1)
	if err != nil {
		t.Fatal(err)
	}
	var sealer sealing.Sealer
	if withKey {
		if sealer, err = sealing.NewSealer(make([]byte, sealing.KeySize)); err != nil {
			t.Fatal(err)
		}
	}
	w := &world{store: sqlitetest.MustOpen(t), now: time.Date(2026, 1, 2, 3, 4, 5, 678901000, time.UTC)}
	w.Service = core.New(core.Config{
		Backend: core.Backend{Store: w.store, Accounts: w.store.(core.AccountStore)}, Hasher: hasher, Sealer: sealer,
		Clock: func() time.Time { return w.now },
		Log:   slog.New(slog.NewTextHandler(&w.log, nil)),
	})
	return w
}

func (w *world) user(t *testing.T, name string) {
	t.Helper()
	if _, err := w.CreateUser(t.Context(), core.Policy{}, core.Registration{Username: name, Password: "secret"}); err != nil {
		t.Fatal(err)
	}
}

func (w *world) login(t *testing.T, p core.Policy, name string) core.Session {
	t.Helper()
	s, err := w.Login(t.Context(), p, name, "secret")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func wantKind(t *testing.T, err error, want core.Kind) {
	t.Helper()
	if err == nil || core.KindOf(err) != want {
		t.Errorf("error %v, want %v", err, want)
	}
}

func (w *world) check(t *testing.T, s core.Session) error {
	t.Helper()
	_, err := w.Authenticate(t.Context(), core.Policy{Realm: core.DefaultRealm}, core.Presented(s.Key))
	return err
}

func TestTokenLengthAndRandomness(t *testing.T) {
	w := newWorld(t, true)
	w.user(t, "john")
	for _, p := range []core.Policy{reusing, fixed, forever} {
		s := w.login(t, p, "john")
		if len(s.Key) != p.TokenHex || strings.Trim(s.Key, "0123456789abcdef") != "" {
			t.Errorf("%s: key of %d characters, want %d hex digits", p.Issuer, len(s.Key), p.TokenHex)
		}
		if err := w.check(t, s); err != nil {
			t.Errorf("%s: own token refused: %v", p.Issuer, err)
		}
	}
	seen := make([]map[byte]bool, fixed.TokenHex)
	for range 64 {
		for i, digit := range []byte(w.login(t, fixed, "john").Key) {
			if seen[i] == nil {
				seen[i] = make(map[byte]bool)
			}
			seen[i][digit] = true
		}
	}
	for i, digits := range seen {
		if len(digits) < 8 {
			t.Errorf("digit %d of 64 tokens has %d values", i, len(digits))
		}
	}
}

func TestReuseShowsTheLiveTokenAndMovesItsEnd(t *testing.T) {
	w := newWorld(t, true)
	w.user(t, "john")
	first := w.login(t, reusing, "john")
	w.now = w.now.Add(24 * time.Hour)
	again := w.login(t, reusing, "john")
	if again.Key != first.Key {
		t.Error("the live token was not shown again")
	}
	if want := w.now.Add(reusing.TTL).Truncate(time.Microsecond); !again.Token.ExpiresAt.Equal(want) {
		t.Errorf("ends %v, want %v", again.Token.ExpiresAt, want)
	}
	w.now = w.now.Add(reusing.TTL)
	wantKind(t, w.check(t, first), core.KindTokenExpired)
	fresh := w.login(t, reusing, "john")
	if fresh.Key == first.Key {
		t.Error("an expired token was shown again")
	}
	wantKind(t, w.check(t, first), core.KindTokenExpired)
	if err := w.Logout(t.Context(), fresh); err != nil {
		t.Fatal(err)
	}
	wantKind(t, w.check(t, fresh), core.KindTokenUnknown)
	if w.login(t, reusing, "john").Key == fresh.Key {
		t.Error("a logged-out token was shown again")
	}
}

func TestSlidingMovesAtMostOnceAMinute(t *testing.T) {
	w := newWorld(t, true)
	w.user(t, "john")
	s := w.login(t, reusing, "john")
	stored := func() time.Time {
		token, _, err := w.store.FindToken(t.Context(), core.DefaultRealm, core.Presented(s.Key))
		if err != nil {
			t.Fatal(err)
		}
		return token.ExpiresAt
	}
	issued := stored()
	w.now = w.now.Add(core.DefaultRefreshInterval)
	if err := w.check(t, s); err != nil {
		t.Fatal(err)
	}
	if !stored().Equal(issued) {
		t.Error("moved within a minute")
	}
	w.now = w.now.Add(time.Microsecond)
	if err := w.check(t, s); err != nil {
		t.Fatal(err)
	}
	if got := stored().Sub(issued); got != core.DefaultRefreshInterval+time.Microsecond {
		t.Errorf("moved by %v, want a microsecond more than %v", got, core.DefaultRefreshInterval)
	}
	w.now = w.now.Add(reusing.TTL - time.Microsecond)
	if err := w.check(t, s); err != nil {
		t.Errorf("a token that is used was refused within its time: %v", err)
	}
}

func TestFixedExpiry(t *testing.T) {
	w := newWorld(t, false)
	w.user(t, "john")
	s := w.login(t, fixed, "john")
	w.now = w.now.Add(fixed.TTL - time.Microsecond)
	if err := w.check(t, s); err != nil {
		t.Errorf("refused before its end: %v", err)
	}
	w.now = w.now.Add(time.Microsecond)
	wantKind(t, w.check(t, s), core.KindTokenExpired)
}

func TestForeverAndRealms(t *testing.T) {
	w := newWorld(t, false)
	w.user(t, "john")
	s := w.login(t, forever, "john")
	if !s.Token.ExpiresAt.IsZero() {
		t.Error("a token without TTL ends")
	}
	w.now = w.now.AddDate(100, 0, 0)
	if err := w.check(t, s); err != nil {
		t.Error(err)
	}
	_, err := w.Authenticate(t.Context(), core.Policy{Realm: "other"}, core.Presented(s.Key))
	wantKind(t, err, core.KindTokenUnknown)
}

func TestLogoutAllEndsTheRealmsTokensOfOneUser(t *testing.T) {
	w := newWorld(t, true)
	w.user(t, "john")
	w.user(t, "jane")
	johns := []core.Session{w.login(t, fixed, "john"), w.login(t, reusing, "john"), w.login(t, forever, "john")}
	janes := w.login(t, fixed, "jane")
	elsewhere := w.login(t, core.Policy{Issuer: "fixed", Realm: "other", TokenHex: 40}, "john")
	if err := w.LogoutAll(t.Context(), johns[0]); err != nil {
		t.Fatal(err)
	}
	for _, s := range johns {
		wantKind(t, w.check(t, s), core.KindTokenUnknown)
	}
	if err := w.check(t, janes); err != nil {
		t.Errorf("another user's token went too: %v", err)
	}
	if _, err := w.Authenticate(t.Context(), core.Policy{Realm: "other"}, core.Presented(elsewhere.Key)); err != nil {
		t.Errorf("another realm's token went too: %v", err)
	}
	wantKind(t, w.Logout(t.Context(), johns[1]), core.KindTokenUnknown)
	last := w.login(t, fixed, "john")
	if err := w.LogoutAll(t.Context(), elsewhere); err != nil {
		t.Fatal(err)
	}
	_, err := w.Authenticate(t.Context(), core.Policy{Realm: "other"}, core.Presented(elsewhere.Key))
	wantKind(t, err, core.KindTokenUnknown)
	if err := w.check(t, last); err != nil {
		t.Errorf("a logout in another realm ended a token of this one: %v", err)
	}
}

func TestLoginFailures(t *testing.T) {
	w := newWorld(t, true)
	w.user(t, "john")
	for _, r := range []core.Registration{
		{Username: "ghost", Password: "secret", Inactive: true},
		{Username: "locked", NoPassword: true},
	} {
		if _, err := w.CreateUser(t.Context(), core.Policy{}, r); err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct {
		name, username, password string
		want                     core.Kind
	}{
		{"wrong password", "john", "nope", core.KindInvalidCredentials},
		{"empty password", "john", "", core.KindInvalidCredentials},
		{"other case", "John", "secret", core.KindInvalidCredentials},
		{"unknown", "nobody", "secret", core.KindInvalidCredentials},
		{"no name", "", "secret", core.KindInvalidCredentials},
		{"NUL", "jo\x00hn", "secret", core.KindInvalidCredentials},
		{"no text", "jo\xffhn", "secret", core.KindInvalidCredentials},
		{"inactive", "ghost", "secret", core.KindUserInactive},
		{"inactive, wrong password", "ghost", "nope", core.KindInvalidCredentials},
		{"unusable password", "locked", "", core.KindInvalidCredentials},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := w.Login(t.Context(), reusing, tt.username, tt.password)
			wantKind(t, err, tt.want)
		})
	}
}

// TestTokensOfADisabledUser checks that a user's tokens rest while the user is inactive.
func TestTokensOfADisabledUser(t *testing.T) {
	w := newWorld(t, true)
	w.user(t, "john")
	s := w.login(t, fixed, "john")
	admin := w.store.(core.Admin)
	if err := w.SetActive(t.Context(), admin, s.User, false); err != nil {
		t.Fatal(err)
	}
	wantKind(t, w.check(t, s), core.KindUserInactive)
	if err := w.SetActive(t.Context(), admin, s.User, true); err != nil {
		t.Fatal(err)
	}
	if err := w.check(t, s); err != nil {
		t.Errorf("active again: %v", err)
	}
}

func TestRegisterRefusals(t *testing.T) {
	w := newWorld(t, true)
	w.user(t, "john")
	nfkc := core.Policy{Issuer: "x", Realm: core.DefaultRealm, TokenHex: 40, NormalizeUsername: true, NormalizeEmail: true}
	tests := []struct {
		name string
		r    core.Registration
		want core.Kind
	}{
		{"taken", core.Registration{Username: "john"}, core.KindUsernameTaken},
		{"a twin in another spelling", core.Registration{Username: "ｊｏｈｎ"}, core.KindUsernameTaken},
		{"empty", core.Registration{}, core.KindInvalidUser},
		{"too long", core.Registration{Username: strings.Repeat("é", core.MaxUsername+1)}, core.KindInvalidUser},
		{"NUL", core.Registration{Username: "a\x00"}, core.KindInvalidUser},
		{"no text", core.Registration{Username: "\xed\xa0\x80"}, core.KindInvalidUser},
		{"no text in the address", core.Registration{Username: "a", Email: "\xff@x"}, core.KindInvalidUser},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := w.Register(t.Context(), nfkc, tt.r)
			wantKind(t, err, tt.want)
		})
	}
	s, err := w.Register(t.Context(), nfkc, core.Registration{Username: "ﬁsh", Email: " Fish@EXAMPLE.Com ", Password: "p\x00q"})
	if err != nil {
		t.Fatal(err)
	}
	if s.User.Username != "fish" || s.User.Email != "Fish@example.com" {
		t.Errorf("stored %q, %q", s.User.Username, s.User.Email)
	}
	if _, err := w.Login(t.Context(), nfkc, "fish", "p\x00q"); err != nil {
		t.Errorf("password with NUL: %v", err)
	}
	longest := strings.Repeat("é", 242) + "@example.com"
	if s, err := w.Register(t.Context(), nfkc, core.Registration{Username: longest, Password: "x"}); err != nil || s.User.Username != longest {
		t.Errorf("a name of 254 characters: %v", err)
	}
}

func TestWithoutItsKeyAReusedTokenFailsClosed(t *testing.T) {
	w := newWorld(t, false)
	w.user(t, "john")
	_, err := w.Login(t.Context(), reusing, "john", "secret")
	wantKind(t, err, core.KindUnavailable)
	if !errors.Is(err, sealing.ErrNoKey) {
		t.Errorf("cause %v, want ErrNoKey", err)
	}
	if !strings.Contains(w.log.String(), "AUTHCOMPAT_SECRET_KEY") {
		t.Error("the log does not say what to do")
	}
	if _, err := w.Register(t.Context(), reusing, core.Registration{Username: "new", Password: "x"}); core.KindOf(err) != core.KindUnavailable {
		t.Errorf("register: %v", err)
	}
	if _, err := w.User(t.Context(), "new"); core.KindOf(err) != core.KindUserUnknown {
		t.Error("the user was made without its token")
	}
}

func TestEndedContext(t *testing.T) {
	w := newWorld(t, true)
	w.user(t, "john")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := w.Login(ctx, fixed, "john", "secret")
	wantKind(t, err, core.KindCanceled)
	_, err = w.Authenticate(ctx, core.Policy{Realm: core.DefaultRealm}, "x")
	wantKind(t, err, core.KindCanceled)
}

func TestErrorsHoldNoSecret(t *testing.T) {
	for _, text := range []string{"c2VjcmV0", "not base64!", ""} {
		if _, err := sealing.ParseKeys(text); err == nil || text != "" && strings.Contains(err.Error(), text) {
			t.Errorf("ParseKeys: %v", err)
		}
	}
}

// TestOwner finds whose a token is, and leaves its expiry as it is.
func TestOwner(t *testing.T) {
	w := newWorld(t, true)
	w.user(t, "john")
	s := w.login(t, reusing, "john")
	owner := func(realm string) (core.User, error) { return w.Owner(t.Context(), realm, core.Presented(s.Key)) }
	issued := s.Token.ExpiresAt
	w.now = w.now.Add(core.DefaultRefreshInterval)
	if u, err := owner(core.DefaultRealm); u.Username != "john" || err != nil {
		t.Errorf("%q, %v", u.Username, err)
	}
	if token, _, err := w.store.FindToken(t.Context(), core.DefaultRealm, core.Presented(s.Key)); err != nil || !token.ExpiresAt.Equal(issued) {
		t.Errorf("its expiry moved from %v to %v, %v", issued, token.ExpiresAt, err)
	}
	_, err := owner("another")
	wantKind(t, err, core.KindTokenUnknown)
	if err := w.SetActive(t.Context(), w.store.(core.Admin), s.User, false); err != nil {
		t.Fatal(err)
	}
	u, err := owner(core.DefaultRealm)
	wantKind(t, err, core.KindUserInactive)
	w.now = issued
	if _, err = owner(core.DefaultRealm); u.Username != "" {
		t.Errorf("a disabled user is told: %q", u.Username)
	}
	wantKind(t, err, core.KindTokenExpired)
}
