package apitest

import (
	"testing"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/dialects"
	"github.com/authcompat/authcompat/profiles"
)

// Late is a request that changes the account of whoever sends it, and whose body comes late.
type Late struct{ Method, Path, Body, ContentType string }

// RunEnded sends requests to an API with a profile, each on a store of its own: if all tokens of ann, whose password is
// secret, have ended before the body comes, the answer is 401 with the refusal and she logs in as before; else it is 200 with done, and
// she does not.
func RunEnded(t *testing.T, p *profiles.Profile, open func() core.Store, requests []Late, done, refusal string) {
	t.Helper()
	for _, ended := range []bool{true, false} {
		for _, r := range requests {
			a := MustNew(t, p, open())
			a.MustCreateUser(t, "ann", false)
			session, err := a.Engine.Login(t.Context(), dialects.Policy(p), "ann", "secret")
			if err != nil {
				t.Fatal(err)
			}
			w := a.AskSlowly(t, func() {
				if !ended {
					return
				}
				if err := a.Engine.LogoutAll(t.Context(), session); err != nil {
					t.Error(err)
				}
			}, r.Method, r.Path, r.Body, "Content-Type", r.ContentType, "Authorization", "Token "+session.Key)
			status, want := 200, done
			if ended {
				status, want = 401, refusal
			}
			if w.Code != status || w.Body.String() != want {
				t.Errorf("%s, ended %t: %d %s", r.Path, ended, w.Code, w.Body)
			}
			if _, err := a.Engine.Login(t.Context(), core.Policy{TokenHex: 40}, "ann", "secret"); (err == nil) != ended {
				t.Errorf("%s, ended %t: login %v", r.Path, ended, err)
			}
		}
	}
}
