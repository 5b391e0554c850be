package apitest

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/dialects"
	"github.com/authcompat/authcompat/dialects/front"
	"github.com/authcompat/authcompat/profiles"
)

// Gate is what a gate answers: a status, a space, and the body.
type Gate struct{ Missing, Bad, BadGateway, TooLarge, Malformed, Unknown string }

// RunGate asks the gate of a profile's API for all of its answers.
func RunGate(t *testing.T, p *profiles.Profile, store core.Store, want Gate) {
	t.Helper()
	a := MustNew(t, p, store)
	var gate front.API
	if _, err := dialects.NewBefore(p, a.Engine, func(api front.API) http.Handler { gate = api; return http.NotFoundHandler() }); err != nil {
		t.Fatal(err)
	}
	a.MustCreateUser(t, "ann", false)
	token := a.MustLogin(t, dialects.Policy(p), "ann")
	request := func(authorization string) *http.Request {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/private/", nil)
		if authorization != "" {
			r.Header.Set("Authorization", authorization)
		}
		return r
	}
	check := func(what, want string, answer func(w http.ResponseWriter)) {
		t.Helper()
		w := httptest.NewRecorder()
		answer(w)
		if got := fmt.Sprintf("%d %s", w.Code, w.Body); got != want {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
	}
	refused := func(authorization string, needed bool) func(w http.ResponseWriter) {
		return func(w http.ResponseWriter) {
			if session, ok := gate.Authenticate(w, request(authorization), needed); ok || session != nil {
				t.Errorf("%q, needed %t: %v", authorization, needed, session)
			}
		}
	}
	unknown := p.Scheme + " 0123456789012345678901234567890123456789"
	check("no token", want.Missing, refused("", true))
	check("another scheme", want.Missing, refused("Other x", true))
	check("a bad token", want.Bad, refused(unknown, true))
	check("a bad token where none is needed", want.Bad, refused(unknown, false))
	for _, anonymous := range []string{"", "Other x"} {
		w := httptest.NewRecorder()
		if session, ok := gate.Authenticate(w, request(anonymous), false); !ok || session != nil || w.Body.Len() > 0 {
			t.Errorf("%q where no token is needed: %v, %t, %s", anonymous, session, ok, w.Body)
		}
	}
	good := request(p.Scheme + " " + token)
	session, ok := gate.Authenticate(httptest.NewRecorder(), good, true)
	if !ok || session == nil || session.User.Username != "ann" || gate.Ended(good) {
		t.Fatalf("a good token: %v, %t, ended %t", session, ok, gate.Ended(good))
	}
	cause := errors.New("the cause")
	check("no answer", want.BadGateway, func(w http.ResponseWriter) { gate.Unavailable(w, http.StatusBadGateway, cause) })
	for status, wait := range map[int]string{http.StatusBadGateway: "", http.StatusGatewayTimeout: "", http.StatusServiceUnavailable: "1"} {
		w := httptest.NewRecorder()
		gate.Unavailable(w, status, cause)
		if w.Code != status || w.Header().Get("Retry-After") != wait {
			t.Errorf("%d with Retry-After %q, want %q", w.Code, w.Header().Get("Retry-After"), wait)
		}
	}
	check("a large body", want.TooLarge, gate.TooLarge)
	check("a broken body", want.Malformed, gate.Malformed)
	check("nothing there", want.Unknown, func(w http.ResponseWriter) { gate.Unknown(w, request("")) })
	if err := a.Engine.Logout(t.Context(), *session); err != nil {
		t.Fatal(err)
	}
	if !gate.Ended(good) {
		t.Error("a token goes on after its logout")
	}
}
