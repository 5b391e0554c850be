package core_test

import (
	"sync"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/maillink"
)

// links make and check the links of these tests.
var links = &maillink.Generator{Secrets: []string{"a key of Django's"}}

// token makes the token of a link for a user.
func (w *world) token(t *testing.T, userID int64) string {
	t.Helper()
	a, err := w.store.(core.AccountStore).AccountByID(t.Context(), userID)
	if err != nil {
		t.Fatal(err)
	}
	return links.Make(maillink.User{ID: a.ID, PasswordHash: a.PasswordHash, Email: a.Email, LastLogin: a.LastLogin}, w.now)
}

// confirmed is a link that was followed.
func (w *world) confirmed(t *testing.T, userID int64, token string) core.Confirmation {
	t.Helper()
	c, err := w.ConfirmLink(t.Context(), links, userID, token)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestLinkIsUsedOnce uses a link at once for all that it allows, and many times: one of them is done, and the link
// is good for nothing afterwards.
func TestLinkIsUsedOnce(t *testing.T) {
	for _, login := range []bool{false, true} {
		w := newWorld(t, true)
		p := fixed
		p.UpdateLastLogin = login
		ann := w.registered(t, p, core.Registration{Username: "ann"}).User
		token := w.token(t, ann.ID)
		var wg sync.WaitGroup
		errs := make([]error, 8)
		followed := make([]core.Confirmation, len(errs))
		for i := range errs {
			followed[i] = w.confirmed(t, ann.ID, token)
		}
		for i, c := range followed {
			wg.Go(func() {
				if i%2 == 0 {
					_, errs[i] = w.ChangePassword(t.Context(), p, c, "new secret", false)
				} else {
					_, errs[i] = w.UpdateByLink(t.Context(), p, c, core.UserUpdate{Username: text("anna" + string(rune('a'+i)))})
				}
			})
		}
		wg.Wait()
		done := 0
		for i, err := range errs {
			if err == nil {
				done++
			} else if core.KindOf(err) != core.KindInvalidCredentials {
				t.Errorf("use %d: %v", i, err)
			}
		}
		if done != 1 {
			t.Errorf("%d uses were done: %v", done, errs)
		}
		_, err := w.ConfirmLink(t.Context(), links, ann.ID, token)
		wantKind(t, err, core.KindInvalidCredentials)
	}
}

// TestLinkEndsWhileItIsUsed has the address change once a link was looked at, as while the new password is hashed: the
// link ends, unless it is one of Django 2.2's, whose tokens know no address.
func TestLinkEndsWhileItIsUsed(t *testing.T) {
	for format, want := range map[maillink.Format]core.Kind{maillink.Django31: core.KindInvalidCredentials, maillink.Django22: noError} {
		w := newWorld(t, true)
		ann := w.registered(t, fixed, core.Registration{Username: "ann", Email: "ann@a.example"}).User
		a, err := w.store.(core.AccountStore).AccountByID(t.Context(), ann.ID)
		if err != nil {
			t.Fatal(err)
		}
		made := *links
		made.Format = format
		c := w.confirmed(t, ann.ID, made.Make(a.LinkUser(), w.now))
		if _, err := w.UpdateUser(t.Context(), fixed, ann.ID, core.UserUpdate{Email: text("new@a.example")}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.ChangePassword(t.Context(), fixed, c, "new secret", false); kindOf(err) != want {
			t.Errorf("%v: %v", format, err)
		}
	}
}

// noError is the kind of what does not fail.
const noError core.Kind = -1

func kindOf(err error) core.Kind {
	if err == nil {
		return noError
	}
	return core.KindOf(err)
}

// TestLinkEndsInTheSameSecond renames a user in the second of the last login, of which the token knows no more.
func TestLinkEndsInTheSameSecond(t *testing.T) {
	w := newWorld(t, true)
	p := fixed
	p.UpdateLastLogin = true
	ann := w.registered(t, p, core.Registration{Username: "ann"}).User
	w.login(t, p, "ann")
	for _, name := range []string{"anna", "annie", "annie"} {
		token := w.token(t, ann.ID)
		if _, err := w.UpdateByLink(t.Context(), p, w.confirmed(t, ann.ID, token), core.UserUpdate{Username: &name}); err != nil {
			t.Fatal(err)
		}
		_, err := w.ConfirmLink(t.Context(), links, ann.ID, token)
		wantKind(t, err, core.KindInvalidCredentials)
	}
}

// TestLinkEnds has links that a login or another password ended before or after they were followed.
func TestLinkEnds(t *testing.T) {
	w := newWorld(t, true)
	p := fixed
	p.UpdateLastLogin = true
	ann := w.registered(t, p, core.Registration{Username: "ann"}).User
	for name, end := range map[string]func(){
		"a login": func() { w.login(t, p, "ann") },
		"a password": func() {
			if err := w.SetPassword(t.Context(), ann, "secret", false); err != nil {
				t.Fatal(err)
			}
		},
	} {
		w.now = w.now.Add(time.Minute) // after the login of the case before
		token := w.token(t, ann.ID)
		followed := w.confirmed(t, ann.ID, token)
		end()
		_, err := w.ConfirmLink(t.Context(), links, ann.ID, token)
		wantKind(t, err, core.KindInvalidCredentials)
		_, err = w.ChangePassword(t.Context(), p, followed, "stolen", false)
		wantKind(t, err, core.KindInvalidCredentials)
		_, err = w.UpdateByLink(t.Context(), p, followed, core.UserUpdate{Username: text("stolen")})
		wantKind(t, err, core.KindInvalidCredentials)
		w.login(t, p, "ann")
		t.Log(name)
	}
	_, err := w.ConfirmLink(t.Context(), links, 1<<30, w.token(t, ann.ID))
	wantKind(t, err, core.KindUserUnknown)
}

// TestActivate has a user activated once, and nobody by the link of another.
func TestActivate(t *testing.T) {
	w := newWorld(t, true)
	user, err := w.CreateUser(t.Context(), fixed, core.Registration{Username: "ann", Password: "secret", Inactive: true})
	if err != nil {
		t.Fatal(err)
	}
	c := w.confirmed(t, user.ID, w.token(t, user.ID))
	_, err = w.Login(t.Context(), fixed, "ann", "secret")
	wantKind(t, err, core.KindUserInactive)
	for _, want := range []bool{true, false} {
		if done, err := w.Activate(t.Context(), fixed, c); done != want || err != nil {
			t.Errorf("activated: %t, %v", done, err)
		}
	}
	_, err = w.ChangePassword(t.Context(), fixed, c, "stolen", false)
	wantKind(t, err, core.KindInvalidCredentials)
	w.login(t, fixed, "ann")
}

// TestDeactivateMoved has a user inactive with the new address, and not with the old one.
func TestDeactivateMoved(t *testing.T) {
	w := newWorld(t, true)
	ann := w.registered(t, fixed, core.Registration{Username: "ann", Email: "a@example.org"}).User
	for _, c := range []struct {
		email string
		want  bool
	}{{"a@example.org", true}, {"b@example.org", false}, {"b@example.org", false}} {
		u, err := w.UpdateUser(t.Context(), fixed, ann.ID, core.UserUpdate{Email: &c.email, DeactivateMoved: true})
		if err != nil || u.Active != c.want {
			t.Errorf("%s: active %t, %v", c.email, u.Active, err)
		}
	}
}
