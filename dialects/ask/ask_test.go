package ask_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/dialects"
	"github.com/authcompat/authcompat/dialects/ask"
	"github.com/authcompat/authcompat/dialects/front"
	"github.com/authcompat/authcompat/dialects/internal/apitest"
	"github.com/authcompat/authcompat/profiles"
	"github.com/authcompat/authcompat/store/sqlite/sqlitetest"
)

const secret = "a secret+of%20the caller"

// asked is the listener of one profile, with a user who has a good token.
type asked struct {
	*apitest.API
	profile *profiles.Profile
	handler http.Handler
	token   string
}

func newAsked(t *testing.T, name string, store core.Store) *asked {
	t.Helper()
	p := apitest.MustLoad(t, name)
	a := &asked{API: apitest.MustNew(t, p, store), profile: p}
	a.MustCreateUser(t, "ann", false)
	a.token = a.MustLogin(t, dialects.Policy(p), "ann")
	gate, err := dialects.NewGate(p, a.Engine)
	if err != nil {
		t.Fatal(err)
	}
	a.handler = ask.NewMux(map[string]http.Handler{name: ask.New(ask.Options{
		Profile: p, Gate: gate, Engine: a.Engine, Callers: callers(t),
		Identify: func(h http.Header, s *core.Session) { h.Set("X-User", s.User.Username) },
	})}, http.HandlerFunc(ask.NotFound))
	return a
}

func callers(t *testing.T) *ask.Callers {
	t.Helper()
	c, err := ask.ParseCallers("callers", []byte("service: sha256:"+digest(secret)+"\n"))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// unread is a body that must not be read.
type unread struct{ t *testing.T }

func (u unread) Read([]byte) (int, error) {
	u.t.Error("a body was read")
	return 0, io.EOF
}

// send asks with these Authorization headers. body may be nil.
func (a *asked) send(t *testing.T, method, target string, body io.Reader, headers http.Header) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, target, body)
	for name, values := range headers {
		r.Header[name] = values
	}
	w := httptest.NewRecorder()
	a.handler.ServeHTTP(w, r)
	return w
}

func authorization(values ...string) http.Header { return http.Header{"Authorization": values} }

// TestDecisions asks in each proxy's way, by any method and with any path of a client: a
// refusal is that of a front, and only a good token is answered with 2xx.
func TestDecisions(t *testing.T) {
	for _, name := range profiles.Builtin() {
		t.Run(name, func(t *testing.T) {
			a := newAsked(t, name, sqlitetest.MustOpen(t))
			direct, err := dialects.NewBefore(a.profile, a.Engine, func(api front.API) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if _, ok := api.Authenticate(w, r, true); ok {
						w.WriteHeader(http.StatusTeapot)
					}
				})
			})
			if err != nil {
				t.Fatal(err)
			}
			scheme := a.profile.Scheme + " "
			good, bad := scheme+a.token, scheme+"0123456789012345678901234567890123456789"
			for _, headers := range []http.Header{
				nil, authorization(""), authorization("Other x"), authorization(scheme), authorization(bad), authorization(good + " x"),
				authorization(good, good), authorization(bad, good), authorization(good, ""), authorization("Basic eDp5", good), authorization(good),
			} {
				want := httptest.NewRecorder()
				r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/private/", nil)
				r.Header = headers.Clone()
				direct.ServeHTTP(want, r)
				for target, status := range map[string]int{
					"request": http.StatusNoContent, "forward": http.StatusOK, "forward?format=api": http.StatusOK, "denied": http.StatusServiceUnavailable, "denied?status=400": http.StatusBadRequest,
					"envoy": http.StatusOK, "envoy/": http.StatusOK, "envoy/private/?x=1": http.StatusOK, "envoy//../denied": http.StatusOK, "envoy/%2e%2e/denied": http.StatusOK,
				} {
					for _, method := range []string{"GET", "HEAD", "POST", "OPTIONS", "DELETE", "BREW"} {
						got := a.send(t, method, "/"+name+"/"+target, unread{t}, headers)
						what := fmt.Sprintf("%s %s with %q", method, target, headers)
						if want.Code == http.StatusTeapot {
							if got.Code != status {
								t.Errorf("%s: %d, want %d", what, got.Code, status)
							}
							if user := got.Header().Get("X-User"); (user == "ann") != (status < 300) {
								t.Errorf("%s: user %q", what, user)
							}
							continue
						}
						if connection := got.Header().Get("Connection"); connection != "close" {
							t.Errorf("%s: the body will be read: Connection %q", what, connection)
						}
						got.Header().Del("Connection")
						if diff := cmp.Diff([]any{want.Code, want.Header(), want.Body.String()}, []any{got.Code, got.Header(), got.Body.String()}); diff != "" {
							t.Errorf("%s (-direct +asked):\n%s", what, diff)
						}
					}
				}
			}
		})
	}
}

// TestNotFound asks for what is not there.
func TestNotFound(t *testing.T) {
	a := newAsked(t, "snippit", sqlitetest.MustOpen(t))
	good := authorization("Token " + a.token)
	for _, target := range []string{"/", "/snippit", "/snippit/", "/snippit/request/", "/snippit/request/x", "/snippit/forward/../request", "/snippit/envoys", "//snippit/request", "/other/request", "/request", "/denied", "/introspect/", "/snippit/api/auth/login/"} {
		w := a.send(t, http.MethodGet, target, nil, good)
		if w.Code != http.StatusNotFound || w.Header().Get("Content-Type") != "text/plain; charset=utf-8" || !strings.HasPrefix(w.Body.String(), "not found") {
			t.Errorf("%s: %d %v %s", target, w.Code, w.Header(), w.Body)
		}
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodOptions, "*", nil)
	w := httptest.NewRecorder()
	if a.handler.ServeHTTP(w, r); w.Code != http.StatusNotFound {
		t.Errorf("*: %d", w.Code)
	}
}

// TestStoreAway has a store that does not answer: nothing is 2xx, nor told to be inactive.
func TestStoreAway(t *testing.T) {
	store := sqlitetest.MustOpen(t)
	a := newAsked(t, "ocd-users", store)
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	for _, target := range []string{"/ocd-users/request", "/ocd-users/forward", "/ocd-users/envoy/x", "/ocd-users/denied", "/ocd-users/denied?status=400"} {
		w := a.send(t, http.MethodGet, target, nil, authorization("Token "+a.token))
		if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
			t.Errorf("%s: %d %v", target, w.Code, w.Header())
		}
	}
	w := a.introspect(t, "/introspect", "token="+a.token)
	if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" || strings.Contains(w.Body.String(), "active") {
		t.Errorf("introspection: %d %v %s", w.Code, w.Header(), w.Body)
	}
}
