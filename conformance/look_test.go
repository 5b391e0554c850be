package conformance_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/authcompat/authcompat/conformance"
)

// answer is a server that gives every request the same response.
func answer(status int, contentType, body string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.Header().Set("Location", "https://user.example/login?next=secret")
		w.WriteHeader(status)
		io.WriteString(w, body)
	})
}

func TestLook(t *testing.T) {
	working := newFake()
	working.users["shared"] = conformance.User{Username: "shared", Password: "its password"}
	other := newFake()
	other.taken = "Somebody has that name." // a difference, which the exchanges have to find
	noRegistration := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/register" && strings.Contains(r.Header.Get("Content-Type"), "json") {
			w.Header().Set("Content-Type", "application/json")
			fail(w, 403, "Registration is closed.")
			return
		}
		working.ServeHTTP(w, r)
	})
	given := conformance.Options{User: "shared", Password: "its password"}
	wrong := conformance.Options{User: "shared", Password: "a wrong password"}
	users := func(name, password string) conformance.Options {
		return conformance.Options{Users: map[string]conformance.User{name: {Username: "shared", Password: password}}}
	}
	for _, test := range []struct {
		name    string
		file    string
		server  http.Handler
		options conformance.Options
		want    string // the error
	}{
		{"registers", "fake", working, conformance.Options{}, ""},
		{"differs", "fake", other, conformance.Options{}, ""},
		{"registers with another status", "fake", statusOf(working, "/register", 200), conformance.Options{}, ""},
		{"no registration", "probed", noRegistration, conformance.Options{}, "7: it does not register users: POST /register is answered with status 403 (application/json), documented is 201"},
		{"another API that registers", "probed", answer(404, "text/html", "nothing"), conformance.Options{}, "5: it does not speak probed: POST /login is answered with status 404 (text/html), documented is 400"},
		{"a page for every path", "probed", answer(200, "text/html", "<p>hello"), conformance.Options{}, "5: it does not speak probed: POST /login is answered with status 200 (text/html), documented is 400"},
		{"sends on", "probed", answer(301, "text/html", ""), conformance.Options{},
			"5: it does not speak probed: POST /login is answered with status 301 (text/html), documented is 400; it sends on to https://user.example/login"},

		{"the user logs in", "shared", working, given, ""},
		{"the user cannot log in", "shared", working, wrong, "6: the given user cannot log in: it gets what a wrong password gets: POST /login is answered with status 400 (application/json), documented is 200"},
		{"a user of a name logs in", "shared", working, users("john", "its password"), ""},
		{"a user of a name cannot log in", "shared", working, users("john", "a wrong password"), "6: the given user john cannot log in: it gets what a wrong password gets: POST /login is answered with status 400 (application/json), documented is 200"},
		{"nor at an API that registers others", "fake", working, users("john", "a wrong password"), "6: the given user john cannot log in: it gets what a wrong password gets: POST /login is answered with status 400 (application/json), documented is 200"},
		{"a user whom no exchange logs in", "shared", working, users("nobody", "a wrong password"), ""},
		{"no user is given", "shared", working, conformance.Options{}, ""},
		{"the login differs", "shared", statusOf(working, "/login", 201), given, ""},
		{"the same status without a token", "shared", answer(200, "application/json", `{"username": null, "token": ""}`), given,
			"6: the given user cannot log in: it gets what a wrong password gets: POST /login is answered with status 200 (application/json), documented is 200 with another body"},
		{"the same status, another body", "probed", answer(400, "text/plain", "Client sent an HTTP request to an HTTPS server."), conformance.Options{},
			"5: it does not speak probed: POST /login is answered with status 400 (text/plain), documented is 400 with another body"},
	} {
		t.Run(test.name, func(t *testing.T) {
			server := httptest.NewServer(test.server)
			defer server.Close()
			file := load(t, "testdata/"+test.file+".yaml")[0]
			if diff := cmp.Diff(test.want, looked(t.Context(), file, server.URL, test.options)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// statusOf is a server that answers a path with another status, if it is a good one.
func statusOf(server http.Handler, path string, status int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		recorded := httptest.NewRecorder()
		server.ServeHTTP(recorded, r)
		for name, values := range recorded.Header() {
			w.Header()[name] = values
		}
		if r.URL.Path != path || recorded.Code/100 != 2 {
			status = recorded.Code
		}
		w.WriteHeader(status)
		io.Copy(w, recorded.Body)
	})
}

// looked is the kind and the text of Look's error.
func looked(ctx context.Context, file *conformance.File, url string, o conformance.Options) string {
	err := conformance.Look(ctx, file, url, o)
	var unfit *conformance.Unfit
	switch {
	case errors.As(err, &unfit):
		return fmt.Sprintf("%d: %v", unfit.Kind, err)
	case err != nil:
		return err.Error()
	}
	return ""
}

func TestLookWithoutAnswer(t *testing.T) {
	file := load(t, "testdata/shared.yaml")[0]
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	dead := "http://" + listener.Addr().String()
	listener.Close()
	if got := looked(t.Context(), load(t, "testdata/probed.yaml")[0], dead, conformance.Options{}); !strings.HasPrefix(got, "1: nothing answers there: dial tcp ") {
		t.Errorf("dead: %s", got)
	}
	if got := looked(t.Context(), file, "nowhere", conformance.Options{}); got != `1: the server's URL: "nowhere" is not an http:// or https:// URL with a host` {
		t.Errorf("no URL: %s", got)
	}

	var asked atomic.Int32
	release := make(chan struct{})
	hangs := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1); <-release }))
	defer hangs.Close()
	defer close(release)
	file = load(t, "testdata/probed.yaml")[0]
	if got := looked(t.Context(), file, hangs.URL, conformance.Options{Timeout: 2 * time.Second}); got != "2: no complete response within 2s" || asked.Load() != 1 {
		t.Errorf("hangs: %s, asked %d times", got, asked.Load())
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if got := looked(ended, file, hangs.URL, conformance.Options{}); got != "context canceled" {
		t.Errorf("ended: %s", got)
	}

	mail, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer mail.Close()
	go func() {
		for {
			conn, err := mail.Accept()
			if err != nil {
				return
			}
			io.WriteString(conn, "220 mail.example.com ready\r\n")
			conn.Close()
		}
	}()
	if got := looked(t.Context(), file, "http://"+mail.Addr().String(), conformance.Options{}); !strings.HasPrefix(got, "3: what answers there speaks no HTTP: ") {
		t.Errorf("mail: %s", got)
	}
}

// TestLookWithoutHandshake has a server that takes connections, and says nothing in them.
func TestLookWithoutHandshake(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	got := looked(t.Context(), load(t, "testdata/probed.yaml")[0], "https://"+listener.Addr().String(), conformance.Options{Timeout: 50 * time.Millisecond})
	if got != "1: nothing answers there within 50ms" {
		t.Error(got)
	}
}

func TestLookOverTLS(t *testing.T) {
	f := newFake()
	file := load(t, "testdata/probed.yaml")[0]
	secure := httptest.NewTLSServer(f)
	defer secure.Close()
	plain := httptest.NewServer(f)
	defer plain.Close()
	roots := x509.NewCertPool()
	roots.AddCert(secure.Certificate())
	if got := looked(t.Context(), file, secure.URL, conformance.Options{TLS: &tls.Config{RootCAs: roots}}); got != "" {
		t.Errorf("trusted: %s", got)
	}
	if got := looked(t.Context(), file, secure.URL, conformance.Options{}); !strings.HasPrefix(got, "4: its certificate is not trusted: ") {
		t.Errorf("not trusted: %s", got)
	}
	if got := looked(t.Context(), file, strings.Replace(plain.URL, "http", "https", 1), conformance.Options{}); !strings.HasPrefix(got, "3: what answers there speaks no TLS: ") {
		t.Errorf("no TLS: %s", got)
	}
	if got := looked(t.Context(), file, strings.Replace(secure.URL, "https", "http", 1), conformance.Options{}); !strings.HasPrefix(got, "5: it does not speak probed: POST /login") {
		t.Errorf("TLS: %s", got)
	}
}

// TestAdvice has advice for every kind of unfit server, in a line that goes on a sentence.
func TestAdvice(t *testing.T) {
	seen := map[string]bool{}
	for kind := conformance.NoAnswer; kind <= conformance.NoRegistration; kind++ {
		advice := (&conformance.Unfit{Kind: kind}).Advice()
		if advice == "" || advice[:1] != strings.ToLower(advice[:1]) || strings.HasSuffix(advice, ".") {
			t.Errorf("%d: %q", kind, advice)
		}
		seen[advice] = true
	}
	if len(seen) != 7 {
		t.Errorf("%d kinds of advice", len(seen))
	}
}
