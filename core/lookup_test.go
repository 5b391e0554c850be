package core_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/authcompat/authcompat/core"
)

// TestLoginBy logs in by every kind of name.
func TestLoginBy(t *testing.T) {
	w := newWorld(t, true)
	for _, u := range []core.Registration{
		{Username: "ann", Email: "Ann@example.org"}, {Username: "bob", Email: "bob@example.org"}, {Username: "BOB", Email: "two@example.org"},
		{Username: "cid", Email: "two@example.org"}, {Username: "dan@example.org", Email: "dan@example.com"}, {Username: "eve", Email: "dan@example.org"},
		{Username: "fay", Email: ""},
	} {
		u.Password = "secret of " + u.Username
		if _, err := w.CreateUser(t.Context(), core.Policy{}, u); err != nil {
			t.Fatal(err)
		}
	}
	byUsername, byEmail, byEither := fixed, fixed, fixed
	byEmail.LoginBy, byEither.LoginBy = core.ByEmail, core.ByUsernameOrEmail
	blind := func(p core.Policy) core.Policy {
		p.UsernameCaseBlind, p.EmailCaseBlind = true, true
		return p
	}
	for _, c := range []struct {
		name   string
		p      core.Policy
		text   string
		wanted string // "": nobody
	}{
		{"name", byUsername, "ann", "ann"},
		{"name in another case", byUsername, "Ann", ""},
		{"address for a name", byUsername, "Ann@example.org", ""},
		{"case-blind name", blind(byUsername), "aNN", "ann"},
		{"one of two names, exactly", blind(byUsername), "bob", "bob"},
		{"the other", blind(byUsername), "BOB", "BOB"},
		{"neither of two", blind(byUsername), "Bob", ""},
		{"address", byEmail, "Ann@example.org", "ann"},
		{"address in another case", byEmail, "ann@example.org", ""},
		{"case-blind address", blind(byEmail), "ANN@EXAMPLE.ORG", "ann"},
		{"name for an address", byEmail, "ann", ""},
		{"address of two", byEmail, "two@example.org", ""},
		{"no address", byEmail, "", ""},
		{"either: name", byEither, "ann", "ann"},
		{"either: address", byEither, "bob@example.org", "bob"},
		{"either: address of two", byEither, "two@example.org", ""},
		{"either: a name that is another's address", byEither, "dan@example.org", "dan@example.org"},
		{"either: case-blind", blind(byEither), "BOB@example.org", "bob"},
	} {
		for _, u := range []string{"ann", "bob", "BOB", "cid", "dan@example.org", "eve", "fay"} {
			s, err := w.Login(t.Context(), c.p, c.text, "secret of "+u)
			switch {
			case u == c.wanted && (err != nil || s.User.Username != u):
				t.Errorf("%s: %q, %v", c.name, s.User.Username, err)
			case u != c.wanted && (err == nil || core.KindOf(err) != core.KindInvalidCredentials):
				t.Errorf("%s: logged in with the password of %s: %v", c.name, u, err)
			}
			basic, err := w.AuthenticatePassword(t.Context(), c.p, c.text, "secret of "+u)
			if (err == nil) != (u == c.wanted) || err == nil && basic.User().Username != u {
				t.Errorf("%s: password of %s: %q, %v", c.name, u, basic.User().Username, err)
			}
		}
	}
}

// TestAddressesAreCountedLikeUnknownOnes exhausts the limit of an address in one spelling, and
// tries others and the name of its user: what is refused tells neither that there is such an
// address, nor whose it is.
func TestAddressesAreCountedLikeUnknownOnes(t *testing.T) {
	for _, blind := range []bool{false, true} {
		outcomes := map[string]string{}
		for _, name := range []string{"john", "nobody"} {
			g := newGuarded(t, few, many)
			john, err := g.User(t.Context(), "john")
			if err != nil {
				t.Fatal(err)
			}
			address := "john@example.org"
			if _, err := g.UpdateUser(t.Context(), fixed, john.ID, core.UserUpdate{Email: &address}); err != nil {
				t.Fatal(err)
			}
			p := fixed
			p.LoginBy, p.UsernameCaseBlind, p.EmailCaseBlind, p.TellThrottled = core.ByUsernameOrEmail, blind, blind, true
			guess := func(text string) core.Kind {
				_, err := g.Login(from(t, "192.0.2.1"), p, text, "wrong")
				return core.KindOf(err)
			}
			for range few.Burst {
				guess(name + "@example.org")
			}
			for _, text := range []string{name + "@example.org", name + "@EXAMPLE.org", name, name} {
				outcomes[name] += fmt.Sprint(guess(text), " ")
			}
		}
		if outcomes["john"] != outcomes["nobody"] {
			t.Errorf("case-blind %t: %v", blind, outcomes)
		}
	}
}

// TestSpellingsOfAnAddressShareTheirGuesses has addresses alone case-blind: no spelling of one has
// guesses of its own, and what is refused tells neither a name nor an address that there is.
func TestSpellingsOfAnAddressShareTheirGuesses(t *testing.T) {
	for _, spellings := range [][]string{{"%s@example.org", "%s@example.ORG", "%s@EXAMPLE.org"}, {"%s"}} {
		outcomes := map[string]string{}
		for _, name := range []string{"john", "nobody"} {
			g := newGuarded(t, few, many)
			john, err := g.User(t.Context(), "john")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := g.UpdateUser(t.Context(), fixed, john.ID, core.UserUpdate{Email: text("john@example.org")}); err != nil {
				t.Fatal(err)
			}
			p := fixed
			p.LoginBy, p.EmailCaseBlind, p.TellThrottled = core.ByUsernameOrEmail, true, true
			logins := func(text string) core.Kind {
				_, err := g.Login(from(t, "192.0.2.1"), p, text, "wrong")
				return core.KindOf(err)
			}
			basic := func(text string) core.Kind {
				_, err := g.AuthenticatePassword(from(t, "192.0.2.1"), p, text, "wrong")
				return core.KindOf(err)
			}
			for i := range few.Burst + 3 {
				guess := []func(string) core.Kind{logins, basic}[i%2]
				spelling := fmt.Sprintf(spellings[i%len(spellings)], name)
				if i%2 == 1 {
					spelling = strings.ToUpper(spelling)
				}
				kind := guess(spelling)
				if strings.Contains(spelling, "@") && (kind == core.KindThrottled) != (i >= few.Burst) {
					t.Errorf("guess %d, %s: %v", i, spelling, kind)
				}
				outcomes[name] += fmt.Sprint(kind, " ")
			}
			if _, err := g.ClearLimits(t.Context(), g.audit.(core.RateLimiter), fmt.Sprintf(spellings[0], name), netip.Addr{}); err != nil {
				t.Fatal(err)
			}
			if kind := logins(fmt.Sprintf(spellings[0], name)); kind != core.KindInvalidCredentials {
				t.Errorf("after the limits were cleared: %v", kind)
			}
		}
		if outcomes["john"] != outcomes["nobody"] {
			t.Errorf("%q: %v", spellings, outcomes)
		}
	}
}

// TestDistinctUsers registers and updates under what others have in another case.
func TestDistinctUsers(t *testing.T) {
	w := newWorld(t, true)
	p := fixed
	p.UsernameCaseBlind, p.UniqueEmail = true, true
	s := w.registered(t, p, core.Registration{Username: "Ann", Email: "ann@example.org"})
	w.registered(t, p, core.Registration{Username: "bob"})
	w.registered(t, p, core.Registration{Username: "cid"})
	for name, c := range map[string]struct {
		r    core.Registration
		want core.Kind
	}{
		"the name":    {core.Registration{Username: "aNN"}, core.KindUsernameTaken},
		"the address": {core.Registration{Username: "dan", Email: "Ann@Example.ORG"}, core.KindEmailTaken},
	} {
		c.r.Password = "secret"
		if _, err := w.Register(t.Context(), p, c.r); err == nil || core.KindOf(err) != c.want {
			t.Errorf("%s: %v", name, err)
		}
	}
	if taken, err := w.UsernameTaken(t.Context(), p, "ANN"); !taken || err != nil {
		t.Errorf("taken %t, %v", taken, err)
	}
	if taken, err := w.UsernameTaken(t.Context(), fixed, "ANN"); taken || err != nil {
		t.Errorf("where case matters: taken %t, %v", taken, err)
	}
	if taken, err := w.EmailTaken(t.Context(), "ANN@example.org", 0); !taken || err != nil {
		t.Errorf("address taken %t, %v", taken, err)
	}
	if taken, err := w.EmailTaken(t.Context(), "ANN@example.org", s.User.ID); taken || err != nil {
		t.Errorf("the own address: taken %t, %v", taken, err)
	}
	_, err := w.UpdateUser(t.Context(), p, s.User.ID, core.UserUpdate{Username: text("BOB")})
	wantKind(t, err, core.KindUsernameTaken)
	if u, err := w.UpdateUser(t.Context(), p, s.User.ID, core.UserUpdate{Username: text("ANN")}); err != nil || u.Username != "ANN" {
		t.Errorf("the own name in another case: %q, %v", u.Username, err)
	}
}

// TestUsernameThatIsAnAddress has users log in by either: nobody takes a username that is another's
// address, in any spelling that would log in there, and everybody may take their own.
func TestUsernameThatIsAnAddress(t *testing.T) {
	w := newWorld(t, true)
	p := fixed
	p.LoginBy, p.EmailCaseBlind = core.ByUsernameOrEmail, true
	s := w.registered(t, p, core.Registration{Username: "ann", Email: "ann@example.org"})
	w.registered(t, p, core.Registration{Username: "victim", Email: "victim@example.org"})
	for _, name := range []string{"victim@example.org", "Victim@example.org"} {
		_, err := w.UpdateUser(t.Context(), p, s.User.ID, core.UserUpdate{Username: &name})
		wantKind(t, err, core.KindUsernameTaken)
		_, err = w.UpdateByLink(t.Context(), p, w.confirmed(t, s.User.ID, w.token(t, s.User.ID)), core.UserUpdate{Username: &name})
		wantKind(t, err, core.KindUsernameTaken)
		_, err = w.Register(t.Context(), p, core.Registration{Username: name, Password: "secret"})
		wantKind(t, err, core.KindUsernameTaken)
		if u, err := w.Login(t.Context(), p, name, "secret"); err != nil || u.User.Username != "victim" {
			t.Errorf("login as %s: %q, %v", name, u.User.Username, err)
		}
	}
	for _, name := range []string{"ann@example.org", "victim@example.net"} {
		if _, err := w.UpdateUser(t.Context(), p, s.User.ID, core.UserUpdate{Username: &name}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	p.LoginBy = core.ByUsername
	if _, err := w.UpdateUser(t.Context(), p, s.User.ID, core.UserUpdate{Username: text("victim@example.org")}); err != nil {
		t.Errorf("where users log in by their names alone: %v", err)
	}
}

// TestDistinctForOthers has people register, and rename themselves, at an API that wants nothing distinct, beside others on
// the same users by whose addresses these log in: nobody gets a name or an address by which somebody else could no longer log in there.
func TestDistinctForOthers(t *testing.T) {
	lax := core.Policy{Issuer: "lax", Realm: "lax", TokenHex: 40}
	emails, either := lax, lax
	emails.Issuer, emails.LoginBy, emails.EmailCaseBlind, emails.UniqueEmail = "emails", core.ByEmail, true, true
	either.Issuer, either.LoginBy, either.EmailCaseBlind = "either", core.ByUsernameOrEmail, true
	for _, c := range []struct {
		name   string
		strict core.Policy
		user   core.Registration
		login  string
		want   core.Kind
	}{
		{"an address", emails, core.Registration{Username: "eve", Email: "ANN@a.example"}, "ann@a.example", core.KindEmailTaken},
		{"an address as the name", either, core.Registration{Username: "ann@A.example"}, "ann@A.example", core.KindUsernameTaken},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, true)
			for _, p := range []core.Policy{lax, c.strict} {
				if err := w.AddPolicy(p); err != nil {
					t.Fatal(err)
				}
			}
			w.registered(t, lax, core.Registration{Username: "ann", Email: "ann@a.example"})
			eve := w.registered(t, lax, core.Registration{Username: "eve1", Email: "eve@a.example"})
			c.user.Password = "evil"
			_, err := w.Register(t.Context(), lax, c.user)
			wantKind(t, err, c.want)
			update := core.UserUpdate{Username: &c.user.Username}
			if c.user.Email != "" {
				update = core.UserUpdate{Email: &c.user.Email}
			}
			_, err = w.UpdateUser(t.Context(), lax, eve.User.ID, update)
			wantKind(t, err, c.want)
			if s, err := w.Login(t.Context(), c.strict, c.login, "secret"); err != nil || s.User.Username != "ann" {
				t.Errorf("%+v, %v", s.User, err)
			}
			if _, err := w.Register(t.Context(), lax, core.Registration{Username: "bob", Email: "bob@a.example", Password: "secret"}); err != nil {
				t.Error(err)
			}
		})
	}
}
