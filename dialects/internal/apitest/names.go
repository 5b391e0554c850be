package apitest

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/hashing"
	"github.com/authcompat/authcompat/core/sealing"
	"github.com/authcompat/authcompat/dialects"
	"github.com/authcompat/authcompat/dialects/front"
	"github.com/authcompat/authcompat/dialects/internal/wire"
	"github.com/authcompat/authcompat/profiles"
)

// Named is a request to an endpoint, and whom it is about.
type Named struct {
	Endpoint, ContentType, Body string
	// Want is the name of the user; empty: nobody's.
	Want string
	// Method is that of the endpoint if it is empty.
	Method string
	Token  bool // the request has a token of ann's
}

// caseBlind is a store that finds "ann" by any spelling, as a case-blind column does.
type caseBlind struct {
	core.Store
	away bool
}

// Account implements core.Store.
func (s *caseBlind) Account(ctx context.Context, username string) (core.Account, error) {
	if strings.EqualFold(username, "ann") {
		username = "ann"
	}
	if s.away {
		return core.Account{}, core.ErrUnavailable
	}
	return s.Store.Account(ctx, username)
}

// FindToken implements core.Store.
func (s *caseBlind) FindToken(ctx context.Context, realm string, p core.Presented) (core.Token, core.User, error) {
	if s.away {
		return core.Token{}, core.User{}, core.ErrUnavailable
	}
	return s.Store.FindToken(ctx, realm, p)
}

// RunNames asks the gate of a profile's API whom requests are about. There is an account "ann",
// whose password is "secret", in a store that is blind to case; each login that names it has
// to succeed too, since what the gate reads is what the API reads. Of no body anything is lost.
func RunNames(t *testing.T, p *profiles.Profile, store core.Store, tests []Named) {
	t.Helper()
	hasher, err := hashing.NewDjangoHasher(1)
	if err != nil {
		t.Fatal(err)
	}
	sealer, err := sealing.NewSealer(make([]byte, sealing.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	blind := &caseBlind{Store: store}
	a := &API{Engine: core.New(core.Config{Backend: core.Backend{
		Store: blind, FoldUsername: func(_ context.Context, username string) (string, error) { return strings.ToLower(username), nil },
	}, Hasher: hasher, Sealer: sealer})}
	var gate front.API
	if a.handler, err = dialects.NewBefore(p, a.Engine, func(api front.API) http.Handler { gate = api; return http.NotFoundHandler() }); err != nil {
		t.Fatal(err)
	}
	a.MustCreateUser(t, "ann", false)
	a.MustCreateUser(t, "gone", true)
	token := a.MustLogin(t, dialects.Policy(p), "ann")
	for _, test := range tests {
		e := endpoint(t, p, test.Endpoint)
		method := test.Method
		if method == "" {
			method = e.Methods[0]
		}
		r := httptest.NewRequestWithContext(t.Context(), method, strings.ReplaceAll(e.Path, "{username}", "bob"), nil)
		kept := wire.Keep(io.NopCloser(strings.NewReader(test.Body)))
		r.Body, r.ContentLength = kept, int64(len(test.Body))
		if test.ContentType != "" {
			r.Header.Set("Content-Type", test.ContentType)
		}
		if test.Token {
			r.Header.Set("Authorization", p.Scheme+" "+token)
		}
		if got := gate.User(r, test.Endpoint); got != test.Want {
			t.Errorf("%s %.60q: %q, want %q", test.Endpoint, test.Body, got, test.Want)
		}
		if rest, err := io.ReadAll(kept); string(rest) != test.Body || err != nil {
			t.Errorf("%s %.60q: left of the body are %.60q, %v", test.Endpoint, test.Body, rest, err)
		}
		blind.away = true
		if got := gate.User(r, test.Endpoint); got != "" {
			t.Errorf("%s %.60q: %q while the store is away", test.Endpoint, test.Body, got)
		}
		blind.away = false
		if e.Action != profiles.Login || !e.Takes(method) || test.ContentType == "" {
			continue
		}
		w := a.Ask(t, method, e.Path, test.Body, "Content-Type", test.ContentType)
		if in := strings.Contains(strings.ReplaceAll(w.Body.String(), " ", ""), `"token":"`); in != (test.Want == "ann") {
			t.Errorf("%s %.60q: named %q, and the API says %d %s", test.Endpoint, test.Body, test.Want, w.Code, w.Body)
		}
	}
	// Without an endpoint, the token counts, and no body is read.
	for header, want := range map[string]string{
		p.Scheme + " " + token: "ann", "": "", p.Scheme: "", p.Scheme + " 0123456789012345678901234567890123456789": "", "Other " + token: "", p.Scheme + " \xff": "",
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/x", nil)
		if header != "" {
			r.Header.Set("Authorization", header)
		}
		r.Body = nil
		if got := gate.User(r, ""); got != want {
			t.Errorf("%q: %q, want %q", header, got, want)
		}
	}
}

func endpoint(t *testing.T, p *profiles.Profile, name string) profiles.Endpoint {
	t.Helper()
	for _, e := range p.Endpoints {
		if e.Name == name {
			return e
		}
	}
	t.Fatalf("%s has no endpoint %s", p.Name, name)
	return profiles.Endpoint{}
}
