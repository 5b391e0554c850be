package core_test

import (
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
)

// TestAuthenticatePassword checks passwords without logins: wrong ones are counted with those
// of logins, and good ones issue nothing.
func TestAuthenticatePassword(t *testing.T) {
	g := newGuarded(t, core.Limit{Burst: 3, Window: 3 * time.Minute}, core.Limit{Burst: 1000, Window: time.Minute})
	ctx := from(t, "192.0.2.1")
	check := func(name, plain string, want core.Kind) {
		t.Helper()
		confirmed, err := g.AuthenticatePassword(ctx, fixed, name, plain)
		user := confirmed.User()
		if err == nil && user.Username == name && want < 0 {
			return
		}
		if got := core.KindOf(err); err == nil || got != want {
			t.Errorf("%s, %s: %+v, %v, want %v", name, plain, user, err, want)
		}
	}
	const good = core.Kind(-1)
	for range 5 {
		check("john", "secret", good)
	}
	for range 2 {
		check("john", "wrong", core.KindInvalidCredentials)
	}
	g.try(t, ctx, "john", "wrong", core.KindInvalidCredentials)
	check("john", "secret", core.KindInvalidCredentials) // as if it were wrong
	check("nobody", "secret", core.KindInvalidCredentials)
	check("mary", "secret", good)
	g.now = g.now.Add(time.Minute)
	check("john", "secret", good)
	session, err := g.Issue(ctx, fixed, core.Session{User: mustUser(t, g, "john")})
	if err != nil {
		t.Fatal(err)
	}
	if again, err := g.Authenticate(ctx, fixed, core.Presented(session.Key)); err != nil || again.User.Username != "john" {
		t.Errorf("an issued token: %+v, %v", again, err)
	}
	for event, want := range map[string]int{"authenticate ok": 7, "authenticate invalid_credentials": 3, "authenticate throttled": 1, "login ok": 1} {
		if g.events[event] != want {
			t.Errorf("%d events %s, want %d: %v", g.events[event], event, want, g.events)
		}
	}
}

func mustUser(t *testing.T, g *guarded, name string) core.User {
	t.Helper()
	user, err := g.User(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return user
}
