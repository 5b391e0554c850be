package conformance_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/authcompat/authcompat/conformance"
)

// A fake is a server of the API that testdata/fake.yaml documents.
type fake struct {
	mu     sync.Mutex
	users  map[string]conformance.User
	tokens map[string]fakeToken
	ahead  time.Duration // offset of the clock
	taken  string        // the message for a taken name
	issued int
	names  []string // in the order of registration
}

type fakeToken struct {
	username string
	expires  time.Time
}

func newFake() *fake {
	return &fake{users: map[string]conformance.User{}, tokens: map[string]fakeToken{}, taken: "This name is taken."}
}

func (f *fake) now() time.Time { return time.Now().Add(f.ahead) }

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	w.Header()["X-Fake"] = []string{"yes"}
	w.Header().Set("Content-Type", "application/json")
	body, _ := io.ReadAll(r.Body)
	var in struct{ Username, Password, Email string }
	if r.Header.Get("Content-Type") == "application/x-www-form-urlencoded" {
		r.Body = io.NopCloser(bytes.NewReader(body))
		in.Username, in.Password = r.FormValue("username"), r.FormValue("password")
	} else {
		json.Unmarshal(body, &in)
	}
	switch r.Method + " " + r.URL.Path {
	case "POST /register":
		if _, ok := f.users[in.Username]; ok {
			fail(w, 400, f.taken)
			return
		}
		f.users[in.Username] = conformance.User{Username: in.Username, Password: in.Password, Email: in.Email}
		f.names = append(f.names, in.Username)
		f.issue(w, 201, in.Username)
	case "POST /login":
		u, ok := f.users[in.Username]
		switch {
		case len(body) > 3000 && r.Header["Content-Type"] == nil && body[3000] == 0xff:
			fail(w, 413, "Too large.")
		case !ok || u.Password != in.Password || u.Inactive:
			fail(w, 400, "Wrong.")
		default:
			f.issue(w, 200, in.Username)
		}
	case "POST /logout":
		key := strings.TrimPrefix(r.Header.Get("Authorization"), "Token ")
		if _, ok := f.tokens[key]; !ok {
			f.invalid(w)
			return
		}
		delete(f.tokens, key)
		w.Header()["Content-Type"] = nil
		w.WriteHeader(204)
	case "GET /me", "GET /place":
		token, ok := f.tokens[r.URL.Query().Get("token")]
		u := f.users[token.username]
		switch {
		case !ok || token.expires.Before(f.now()):
			f.invalid(w)
		case r.URL.Path == "/place":
			fmt.Fprintf(w, `{"place": %q}`, u.Attributes["place"])
		default:
			fmt.Fprintf(w, `{"username": %q, "email": %q, "at": %q}`, u.Username, u.Email, f.now().UTC().Format("2006-01-02T15:04:05.000Z"))
		}
	default:
		w.Header()["X-Twice"] = r.Header["X-Twice"]
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(404)
		io.WriteString(w, "<h1>nothing here</h1>")
	}
}

func (f *fake) issue(w http.ResponseWriter, status int, username string) {
	f.issued++
	key := fmt.Sprintf("%040x", 0xabc000+f.issued)
	f.tokens[key] = fakeToken{username: username, expires: f.now().Add(24 * time.Hour)}
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"username": %q, "token": %q}`, username, key)
}

func (f *fake) invalid(w http.ResponseWriter) {
	w.Header()["WWW-Authenticate"] = []string{"Token"}
	fail(w, 401, "Invalid token.")
}

func fail(w http.ResponseWriter, status int, sentence string) {
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"error": %q}`, sentence)
}

// A process launches a fake for each exchange, and can read and change its state.
type process struct{ broken func(*fake) }

func (p process) Launch(context.Context, string) (*conformance.Server, error) {
	f := newFake()
	if p.broken != nil {
		p.broken(f)
	}
	server := httptest.NewServer(f)
	return &conformance.Server{URL: server.URL, Isolated: true, State: f, Close: func() error { server.Close(); return nil }}, nil
}

func (f *fake) CreateUser(_ context.Context, u conformance.User) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.users[u.Username] = u
	return nil
}

// Link gives what logs the user in.
func (f *fake) Link(_ context.Context, username string) (uid, token string, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	u, ok := f.users[username]
	if !ok {
		return "", "", fmt.Errorf("there is no user %s", username)
	}
	return u.Username, u.Password, nil
}

// EmailKey gives the password, too.
func (f *fake) EmailKey(ctx context.Context, username string) (key string, err error) {
	_, key, err = f.Link(ctx, username)
	return key, err
}

func (f *fake) Now() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.now()
}

func (f *fake) Advance(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ahead += d
}

func files(t *testing.T) []*conformance.File { return load(t, "testdata/fake.yaml") }

func load(t *testing.T, name string) []*conformance.File {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	f, err := conformance.Load(name, data)
	if err != nil {
		t.Fatal(err)
	}
	return []*conformance.File{f}
}

// outcomes are the results that are not Passed, as "name: outcome: reason".
func outcomes(r *conformance.Report) []string {
	var lines []string
	for _, p := range r.Profiles {
		for _, result := range p.Results {
			if result.Outcome != conformance.Passed {
				lines = append(lines, strings.TrimSuffix(fmt.Sprintf("%s: %s: %s", result.Exchange, result.Outcome, result.Reason), ": "))
			}
		}
	}
	return lines
}
