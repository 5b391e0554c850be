package server

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/config"
	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/cutover"
	"github.com/authcompat/authcompat/core/hashing"
	"github.com/authcompat/authcompat/dialects"
)

// knoxDDL are the tables of Django and knox, with a column of usernames that is blind to case.
const knoxDDL = `
	CREATE TABLE auth_user (id integer PRIMARY KEY AUTOINCREMENT, password varchar(128) NOT NULL, last_login datetime NULL, is_superuser boolean NOT NULL,
		username varchar(150) COLLATE NOCASE NOT NULL UNIQUE, last_name varchar(150) NOT NULL, email varchar(254) NOT NULL,
		is_staff boolean NOT NULL, is_active boolean NOT NULL, date_joined datetime NOT NULL, first_name varchar(150) NOT NULL);
	CREATE TABLE knox_authtoken (digest varchar(128) NOT NULL PRIMARY KEY, created datetime NOT NULL, expiry datetime NULL,
		token_key varchar(25) NOT NULL, user_id integer NOT NULL REFERENCES auth_user (id))`

// application answers its name, and keeps the last request that it got.
type application struct {
	name string
	mu   sync.Mutex
	last string
}

func (a *application) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if more, _ := io.Copy(io.Discard, r.Body); more > 0 {
		body = fmt.Appendf(nil, "%d bytes", int64(len(body))+more)
	}
	a.mu.Lock()
	a.last = fmt.Sprintf("%s %s %v %q identity=%d", r.Method, r.RequestURI, r.Header["Authorization"], body, len(r.Header["X-Authcompat-Identity"]))
	a.mu.Unlock()
	_, _ = io.WriteString(w, a.name)
}

func (a *application) got() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.last
}

// switchedServer is a server whose cutover is kept in memory, before two applications.
type switchedServer struct {
	*server
	cutover  *memoryCutover
	log      *lockedLog
	old, new *application
	url      string
	client   *http.Client
	settings func(switches string)
	tokens   map[string]string
}

// startSwitched serves ocd-users with this list of what is switched.
func startSwitched(t *testing.T, switches string) *switchedServer {
	t.Helper()
	folder := t.TempDir()
	file, database := filepath.Join(folder, "c.yaml"), filepath.Join(folder, "django.sqlite3")
	db, err := sql.Open("sqlite", database)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(knoxDDL); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	s := &switchedServer{cutover: &memoryCutover{}, log: &lockedLog{}, old: &application{name: "old"}, new: &application{name: "new"}, tokens: make(map[string]string), client: &http.Client{Timeout: 30 * time.Second}}
	old, next := httptest.NewServer(s.old), httptest.NewServer(s.new)
	t.Cleanup(old.Close)
	t.Cleanup(next.Close)
	s.settings = func(switches string) {
		text := fmt.Sprintf("listeners: [{profile: ocd-users, front: {old: %q, new: %q, switch: %s, identity: {}, paths: [{path: /a/, token: pass}, {path: /private/, token: needed}]}}]\n"+
			"listen: 127.0.0.1:0\nstore: django+sqlite:%s\npassword_iterations: 1\nlog: {requests: all}\nlogin_limits: {enabled: off}\n", old.URL, next.URL, switches, database)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s.settings(switches)
	f := config.NewServer()
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	f.AddFlags(flags)
	if err := flags.Parse([]string{"--config", file}); err != nil {
		t.Fatal(err)
	}
	all, err := f.Resolve(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	s.server = newServer(f, slog.New(slog.NewJSONHandler(s.log, nil)))
	if err := s.open(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.engine.Close() })
	hasher, err := hashing.NewDjangoHasher(1)
	if err != nil {
		t.Fatal(err)
	}
	s.engine.Backend.Cutover = s.cutover
	s.engine.Service = core.New(core.Config{Backend: s.engine.Backend, Hasher: hasher})
	if err := s.listen(t.Context(), all); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { s.followCutover(ctx) })
	running.Go(func() { _ = s.servers.Serve(ctx, s.server.log) })
	t.Cleanup(func() {
		cancel()
		running.Wait()
	})
	s.url = "http://" + s.servers[0].Listener.Addr().String()
	return s
}

// user makes a user with a token.
func (s *switchedServer) user(t *testing.T, name string) {
	t.Helper()
	session, err := s.engine.Register(t.Context(), dialects.Policy(s.apis[0].bound.Load().Profile), core.Registration{Username: name, Password: "secret"})
	if err != nil {
		t.Fatal(err)
	}
	s.tokens[name] = session.Key
}

// put puts rules into effect.
func (s *switchedServer) put(t *testing.T, rules ...cutover.Rule) {
	t.Helper()
	s.cutover.set(rules...)
	s.cutover.mu.Lock()
	version := s.cutover.state.Version
	s.cutover.mu.Unlock()
	for deadline := time.Now().Add(20 * time.Second); s.switches.state.Load().Version != version; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the state is not followed")
		}
	}
}

// send returns who answers a request: old, new, or the API with its status.
func (s *switchedServer) send(method, path, token, body string, headers ...string) (string, error) {
	r, err := http.NewRequest(method, s.url+path, strings.NewReader(body))
	if err != nil {
		return "", err
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		r.Header.Set("Authorization", "Token "+token)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	reply, err := s.client.Do(r)
	if err != nil {
		return "", err
	}
	defer reply.Body.Close()
	text, err := io.ReadAll(reply.Body)
	if answer := string(text); err == nil && (answer == "old" || answer == "new") {
		return answer, nil
	}
	return fmt.Sprintf("API %d", reply.StatusCode), err
}

func (s *switchedServer) want(t *testing.T, want, method, path, token, body string, headers ...string) {
	t.Helper()
	if got, err := s.send(method, path, token, body, headers...); got != want || err != nil {
		t.Errorf("%s %s %s: %s, %v; want %s", method, path, body, got, err, want)
	}
}

func loginOf(name string) string { return fmt.Sprintf(`{"username": %q, "password": "secret"}`, name) }

// metric returns the lines of /metrics that begin with a text.
func (s *switchedServer) metric(prefix string) (lines []string) {
	w := httptest.NewRecorder()
	s.metrics.Handler(s.server.log).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	for line := range strings.Lines(w.Body.String()) {
		if strings.HasPrefix(line, prefix) {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return lines
}
