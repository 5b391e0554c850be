// Package apitest asks a profile's API for replies, in the tests of a family.
package apitest

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/hashing"
	"github.com/authcompat/authcompat/core/sealing"
	"github.com/authcompat/authcompat/dialects"
	"github.com/authcompat/authcompat/profiles"
)

// API is a profile's API on a store of its own.
type API struct {
	Engine  *core.Service
	handler http.Handler
}

// MustLoad returns a built-in profile, which the test may change.
func MustLoad(tb testing.TB, name string) *profiles.Profile {
	tb.Helper()
	p, err := profiles.Load(name)
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

// MustNew makes the API of a profile.
func MustNew(tb testing.TB, p *profiles.Profile, store core.Store, options ...dialects.Option) *API {
	tb.Helper()
	hasher, err := hashing.NewDjangoHasher(1)
	if err != nil {
		tb.Fatal(err)
	}
	sealer, err := sealing.NewSealer(make([]byte, sealing.KeySize))
	if err != nil {
		tb.Fatal(err)
	}
	backend := core.Backend{Store: store}
	if whole, ok := store.(interface{ Backend() core.Backend }); ok {
		backend = whole.Backend()
	}
	a := &API{Engine: core.New(core.Config{Backend: backend, Hasher: hasher, Sealer: sealer})}
	if a.handler, err = dialects.New(p, a.Engine, options...); err != nil {
		tb.Fatal(err)
	}
	return a
}

// refusing is a hasher that admits nobody.
type refusing struct {
	core.Hasher
	err error
}

func (r refusing) Acquire(ctx context.Context, _ int) (admitted context.Context, release func(), err error) {
	return ctx, nil, r.err
}

// RunRefusals lets every login of a profile's API fail with each of the kinds, and checks the
// status of the reply, that Retry-After is there where another try may help, and that the
// cause is not.
func RunRefusals(t *testing.T, p *profiles.Profile, path, contentType, body string, statuses map[core.Kind]int) {
	t.Helper()
	for kind, status := range statuses {
		err := &core.Error{Kind: kind, RetryAfter: 7 * time.Second, Err: errors.New("the cause")}
		a := &API{Engine: core.New(core.Config{Hasher: refusing{err: err}})}
		var failure error
		if a.handler, failure = dialects.New(p, a.Engine); failure != nil {
			t.Fatal(failure)
		}
		w := a.Ask(t, http.MethodPost, path, body, "Content-Type", contentType)
		wait := ""
		if status == http.StatusServiceUnavailable || status == http.StatusTooManyRequests {
			wait = "7"
		}
		if w.Code != status || w.Header().Get("Retry-After") != wait || strings.Contains(w.Body.String(), "cause") {
			t.Errorf("%s: %d %s, Retry-After %q; want %d, %q", kind, w.Code, w.Body, w.Header().Get("Retry-After"), status, wait)
		}
	}
}

// MustCreateUser makes a user whose password is "secret".
func (a *API) MustCreateUser(tb testing.TB, name string, inactive bool) {
	tb.Helper()
	if _, err := a.Engine.CreateUser(tb.Context(), core.Policy{}, core.Registration{Username: name, Password: "secret", Inactive: inactive}); err != nil {
		tb.Fatal(err)
	}
}

// MustLogin returns a token of a user, issued under a policy.
func (a *API) MustLogin(tb testing.TB, p core.Policy, name string) string {
	tb.Helper()
	s, err := a.Engine.Login(tb.Context(), p, name, "secret")
	if err != nil {
		tb.Fatal(err)
	}
	return s.Key
}

// Ask sends a request, with headers as pairs of names and values, and returns the reply.
func (a *API) Ask(tb testing.TB, method, path, body string, headers ...string) *httptest.ResponseRecorder {
	tb.Helper()
	return a.ask(tb, method, path, strings.NewReader(body), headers)
}

// AskSlowly is Ask with a body that comes once meanwhile has returned, which is called as soon as the API reads it.
func (a *API) AskSlowly(tb testing.TB, meanwhile func(), method, path, body string, headers ...string) *httptest.ResponseRecorder {
	tb.Helper()
	return a.ask(tb, method, path, &late{Reader: strings.NewReader(body), meanwhile: meanwhile}, headers)
}

// late is a body that keeps its reader waiting.
type late struct {
	io.Reader
	meanwhile func() // nil: it was called
}

func (l *late) Read(p []byte) (int, error) {
	if l.meanwhile != nil {
		l.meanwhile()
		l.meanwhile = nil
	}
	return l.Reader.Read(p)
}

func (a *API) ask(tb testing.TB, method, path string, body io.Reader, headers []string) *httptest.ResponseRecorder {
	tb.Helper()
	r := httptest.NewRequestWithContext(tb.Context(), method, path, body)
	for i := 0; i < len(headers); i += 2 {
		r.Header[headers[i]] = append(r.Header[headers[i]], headers[i+1])
	}
	w := httptest.NewRecorder()
	a.handler.ServeHTTP(w, r)
	return w
}

// MustParse returns the profile in a text, in which pairs of names stand for others.
func MustParse(tb testing.TB, text string, pairs ...string) *profiles.Profile {
	tb.Helper()
	text = strings.NewReplacer(pairs...).Replace(text)
	p, err := profiles.Parse("test.yaml", []byte(text))
	if err != nil {
		tb.Fatal(err)
	}
	return p
}
