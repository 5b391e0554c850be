package core_test

import (
	"strings"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
)

// TestRefreshInterval moves an expiry when it would become later by more than the interval.
func TestRefreshInterval(t *testing.T) {
	for name, c := range map[string]struct {
		interval, least time.Duration // least: the shortest time between two writes
	}{
		"default":       {0, core.DefaultRefreshInterval + time.Microsecond},
		"ten minutes":   {10 * time.Minute, 10*time.Minute + time.Microsecond},
		"a second":      {time.Second, time.Second + time.Microsecond},
		"every request": {-1, time.Microsecond},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, true)
			w.user(t, "john")
			p := core.Policy{Issuer: "knox", Realm: core.DefaultRealm, TokenHex: 64, TTL: 10 * time.Hour, Sliding: true, RefreshInterval: c.interval}
			s := w.login(t, p, "john")
			use := func() time.Time {
				t.Helper()
				used, err := w.Authenticate(t.Context(), p, core.Presented(s.Key))
				if err != nil {
					t.Fatal(err)
				}
				return used.Token.ExpiresAt
			}
			w.now = w.now.Add(c.least - time.Microsecond)
			if got := use(); !got.Equal(s.Token.ExpiresAt) {
				t.Errorf("moved by %v after %v", got.Sub(s.Token.ExpiresAt), c.least-time.Microsecond)
			}
			w.now = w.now.Add(time.Microsecond)
			if got := use(); got.Sub(s.Token.ExpiresAt) != c.least {
				t.Errorf("moved by %v after %v", got.Sub(s.Token.ExpiresAt), c.least)
			}
		})
	}
}

// TestMaxTTL uses a token until its expiry moves no more, also through another API.
func TestMaxTTL(t *testing.T) {
	p := core.Policy{Issuer: "knox", Realm: core.DefaultRealm, TokenHex: 64, TTL: 10 * time.Hour, Sliding: true, MaxTTL: 24 * time.Hour}
	for name, used := range map[string]core.Policy{
		"through its own API":     p,
		"through another":         {Issuer: "other", Realm: core.DefaultRealm, TTL: time.Hour},
		"through one that slides": {Issuer: "other", Realm: core.DefaultRealm, TTL: 20 * time.Hour, Sliding: true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, true)
			w.user(t, "john")
			for _, policy := range []core.Policy{p, used} {
				if err := w.AddPolicy(policy); err != nil {
					t.Fatal(err)
				}
			}
			s := w.login(t, p, "john")
			latest := w.now.Add(p.MaxTTL)
			for w.now.Before(latest) {
				got, err := w.Authenticate(t.Context(), used, core.Presented(s.Key))
				if err != nil {
					t.Fatalf("refused %v before its end: %v", latest.Sub(w.now), err)
				}
				if got.Token.ExpiresAt.After(latest) {
					t.Fatalf("ends %v after its last moment", got.Token.ExpiresAt.Sub(latest))
				}
				w.now = w.now.Add(time.Hour)
			}
			wantKind(t, w.check(t, s), core.KindTokenExpired)
		})
	}
}

// TestTokenLimit logs in as often as a policy allows.
func TestTokenLimit(t *testing.T) {
	w := newWorld(t, true)
	w.user(t, "john")
	p := core.Policy{Issuer: "knox", Realm: core.DefaultRealm, TokenHex: 64, TTL: 10 * time.Hour, Limit: 2}
	first := w.login(t, p, "john")
	w.login(t, p, "john")
	_, err := w.Login(t.Context(), p, "john", "secret")
	wantKind(t, err, core.KindTokenLimit)
	_, err = w.Login(t.Context(), p, "john", "wrong")
	wantKind(t, err, core.KindInvalidCredentials)
	if err := w.Logout(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	w.login(t, p, "john")
	w.now = w.now.Add(p.TTL)
	w.login(t, p, "john")
}

// TestTokenPrefix issues tokens whose text begins as the policy says, and finds them by all of
// it.
func TestTokenPrefix(t *testing.T) {
	w := newWorld(t, true)
	w.user(t, "john")
	p := core.Policy{Issuer: "knox", Realm: core.DefaultRealm, TokenHex: 64, Prefix: "kx_", LegacyFormat: core.Knox5}
	s := w.login(t, p, "john")
	digits, ok := strings.CutPrefix(s.Key, "kx_")
	if !ok || len(digits) != p.TokenHex || strings.Trim(digits, "0123456789abcdef") != "" {
		t.Errorf("a token of %d characters that begins with %q", len(s.Key), s.Key[:3])
	}
	if err := w.check(t, s); err != nil {
		t.Error(err)
	}
	_, err := w.Authenticate(t.Context(), p, core.Presented(digits))
	wantKind(t, err, core.KindTokenUnknown)
	for _, format := range []core.LegacyFormat{core.Knox41, core.Knox42} {
		p.LegacyFormat = format
		if err := w.AddPolicy(p); err == nil {
			t.Errorf("%s: a prefix was taken", format)
		}
	}
}

// TestRegisterWithoutToken registers a user for an API that shows no token.
func TestRegisterWithoutToken(t *testing.T) {
	w := newWorld(t, true)
	s, err := w.Register(t.Context(), fixed, core.Registration{Username: "john", Password: "secret", NoToken: true})
	if err != nil || s.User.Username != "john" || s.Key != "" || len(s.Token.Digest) != 0 {
		t.Errorf("%+v, %v", s, err)
	}
	tokens, err := w.store.(core.Admin).Tokens(t.Context(), core.TokenFilter{}, 10)
	if err != nil || len(tokens) != 0 {
		t.Errorf("%d tokens, %v", len(tokens), err)
	}
	w.login(t, fixed, "john")
}

// TestTokenOfAnOlderServer uses a token that no profile issued: whether it slides is for the
// policy through which it is used to say.
func TestTokenOfAnOlderServer(t *testing.T) {
	w := newWorld(t, true)
	w.user(t, "john")
	john, err := w.User(t.Context(), "john")
	if err != nil {
		t.Fatal(err)
	}
	older := core.Token{Digest: core.Presented("key").SHA256(), UserID: john.ID, Realm: core.DefaultRealm, CreatedAt: w.now, ExpiresAt: w.now.Add(10 * time.Hour)}
	if err := w.store.IssueToken(t.Context(), older, "", 0, nil); err != nil {
		t.Fatal(err)
	}
	w.now = w.now.Add(time.Hour)
	p := core.Policy{Issuer: "knox", Realm: core.DefaultRealm, TokenHex: 64, TTL: 10 * time.Hour}
	for _, sliding := range []bool{false, true} {
		p.Sliding = sliding
		s, err := w.Authenticate(t.Context(), p, "key")
		if moved := s.Token.ExpiresAt.After(older.ExpiresAt); moved != sliding || err != nil {
			t.Errorf("sliding %t: ends %v, %v", sliding, s.Token.ExpiresAt, err)
		}
	}
}

// TestMaxUsername limits the names that users get, as they are stored; who has a longer one may change
// what else there is.
func TestMaxUsername(t *testing.T) {
	w := newWorld(t, true)
	p := fixed
	p.MaxUsername, p.NormalizeUsername = 6, true
	long, err := w.CreateUser(t.Context(), core.Policy{}, core.Registration{Username: "imported", Password: "secret"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.UpdateUser(t.Context(), p, long.ID, core.UserUpdate{Email: text("a@example.org")}); err != nil {
		t.Errorf("another address of a user with a long name: %v", err)
	}
	for name, fits := range map[string]bool{"éééééé": true, "ééééééé": false} {
		if _, err := w.UpdateUser(t.Context(), p, long.ID, core.UserUpdate{Username: &name}); fits != (err == nil) || !fits && core.KindOf(err) != core.KindInvalidUser {
			t.Errorf("rename to %q: %v", name, err)
		}
	}
	for name, fits := range map[string]bool{"èèèèèè": true, "èèèèèèè": false, "ﬁﬁﬁ": true, "ﬁﬁﬁﬁ": false} {
		if _, err := w.Register(t.Context(), p, core.Registration{Username: name, Password: "secret"}); fits != (err == nil) || !fits && core.KindOf(err) != core.KindInvalidUser {
			t.Errorf("register %q: %v", name, err)
		}
	}
}
