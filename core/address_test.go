package core_test

import (
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/hashing"
)

// newVerifier is a world in which users verify their addresses.
func newVerifier(t *testing.T) (*world, core.Policy) {
	t.Helper()
	w := newWorld(t, true)
	backend := w.store.(interface{ Backend() core.Backend }).Backend()
	hasher, err := hashing.NewDjangoHasher(1)
	if err != nil {
		t.Fatal(err)
	}
	w.Service = core.New(core.Config{Backend: backend, Hasher: hasher, Clock: func() time.Time { return w.now }})
	p := core.Policy{Issuer: "api", Realm: core.DefaultRealm, TokenHex: 40, EmailVerification: core.EmailVerificationMandatory}
	if err := w.AddPolicy(p); err != nil {
		t.Fatal(err)
	}
	return w, p
}

// addressOf is the only address that the store keeps of a user.
func (w *world) addressOf(t *testing.T, userID int64) core.Address {
	t.Helper()
	found, err := w.store.(interface{ Backend() core.Backend }).Backend().Addresses.Addresses(t.Context(), core.AddressFilter{UserID: userID}, 9)
	if err != nil || len(found) != 1 {
		t.Fatalf("%+v, %v", found, err)
	}
	return found[0]
}

// TestVerifyEmail holds that nobody logs in before, that a key is good once and for three days, and what is recorded.
func TestVerifyEmail(t *testing.T) {
	w, p := newVerifier(t)
	ann := w.registered(t, p, core.Registration{Username: "ann", Email: "ann@example.org", NoToken: true}).User
	_, err := w.Login(t.Context(), p, "ann", "secret")
	wantKind(t, err, core.KindEmailUnverified)
	_, err = w.Login(t.Context(), p, "ann", "wrong")
	wantKind(t, err, core.KindInvalidCredentials)
	id := w.addressOf(t, ann.ID).ID
	for _, key := range []string{"", "x", links.MakeEmailKey(id+1, w.now), links.MakeEmailKey(id, w.now.Add(-73*time.Hour))} {
		wantKind(t, w.VerifyEmail(t.Context(), p, links, key), core.KindInvalidCredentials)
	}
	key := links.MakeEmailKey(id, w.now)
	if err := w.VerifyEmail(t.Context(), p, links, key); err != nil {
		t.Fatal(err)
	}
	wantKind(t, w.VerifyEmail(t.Context(), p, links, key), core.KindInvalidCredentials)
	if s := w.login(t, p, "ann"); s.Key == "" {
		t.Error("no token")
	}
	entries, err := w.store.(core.Auditor).AuditEntries(t.Context(), core.AuditFilter{Action: core.ActionVerifyEmail}, 9)
	if err != nil || len(entries) != 1 || entries[0].Username != "ann" || entries[0].UserID != ann.ID || entries[0].Profile != "api" {
		t.Errorf("%+v, %v", entries, err)
	}
	// Of two users with one address, who has verified it has.
	w.registered(t, p, core.Registration{Username: "eve", Email: "ann@example.org", NoToken: true})
	_, err = w.Login(t.Context(), p, "eve", "secret")
	wantKind(t, err, core.KindEmailUnverified)
	if _, err := w.UpdateUser(t.Context(), p, ann.ID, core.UserUpdate{Email: text("new@example.org")}); err != nil {
		t.Fatal(err)
	}
	_, err = w.Login(t.Context(), p, "ann", "secret")
	wantKind(t, err, core.KindEmailUnverified)
	// Another API, which does not ask, makes a user whom nobody asks to verify anything.
	bob := w.registered(t, core.Policy{Issuer: "other", Realm: core.DefaultRealm, TokenHex: 40}, core.Registration{Username: "bob", Email: "bob@example.org"}).User
	_, err = w.Login(t.Context(), p, "bob", "secret")
	wantKind(t, err, core.KindEmailUnverified)
	if bob.ID == ann.ID {
		t.Error("one user")
	}
}

// TestVerificationNeedsAStore holds that an API which asks for verified addresses is refused where none are kept.
func TestVerificationNeedsAStore(t *testing.T) {
	w := newWorld(t, true)
	for verification, fails := range map[core.EmailVerification]bool{core.EmailVerificationNone: false, core.EmailVerificationOptional: true, core.EmailVerificationMandatory: true} {
		if err := w.AddPolicy(core.Policy{Issuer: "api", EmailVerification: verification}); (err != nil) != fails {
			t.Errorf("%d: %v", verification, err)
		}
	}
}

// TestAdoptVerified holds that whom the old server lets in has verified the address there.
func TestAdoptVerified(t *testing.T) {
	w, p := newVerifier(t)
	r := &referee{knows: map[string]string{"ann": "old"}}
	if _, adopted, err := w.LoginOrAdopt(t.Context(), p, "ann", "old", r); err != nil || !adopted {
		t.Fatalf("%t, %v", adopted, err)
	}
	if _, err := w.Login(t.Context(), p, "ann", "old"); err != nil {
		t.Error(err)
	}
}

// TestAddressOfSeveral logs in by an address that several users have: who has verified it does, and nobody else.
func TestAddressOfSeveral(t *testing.T) {
	w, p := newVerifier(t)
	p.LoginBy, p.EmailVerification = core.ByEmail, core.EmailVerificationOptional
	for _, name := range []string{"eve", "ann", "bob"} {
		if _, err := w.Register(t.Context(), p, core.Registration{Username: name, Email: "ann@example.org", Password: "secret of " + name, NoToken: true}); err != nil {
			t.Fatal(err)
		}
	}
	verify := func(name string) {
		t.Helper()
		u, err := w.User(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.VerifyEmail(t.Context(), p, links, links.MakeEmailKey(w.addressOf(t, u.ID).ID, w.now)); err != nil {
			t.Fatal(err)
		}
	}
	logins := func(what, address string, p core.Policy, want string) {
		t.Helper()
		for _, name := range []string{"eve", "ann", "bob"} {
			s, err := w.Login(t.Context(), p, address, "secret of "+name)
			if name == want && (err != nil || s.User.Username != want) || name != want && (err == nil || core.KindOf(err) != core.KindInvalidCredentials) {
				t.Errorf("%s: the password of %s: %q, %v", what, name, s.User.Username, err)
			}
		}
	}
	logins("nobody has verified it", "ann@example.org", p, "")
	verify("ann")
	logins("ann has", "ann@example.org", p, "ann")
	logins("in another case", "ANN@example.org", p, "")
	blind, unasked := p, p
	blind.EmailCaseBlind, unasked.EmailVerification = true, core.EmailVerificationNone
	logins("whatever the case", "ANN@example.org", blind, "ann")
	logins("an API that verifies none", "ann@example.org", unasked, "")
	ann, err := w.User(t.Context(), "ann")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.UpdateUser(t.Context(), p, ann.ID, core.UserUpdate{Email: text("new@example.org")}); err != nil {
		t.Fatal(err)
	}
	logins("ann has another address by now", "ann@example.org", p, "")
	logins("that one", "new@example.org", p, "ann")
}
