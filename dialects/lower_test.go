package dialects_test

import (
	"strings"
	"testing"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/profiles"
)

// TestLowerUsernames treats names as case-insensitive if the profile says so.
func TestLowerUsernames(t *testing.T) {
	for _, name := range []string{"ocd-users", "form-auth", "authtokens"} {
		for _, lower := range []bool{true, false} {
			p := mustLoad(t, name, 0)
			for _, e := range p.Endpoints {
				for i := range e.Fields {
					e.Fields[i].Lower = lower && e.Fields[i].Role == profiles.RoleUsername
				}
			}
			a := newAPI(t, p)
			if _, err := a.engine.CreateUser(t.Context(), core.Policy{}, core.Registration{Username: "ann", Password: "secret"}); err != nil {
				t.Fatal(err)
			}
			_, wrong := a.post(t, profiles.Login, "nobody")
			_, body := a.post(t, profiles.Login, "ANN")
			if in := body != wrong && strings.Contains(body, "token"); in != lower {
				t.Errorf("%s, lower %t: %s", name, lower, body)
			}
		}
	}
}
