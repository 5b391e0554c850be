package adopt_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/profiles"
)

// TestTokenOfASpelling looks the name that a probe shows up as the next login would, and lets no
// user in whom an operator has disabled under another spelling.
func TestTokenOfASpelling(t *testing.T) {
	p, err := profiles.Load("authtokens")
	if err != nil {
		t.Fatal(err)
	}
	lower := *p
	lower.Endpoints = slices.Clone(p.Endpoints)
	for i, e := range lower.Endpoints {
		lower.Endpoints[i].Fields = slices.Clone(e.Fields)
		for j, f := range e.Fields {
			f.Lower, f.Trim = f.Role == profiles.RoleUsername, f.Role == profiles.RoleUsername
			lower.Endpoints[i].Fields[j] = f
		}
	}
	for _, reads := range []*profiles.Profile{p, &lower} {
		w := newWorldAs(t, reads, "", rules...)
		s := &tokenServer{tokens: map[string]string{"bobs": "Bob ", "anns": "Ann", "offs": "OFF", "exact": "off"}}
		w.answers(s.answer)
		for _, u := range []core.Registration{{Username: "bob", Attributes: map[string]string{core.AdoptedFrom: "authtokens"}}, {Username: "off", Inactive: true}} {
			u.Password = "x"
			if _, err := w.CreateUser(t.Context(), core.Policy{}, u); err != nil {
				t.Fatal(err)
			}
		}
		got := w.get(t, "/private/", "bobs")
		if reads == p && got != nobodys || reads == &lower && !strings.Contains(got, "name=bob;") {
			t.Errorf("another spelling: %s", got)
		}
		if got := w.get(t, "/private/", "anns"); got != nobodys {
			t.Errorf("unknown: %s", got)
		}
		if got := w.get(t, "/private/", "offs") + w.get(t, "/private/", "exact"); strings.Count(got, "401 ") != 2 {
			t.Errorf("disabled: %s", got)
		}
		if user, err := w.User(t.Context(), "bob"); err != nil || w.SetActive(t.Context(), w.store, user, false) != nil {
			t.Fatal(err)
		}
		if got := w.get(t, "/private/", "bobs"); !strings.HasPrefix(got, "401 ") {
			t.Errorf("disabled since then: %s", got)
		}
	}
}

// TestLoginIsAskedWhateverTheHeaders lets no client choose by a header that the old server does not
// answer: that would tell the names about which it is asked from others.
func TestLoginIsAskedWhateverTheHeaders(t *testing.T) {
	for profile, refusal := range ownRefusals {
		w := newWorld(t, profile)
		w.MustCreate(t, "own")
		w.answers(func(out http.ResponseWriter, r *http.Request) {
			for _, values := range r.Header {
				if len(values) > 1 || len(values[0]) > 300 {
					out.WriteHeader(http.StatusRequestHeaderFieldsTooLarge)
					return
				}
			}
			if r.Header.Get("Accept") != "application/json" || r.Header.Get("User-Agent") == "\xe4" {
				out.WriteHeader(http.StatusNotAcceptable)
				return
			}
			out.WriteHeader(http.StatusUnauthorized)
		})
		e, _ := w.profile.Endpoint(profiles.Login)
		long := strings.Repeat("x", 9000)
		for _, header := range [][]string{
			{"User-Agent", long}, {"User-Agent", "\xe4"}, {"Accept-Language", long}, {"Origin", long}, {"Referer", long}, {"X-Requested-With", long},
			{"X-Forwarded-For", long}, {"X-Forwarded-Proto", long}, {"Accept", "application/xml, */*;q=0.1"}, {"Accept", "text/html"}, {"Origin", "a", "Origin", "b"},
		} {
			var got []string
			for _, name := range []string{"own", "nobody"} {
				body, kind := fmt.Sprintf(`{"username": %q, "password": "x"}`, name), "application/json"
				if w.profile.Family == profiles.FormJSON {
					body, kind = "password=x&username="+name, "application/x-www-form-urlencoded"
				}
				reply, text := w.send(t, http.MethodPost, e.Path, body, append([]string{"Content-Type", kind}, header...)...)
				got = append(got, fmt.Sprintf("%d %s", reply.StatusCode, text))
			}
			if got[0] != got[1] || strings.HasPrefix(got[1], "503 ") || header[0] != "Accept" && got[0] != refusal {
				t.Errorf("%s: with %.40q: %q", profile, header, got)
			}
		}
	}
}
