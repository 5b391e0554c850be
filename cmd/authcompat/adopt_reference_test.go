package main

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/authcompat/authcompat/conformance"
	"github.com/authcompat/authcompat/conformance/reference"
	"github.com/authcompat/authcompat/core/testenv"
	"github.com/authcompat/authcompat/profiles"
)

// TestAdoptFromReferences moves users from the reference servers of the profiles, genuine Django with
// its REST framework or its forms: right and wrong passwords, a user who is inactive there,
// and a logout.
func TestAdoptFromReferences(t *testing.T) {
	t.Parallel()
	if _, err := reference.Versions(t.Context()); err != nil {
		testenv.Missing(t, "%v", err)
	}
	for _, name := range []string{"ocd-users", "knox-auth", "form-auth"} {
		old, err := reference.Start(t.Context(), name, t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		for _, u := range []conformance.User{{Username: "ann", Password: "ann's & own"}, {Username: "gone", Password: "ann's & own", Inactive: true}} {
			if err := old.CreateUser(t.Context(), u); err != nil {
				t.Fatal(err)
			}
		}
		p, err := profiles.Load(name)
		if err != nil {
			t.Fatal(err)
		}
		login, _ := p.Endpoint(profiles.Login)
		logout, _ := p.Endpoint(profiles.Logout)
		file := filepath.Join(t.TempDir(), "c.yaml")
		put(t, file, fmt.Sprintf("listeners: [{profile: %s, address: 127.0.0.1:0, front: {old: %s, adopt: {login: %[2]s%[3]s, until: 2099-01-01}}}]\n", name, old.URL, login.Path))
		s := start(t, "--config", file, "--password-iterations", "100", "--store", database(t))
		at := s.urls[name]
		try := func(username, password string) (token string) {
			text, kind := body(p, login, func(r profiles.Role) string {
				if r == profiles.RoleUsername {
					return username
				}
				return password
			})
			a, err := s.send(http.MethodPost, at+login.Path, "", text, "Content-Type", kind)
			if err != nil || a.status >= 500 {
				t.Fatalf("%s: %s: %d %s, %v\n%s", name, username, a.status, a.body, err, s.log.String())
			}
			if m := issued.FindStringSubmatch(a.body); m != nil {
				token = m[1]
			}
			return token
		}
		for username, password := range map[string]string{"ann": "wrong", "gone": "ann's & own", "nobody": "x"} {
			if token := try(username, password); token != "" {
				t.Errorf("%s: %s logs in with %q", name, username, password)
			}
		}
		theirs, ours := try("ann", "ann's & own"), ""
		if err := old.Close(); err == nil { // from now on nobody is asked
			ours = try("ann", "ann's & own")
		}
		if theirs == "" || ours == "" || theirs == ours {
			t.Errorf("%s: tokens of %d and %d digits", name, len(theirs), len(ours))
		}
		if a, err := s.send(http.MethodPost, at+logout.Path, theirs, ""); err != nil || a.status != http.StatusServiceUnavailable {
			t.Errorf("%s: logout while the old server is away: %d %s, %v", name, a.status, a.body, err)
		}
		s.want(t, logout.Reply.Status, http.MethodPost, at+logout.Path, ours, "")
		if log := s.log.String(); strings.Contains(log, "ann's") || strings.Contains(log, theirs) {
			t.Errorf("%s: logged: %s", name, log)
		}
	}
}
