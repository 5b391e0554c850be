package console_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	neturl "net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/console"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/consoletest"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/guard"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/operate"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/relay"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/target"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/target/targettest"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/engine"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/httpserver"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/inprocess"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/metrics"
	"github.com/authcompat/authcompat/core/hashing"
)

// paths are the pages that the navigation leads to.
func paths() []string {
	var all []string
	for _, view := range []string{"profiles", "try", "suite", "users", "tokens", "audit", "callers", "cutover", "metrics"} {
		all = append(all, "/console/"+view+"/")
	}
	return all
}

// serve serves a console with all views, and returns its address and key. What the server has to say goes to
// said.
func serve(t *testing.T, said io.Writer) (address, key string) {
	t.Helper()
	return serveFor(t, said, true)
}

// serveFor is serve for an operator who may write, or may not.
func serveFor(t *testing.T, said io.Writer, write bool) (address, key string) {
	t.Helper()
	key = guard.NewKey()
	m := metrics.New(func() float64 { return 0 })
	e, err := engine.Open(t.Context(), engine.Options{DSN: "sqlite:" + filepath.Join(t.TempDir(), "auth.db"), Iterations: 1, Log: slog.New(slog.DiscardHandler), Metrics: m, HashPool: &hashing.PoolOptions{}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() }) // its data is gone with the folder
	clock := inprocess.NewClock()
	ctx, end := context.WithCancel(context.Background())
	handler, err := console.New(ctx, console.Options{
		Key: key, Hosts: []string{"127.0.0.1", "localhost"}, Targets: targets(t, clock), Clock: clock, Mode: "a test",
		Operate: &operate.Options{Engine: e, Metrics: m.Gatherer(), Write: write},
	})
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if said == nil {
		said = io.Discard
	}
	var servers httpserver.Servers
	logger := slog.New(slog.NewTextHandler(said, &slog.HandlerOptions{Level: slog.LevelDebug}))
	servers.Take(listener, handler, httpserver.ListenOptions{Log: logger})
	done := make(chan error, 1)
	go func() { done <- servers.Serve(ctx, logger) }()
	t.Cleanup(func() {
		end()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return listener.Addr().String(), key
}

// targets serves some APIs.
func targets(t *testing.T, clock *inprocess.Clock) (all []target.Target) {
	t.Helper()
	for _, name := range []string{"snippit", "form-auth"} {
		made := targettest.Served(t, name, inprocess.Options{Clock: clock})
		made.Launcher, made.Users = targettest.Launched(t, name, nil).Launcher, made.Exchanges.ExampleUsers(3)
		for _, u := range made.Users {
			if err := made.State.CreateUser(t.Context(), u); err != nil {
				t.Fatal(err)
			}
		}
		all = append(all, made)
	}
	return all
}

// address serves a console with all views, and returns the URL with its key.
func address(t *testing.T) string {
	t.Helper()
	return guard.URL(serve(t, nil))
}

// session begins a session, and returns its cookie.
func session(t *testing.T, server, key string) string {
	t.Helper()
	res, err := http.DefaultTransport.RoundTrip(httptest.NewRequest("GET", guard.URL(server, key), nil))
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	for _, c := range res.Cookies() {
		return c.Name + "=" + c.Value
	}
	t.Fatalf("the key begins no session: %s", res.Status)
	return ""
}

// open serves a console with all views, and returns its URL and a client that has its key.
func open(t *testing.T) (string, *http.Client) {
	t.Helper()
	client, root := consoletest.Session(t, address(t))
	return strings.TrimSuffix(root, "/console/"), client
}

func get(t *testing.T, client *http.Client, url string) (int, string) {
	t.Helper()
	res, err := client.Get(url)
	return consoletest.Read(t, res, err)
}

// TestPages has every link of the navigation lead to a page that marks it as the current one.
func TestPages(t *testing.T) {
	url, client := open(t)
	for _, path := range paths() {
		status, body := get(t, client, url+path)
		if status != http.StatusOK {
			t.Errorf("%s: status %d", path, status)
		}
		if want := `<a href="` + path + `" aria-current="page">`; !strings.Contains(body, want) || strings.Count(body, "aria-current") != 1 {
			t.Errorf("%s: its link is not marked as the current one:\n%s", path, body)
		}
		if strings.Count(body, "<h1>") != 1 {
			t.Errorf("%s: not one heading:\n%s", path, body)
		}
	}
	if status, body := get(t, client, url+"/console/nothing"); status != http.StatusNotFound || !strings.Contains(body, "There is no such page.") {
		t.Errorf("an unknown path: status %d\n%s", status, body)
	}
}

// TestReadOnly has no view of the suite, which makes users, for an operator who may not write.
func TestReadOnly(t *testing.T) {
	server, key := serveFor(t, nil, false)
	cookie := session(t, server, key)
	for path, want := range map[string]int{"/console/profiles/": http.StatusOK, "/console/users/": http.StatusOK, "/console/suite/": http.StatusNotFound} {
		r, err := http.NewRequest("GET", "http://"+server+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Cookie", cookie)
		res, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if res.StatusCode != want || strings.Contains(string(body), "/console/suite/") {
			t.Errorf("%s: %s\n%s", path, res.Status, body)
		}
	}
}

// TestLongestBody lets a form through whose body is as long as a request's may be, and has each byte as an escape.
func TestLongestBody(t *testing.T) {
	url, client := open(t)
	body := strings.Repeat(`\xff`, relay.MaxRequest)
	for text, want := range map[string]int{body: http.StatusOK, body + "a": http.StatusRequestEntityTooLarge} {
		res, err := client.PostForm(url+"/console/try/", neturl.Values{"target": {"snippit"}, "do": {"send"}, "method": {"POST"}, "path": {"/"}, "escapes": {"on"}, "body": {text}})
		if err != nil {
			t.Fatal(err)
		}
		page, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if err != nil || res.StatusCode != want {
			t.Errorf("%d bytes: %s, %v\n%.600s", len(text), res.Status, err, page)
		}
	}
}
