package inprocess

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/authcompat/authcompat/conformance"
	"github.com/authcompat/authcompat/conformance/differential"
	"github.com/authcompat/authcompat/conformance/wire"
	"github.com/authcompat/authcompat/dialects"
	"github.com/authcompat/authcompat/profiles"
	"github.com/authcompat/authcompat/store"
)

// observed is a refusal that a server gave.
type observed struct {
	endpoint string // empty: no endpoint has the path
	request  string
	status   int
	header   http.Header
	body     string
}

// observer is put around handlers, and keeps the refusals, each once.
type observer struct {
	find func(*http.Request) dialects.Found
	// refusal tells whether an answer of a status below 400 is one: that of a form can be.
	refusal func(endpoint string, status int, body string) bool

	mu   sync.Mutex
	seen map[string]observed
}

func observe(p *profiles.Profile) *observer {
	o := &observer{find: dialects.NewFinder(p), seen: map[string]observed{}}
	o.refusal = func(endpoint string, status int, body string) bool {
		i := slices.IndexFunc(p.Endpoints, func(e profiles.Endpoint) bool { return e.Name == endpoint })
		form := i >= 0 && p.Family == profiles.FormJSON && len(p.Endpoints[i].Fields) > 0
		return status >= 400 || form && status == p.Errors.Status && strings.Contains(body, `"success": false`)
	}
	return o
}

func (o *observer) around(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		found := o.find(r)
		got := httptest.NewRecorder()
		h.ServeHTTP(got, r)
		for name, values := range got.Header() {
			w.Header()[name] = values
		}
		w.WriteHeader(got.Code)
		_, _ = w.Write(got.Body.Bytes())
		if found.Redirect || r.Method == http.MethodHead || anotherForm(r, got) || !o.refusal(found.Endpoint, got.Code, got.Body.String()) {
			return
		}
		o.mu.Lock()
		defer o.mu.Unlock()
		key := fmt.Sprintf("%s %d %s", found.Endpoint, got.Code, got.Body)
		o.seen[key] = observed{found.Endpoint, r.Method + " " + r.URL.String(), got.Code, got.Header(), got.Body.String()}
	})
}

// anotherForm tells whether a client has asked for the same in another form: a page of the browsable API, or JSON that is indented
// or has parameters in its type.
func anotherForm(r *http.Request, got *httptest.ResponseRecorder) bool {
	accept := strings.Join(r.Header.Values("Accept"), ",")
	page := bytes.HasPrefix(got.Body.Bytes(), []byte("<!DOCTYPE html>\n<title>")) && bytes.Contains(got.Body.Bytes(), []byte("</title>\n<pre>"))
	return page || strings.Contains(accept, ";")
}

// check finds each refusal that was seen among those that are described.
func (o *observer) check(t *testing.T, p *profiles.Profile, described dialects.Answers) {
	t.Helper()
	for _, seen := range o.seen {
		all := described.Other
		if seen.endpoint != "" {
			all = described.Endpoints[seen.endpoint].Refusals
		}
		if why := missing(seen, all); why != "" {
			t.Errorf("%s, %s: %s: %d\n%.300q\nis not described: %s", p.Name, seen.endpoint, seen.request, seen.status, seen.body, why)
		}
	}
}

// missing says why a refusal is not among those described; "": it is. One with several sentences has to have each as it is
// described alone.
func missing(seen observed, all []dialects.Answer) string {
	why := "no answer has the status and the body"
	for _, a := range all {
		if _, fits := dialects.ExactAnswer([]dialects.Answer{a}, seen.status, seen.body); fits {
			if why = otherHeaders(a, seen.header); why == "" {
				return ""
			}
		}
	}
	if len(dialects.AnswersBySentence(all, seen.status, seen.body)) > 1 {
		return ""
	}
	return why
}

// otherHeaders says which header is another one than it is described; "": none.
func otherHeaders(a dialects.Answer, got http.Header) string {
	want := http.Header{}
	for _, h := range a.Headers {
		want[h.Name] = append(want[h.Name], h.Value)
	}
	for _, name := range []string{"Content-Length", "Retry-After", "Vary"} {
		if name == "Content-Length" || (len(want[name]) > 0) == (len(got[name]) > 0) {
			want[name], got = nil, without(got, name)
		}
		delete(want, name)
	}
	for name, values := range got {
		if len(values) > 0 && !slices.Equal(values, want[name]) {
			return fmt.Sprintf("%s is %q, described as %q", name, values, want[name])
		}
	}
	for name, values := range want {
		if len(got[name]) == 0 {
			return fmt.Sprintf("%s is described as %q, and not there", name, values)
		}
	}
	return ""
}

func without(h http.Header, name string) http.Header {
	h = h.Clone()
	delete(h, name)
	return h
}

// TestEveryRefusalIsDescribed replays the exchanges of every built-in profile, and sends generated requests, hostile ones among
// them: each refusal has to be one of those that the families describe, with these bytes and headers.
func TestEveryRefusalIsDescribed(t *testing.T) {
	const requests = 100 // of each profile
	for _, name := range profiles.Builtin() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, err := profiles.Load(name)
			if err != nil {
				t.Fatal(err)
			}
			described, err := dialects.Describe(p)
			if err != nil {
				t.Fatal(err)
			}
			file, err := conformance.Builtin(name)
			if err != nil {
				t.Fatal(err)
			}
			o := observe(p)
			l := NewLauncher([]*profiles.Profile{p}, store.NewTemps(""))
			l.Around = o.around
			conformance.Run(t.Context(), []*conformance.File{file}, l, conformance.Options{})
			if len(o.seen) < 5 {
				t.Errorf("the exchanges have %d refusals", len(o.seen))
			}
			o.generated(t, l, name, requests)
			o.check(t, p, described)
		})
	}
}

// generated sends generated requests to a server.
func (o *observer) generated(t *testing.T, l *Launcher, name string, requests int) {
	t.Helper()
	i := slices.IndexFunc(differential.Builtin(), func(a differential.API) bool { return a.Name == name })
	if i < 0 {
		t.Fatalf("no requests are generated for %s", name)
	}
	server, err := l.Launch(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	}()
	for _, u := range []conformance.User{
		{Username: differential.ActiveUser, Password: differential.UserPassword, Email: differential.ActiveUser + "@example.com"},
		{Username: differential.InactiveUser, Password: differential.UserPassword, Email: differential.InactiveUser + "@example.com", Inactive: true},
	} {
		if err := server.State.CreateUser(t.Context(), u); err != nil {
			t.Fatal(err)
		}
	}
	client, err := wire.NewClient(server.URL, time.Minute, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := differential.Compare(t.Context(), differential.Builtin()[i], client, nil, differential.Options{Seed: 7, Requests: requests, Hostile: true, Exact: true}); err != nil {
		t.Error(err)
	}
}

// TestRefusalIsNoticed has a refusal that nobody describes be noticed.
func TestRefusalIsNoticed(t *testing.T) {
	p, err := profiles.Load("ocd-users")
	if err != nil {
		t.Fatal(err)
	}
	described, err := dialects.Describe(p)
	if err != nil {
		t.Fatal(err)
	}
	all := described.Endpoints["login"].Refusals
	headers := http.Header{"X-Content-Type-Options": {"nosniff"}, "Referrer-Policy": {"same-origin"}, "Allow": {"POST, OPTIONS"}, "Content-Type": {"application/json"}, "Vary": {"Accept"}, "X-Frame-Options": {"DENY"}}
	for body, good := range map[string]bool{
		`{"non_field_errors":["Unable to log in with provided credentials."]}`: true, `{"non_field_errors":["Unable to log in with provided credentials"]}`: false,
		`{"username":["This field is required."],"password":["This field is required."]}`: true, `{"username":["This field is required."],"pasword":["This field is required."]}`: false,
		`{"username":["This field is required."],"password":["This field is required"]}`: false, `{"username":["This field is required.","This field may not be null."]}`: true, `{"non_field_errors": ["Unable to log in with provided credentials."]}`: false,
	} {
		if why := missing(observed{"login", "", 400, headers, body}, all); (why == "") != good {
			t.Errorf("%s: %s", body, why)
		}
	}
	headers.Set("Allow", "POST")
	if why := missing(observed{"login", "", 400, headers, `{"non_field_errors":["Unable to log in with provided credentials."]}`}, all); why == "" {
		t.Error("another header is not noticed")
	}
}
