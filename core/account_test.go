package core_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/authcompat/authcompat/core"
)

// text returns a pointer to a text.
func text(s string) *string { return &s }

// registered registers a user and logs in.
func (w *world) registered(t *testing.T, p core.Policy, r core.Registration) core.Session {
	t.Helper()
	r.Password = "secret"
	s, err := w.Register(t.Context(), p, r)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestUpdateUser(t *testing.T) {
	w := newWorld(t, true)
	p := fixed
	p.NormalizeUsername, p.NormalizeEmail = true, true
	s := w.registered(t, p, core.Registration{Username: "ann", Email: "ann@example.org", Attributes: map[string]string{"first_name": "Ann", "followers": "17"}})
	w.registered(t, p, core.Registration{Username: "bob"})
	got, err := w.UpdateUser(t.Context(), p, s.User.ID, core.UserUpdate{
		Username: text("anﬁ"), Email: text("Ann@EXAMPLE.org"), Attributes: map[string]*string{"first_name": nil, "vip": text("true"), "none": nil},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := core.User{
		ID: s.User.ID, Username: "anﬁ", Email: "Ann@EXAMPLE.org", Active: true, CreatedAt: s.User.CreatedAt,
		Attributes: map[string]string{"followers": "17", "vip": "true"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("updated user (-want +got):\n%s", diff)
	}
	if kept, err := w.UserByID(t.Context(), s.User.ID); err != nil || !cmp.Equal(want, kept) {
		t.Errorf("%+v, %v", kept, err)
	}
	for name, c := range map[string]struct {
		id   int64
		u    core.UserUpdate
		want core.Kind
	}{
		"a taken name":         {s.User.ID, core.UserUpdate{Username: text("bob")}, core.KindUsernameTaken},
		"no name":              {s.User.ID, core.UserUpdate{Username: text("")}, core.KindInvalidUser},
		"no text":              {s.User.ID, core.UserUpdate{Email: text("a\x00b")}, core.KindInvalidUser},
		"a user who is nobody": {1 << 30, core.UserUpdate{Email: text("a@b.c")}, core.KindUserUnknown},
	} {
		_, err := w.UpdateUser(t.Context(), p, c.id, c.u)
		if err == nil || core.KindOf(err) != c.want {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

// TestAddressedNames has the name of a user as the address, too, where users have no other name: it is
// normalized as an address is, and only when the user is made.
func TestAddressedNames(t *testing.T) {
	w := newWorld(t, true)
	p := fixed
	p.EmailIsUsername, p.NormalizeUsername, p.NormalizeEmail = true, true, true
	s := w.registered(t, p, core.Registration{Username: "anﬁ@Example.ORG"})
	if s.User.Username != "anﬁ@example.org" || s.User.Email != s.User.Username {
		t.Errorf("registered %+v", s.User)
	}
	got, err := w.UpdateUser(t.Context(), p, s.User.ID, core.UserUpdate{Username: text("ﬁ@Example.org")})
	if err != nil || got.Username != "ﬁ@Example.org" || got.Email != got.Username {
		t.Errorf("renamed %+v, %v", got, err)
	}
}

// TestUpdatesAtOnce changes different attributes of one user at once: none is lost.
func TestUpdatesAtOnce(t *testing.T) {
	w := newWorld(t, true)
	s := w.registered(t, fixed, core.Registration{Username: "ann"})
	var done sync.WaitGroup
	for i := range 4 {
		done.Go(func() {
			u := core.UserUpdate{Attributes: map[string]*string{fmt.Sprint("attribute ", i): text("x")}}
			if _, err := w.UpdateUser(t.Context(), fixed, s.User.ID, u); err != nil {
				t.Error(err)
			}
		})
	}
	done.Wait()
	if u, err := w.UserByID(t.Context(), s.User.ID); err != nil || len(u.Attributes) != 4 {
		t.Errorf("%v, %v", u.Attributes, err)
	}
}

func TestChangePassword(t *testing.T) {
	for name, c := range map[string]struct {
		end  bool
		left []bool // of two sessions
		n    int
	}{
		"no token ends": {false, []bool{true, true}, 0},
		"all end":       {true, []bool{false, false}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, true)
			s := w.registered(t, fixed, core.Registration{Username: "ann"})
			sessions := []core.Session{s, w.login(t, fixed, "ann")}
			_, err := w.ConfirmPassword(t.Context(), fixed, s.User, "wrong")
			wantKind(t, err, core.KindInvalidCredentials)
			confirmed, err := w.ConfirmPassword(t.Context(), fixed, s.User, "secret")
			if err != nil {
				t.Fatal(err)
			}
			n, err := w.ChangePassword(t.Context(), fixed, confirmed, "new secret", c.end)
			if n != c.n || err != nil {
				t.Errorf("%d tokens ended, %v, want %d", n, err, c.n)
			}
			for i, session := range sessions {
				if err := w.check(t, session); (err == nil) != c.left[i] {
					t.Errorf("session %d: %v", i, err)
				}
			}
			_, err = w.Login(t.Context(), fixed, "ann", "secret")
			wantKind(t, err, core.KindInvalidCredentials)
			if _, err := w.Login(t.Context(), fixed, "ann", "new secret"); err != nil {
				t.Error(err)
			}
			_, err = w.ChangePassword(t.Context(), fixed, confirmed, "newer", false)
			wantKind(t, err, core.KindInvalidCredentials)
			wantKind(t, w.DeleteAccount(t.Context(), fixed, confirmed), core.KindInvalidCredentials)
		})
	}
}

// TestSetPasswordByID has two users swap their names after an operator has chosen one of them.
func TestSetPasswordByID(t *testing.T) {
	w := newWorld(t, true)
	ann, bob := w.registered(t, fixed, core.Registration{Username: "ann"}).User, w.registered(t, fixed, core.Registration{Username: "bob"}).User
	for _, rename := range []struct {
		user core.User
		to   string
	}{{ann, "nobody"}, {bob, "ann"}, {ann, "bob"}} {
		if _, err := w.UpdateUser(t.Context(), fixed, rename.user.ID, core.UserUpdate{Username: &rename.to}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.SetPassword(t.Context(), ann, "new", false); err != nil {
		t.Fatal(err)
	}
	if session, err := w.Login(t.Context(), fixed, "bob", "new"); err != nil || session.User.ID != ann.ID {
		t.Errorf("user %d, error %v, want user %d", session.User.ID, err, ann.ID)
	}
	_, err := w.Login(t.Context(), fixed, "ann", "new")
	wantKind(t, err, core.KindInvalidCredentials)
}

// TestPasswordHashedAnew has the password hashed anew after it was confirmed, as a login does:
// it is the same, and what was confirmed goes on.
func TestPasswordHashedAnew(t *testing.T) {
	w := newWorld(t, true)
	s := w.registered(t, fixed, core.Registration{Username: "ann"})
	confirmed, err := w.ConfirmPassword(t.Context(), fixed, s.User, "secret")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.SetPassword(t.Context(), s.User, "secret", false); err != nil {
		t.Fatal(err)
	}
	if _, err := w.ChangePassword(t.Context(), fixed, confirmed, "new", false); err != nil {
		t.Error(err)
	}
	unconfirmed, err := w.Unconfirmed(t.Context(), s.User, s.User)
	if err != nil {
		t.Fatal(err)
	}
	byStaff, err := w.Unconfirmed(t.Context(), core.User{}, s.User)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.SetPassword(t.Context(), s.User, "another", false); err != nil {
		t.Fatal(err)
	}
	// Whoever has a token alone may be the one because of whom the password was changed.
	_, err = w.ChangePassword(t.Context(), fixed, unconfirmed, "stolen", false)
	wantKind(t, err, core.KindUnavailable)
	wantKind(t, w.DeleteAccount(t.Context(), fixed, unconfirmed), core.KindUnavailable)
	if _, err := w.Login(t.Context(), fixed, "ann", "another"); err != nil {
		t.Error(err)
	}
	if err := w.DeleteAccount(t.Context(), fixed, byStaff); err != nil { // it does not depend on the password
		t.Error(err)
	}
	wantKind(t, w.check(t, s), core.KindTokenUnknown)
	_, err = w.ConfirmPassword(t.Context(), fixed, s.User, "another")
	wantKind(t, err, core.KindUserUnknown)
	_, err = w.Unconfirmed(t.Context(), s.User, s.User)
	wantKind(t, err, core.KindUserUnknown)
	_, err = w.UserByID(t.Context(), s.User.ID)
	wantKind(t, err, core.KindUserUnknown)
}

// TestGuessesCountTogether guesses a password by login, HTTP Basic and confirmation: they share
// one limit, and right ones do not count.
func TestGuessesCountTogether(t *testing.T) {
	g := newGuarded(t, few, many)
	john, err := g.User(t.Context(), "john")
	if err != nil {
		t.Fatal(err)
	}
	guesses := []func(context.Context, string) error{
		func(ctx context.Context, plain string) error {
			_, err := g.Login(ctx, fixed, "john", plain)
			return err
		},
		func(ctx context.Context, plain string) error {
			u, err := g.AuthenticatePassword(ctx, fixed, "john", plain)
			if err == nil && u.User().ID != john.ID {
				t.Errorf("another user: %+v", u.User())
			}
			return err
		},
		func(ctx context.Context, plain string) error {
			_, err := g.ConfirmPassword(ctx, fixed, john, plain)
			return err
		},
	}
	ctx := from(t, "192.0.2.1")
	for range few.Burst {
		for i, guess := range guesses {
			if err := guess(ctx, "secret"); err != nil {
				t.Errorf("way %d, the right password: %v", i, err)
			}
		}
	}
	for i, guess := range guesses {
		wantKind(t, guess(ctx, fmt.Sprint("wrong ", i)), core.KindInvalidCredentials)
	}
	for i, guess := range guesses {
		if err := guess(ctx, "secret"); core.KindOf(err) != core.KindInvalidCredentials || err == nil {
			t.Errorf("way %d, the right password beyond the limit: %v", i, err)
		}
	}
	entries, err := g.audit.AuditEntries(t.Context(), core.AuditFilter{Failed: true}, 9)
	if err != nil || len(entries) != len(guesses) {
		t.Errorf("%d failures are recorded, %v", len(entries), err)
	}
	for _, e := range entries {
		if e.UserID != john.ID || e.Username != "john" || e.Address != "192.0.2.1" || e.Outcome != "invalid_credentials" {
			t.Errorf("%+v", e)
		}
	}
	if n := g.events["confirm-password throttled"] + g.events["authenticate throttled"]; n != 2 {
		t.Errorf("%v", g.events)
	}
}

// TestIssue issues tokens for a user who is known already, as far as the limit allows.
func TestIssue(t *testing.T) {
	w := newWorld(t, true)
	p := fixed
	p.Limit = 2
	first := w.registered(t, p, core.Registration{Username: "ann"})
	second, err := w.Issue(t.Context(), p, first)
	if err != nil || second.Key == first.Key || second.User.ID != first.User.ID {
		t.Fatalf("%+v, %v", second.User, err)
	}
	for _, s := range []core.Session{first, second} {
		if err := w.check(t, s); err != nil {
			t.Error(err)
		}
	}
	_, err = w.Issue(t.Context(), p, first)
	wantKind(t, err, core.KindTokenLimit)
	again, err := w.Issue(t.Context(), reusing, first)
	if err != nil {
		t.Fatal(err)
	}
	if shown, err := w.Issue(t.Context(), reusing, first); err != nil || shown.Key != again.Key {
		t.Errorf("the live token was not shown again, %v", err)
	}
	if err := w.Logout(t.Context(), second); err != nil {
		t.Fatal(err)
	}
	for _, p := range []core.Policy{fixed, reusing} { // a login that was under way
		_, err = w.Issue(t.Context(), p, second)
		wantKind(t, err, core.KindTokenUnknown)
	}
	if err := w.SetActive(t.Context(), w.store.(core.Admin), first.User, false); err != nil {
		t.Fatal(err)
	}
	_, err = w.Issue(t.Context(), fixed, first)
	wantKind(t, err, core.KindUserInactive)
}

// TestStill has what a client was recognised by end before the change is written, and the password be changed while
// that is looked up: nothing is done.
func TestStill(t *testing.T) {
	w := newWorld(t, true)
	s := w.registered(t, fixed, core.Registration{Username: "ann", Email: "ann@a.example"})
	ended := errors.New("ended")
	email := "evil@a.example"
	for _, c := range []struct {
		still core.Still
		want  func(error) bool
	}{
		{func(context.Context) error { return ended }, func(err error) bool { return errors.Is(err, ended) }},
		{func(ctx context.Context) error { return w.SetPassword(ctx, s.User, "secret", false) }, func(err error) bool { return core.KindOf(err) == core.KindUnavailable }},
	} {
		var failed []error
		confirmed, err := w.Confirmed(t.Context(), s.User, s.User, nil, c.still)
		if err != nil {
			t.Fatal(err)
		}
		_, err = w.ChangePassword(t.Context(), fixed, confirmed, "evil", false)
		failed = append(failed, err)
		if confirmed, err = w.Confirmed(t.Context(), s.User, s.User, nil, c.still); err != nil {
			t.Fatal(err)
		}
		for _, err := range append(failed, w.DeleteAccount(t.Context(), fixed, confirmed)) {
			if !c.want(err) {
				t.Errorf("got %v", err)
			}
		}
	}
	if _, err := w.UpdateUser(t.Context(), fixed, s.User.ID, core.UserUpdate{Email: &email, Still: func(context.Context) error { return ended }}); !errors.Is(err, ended) {
		t.Errorf("an update: %v", err)
	}
	if u, err := w.UserByID(t.Context(), s.User.ID); err != nil || u.Email != "ann@a.example" {
		t.Errorf("%+v, %v", u, err)
	}
	if _, err := w.Login(t.Context(), fixed, "ann", "secret"); err != nil {
		t.Error(err)
	}
}
