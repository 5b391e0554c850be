package server

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/config"
	"github.com/authcompat/authcompat/conformance/shadow"
	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/hashing"
	"github.com/authcompat/authcompat/dialects"
	"github.com/authcompat/authcompat/profiles"
	"github.com/authcompat/authcompat/store"
)

// shadowed is a server before an old one that answers all endpoints of ocd-users, on the old
// one's database.
type shadowed struct {
	*server
	log                    *lockedLog
	url, database, journal string
	engine                 *core.Service // of the old server, if that is one of ours
	profile                *profiles.Profile
	calls                  atomic.Int64 // that the old server got
	close                  func()
}

// startShadowed starts it with this old server, or one of ours before which this stands, and with
// these keys of the section shadow.
func startShadowed(t testing.TB, keys string, old func(ours http.Handler) http.Handler) *shadowed {
	t.Helper()
	return startShadowedAPI(t, "ocd-users", knoxDDL, "[login, logout, logoutall, register]", keys, old)
}

// startShadowedAPI is startShadowed for another API and its tables.
func startShadowedAPI(t testing.TB, profile, ddl, switched, keys string, old func(ours http.Handler) http.Handler) *shadowed {
	t.Helper()
	folder := t.TempDir()
	s := &shadowed{log: &lockedLog{}, database: filepath.Join(folder, "django.sqlite3"), journal: filepath.Join(folder, "shadow.jsonl")}
	db, err := sql.Open("sqlite", s.database)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(ddl); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	handler := old(s.oldServer(t, profile))
	application := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.calls.Add(1)
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(application.Close)
	file := filepath.Join(folder, "c.yaml")
	text := fmt.Sprintf("listeners: [{profile: %s, front: {old: %q, switch: %s, shadow: {journal: %q%s}}}]\n"+
		"listen: 127.0.0.1:0\nstore: django+sqlite:%s\npassword_iterations: 1\nlogin_limits: {enabled: on, per_user: 2/1h}\n", profile, application.URL, switched, s.journal, keys, s.database)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
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
	s.shadows.maxDelay, s.shadows.hashTime = 20*time.Second, time.Hour
	if err := s.open(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.listen(t.Context(), all); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = s.servers.Serve(ctx, s.server.log) })
	s.close = sync.OnceFunc(func() {
		cancel()
		running.Wait()
		s.closeShadows()
		_ = s.server.engine.Close()
	})
	t.Cleanup(s.close)
	s.url = "http://" + s.servers[0].Listener.Addr().String()
	return s
}

// oldServer makes a server of ours on the database, as the old one.
func (s *shadowed) oldServer(t testing.TB, profile string) http.Handler {
	t.Helper()
	b, err := store.Open(t.Context(), "django+sqlite:"+s.database)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	hasher, err := hashing.NewDjangoHasher(1)
	if err != nil {
		t.Fatal(err)
	}
	hasher.KeepHashes = true
	s.engine = core.New(core.Config{Backend: b.Backend, Hasher: hasher})
	if s.profile, err = profiles.Load(profile); err != nil {
		t.Fatal(err)
	}
	handler, err := dialects.New(s.profile, s.engine)
	if err != nil {
		t.Fatal(err)
	}
	return handler
}

// user makes a user, with a token.
func (s *shadowed) user(t testing.TB, name string) (token string) {
	t.Helper()
	session, err := s.engine.Register(t.Context(), dialects.Policy(s.profile), core.Registration{Username: name, Password: "secret"})
	if err != nil {
		t.Fatal(err)
	}
	return session.Key
}

// ask sends a request, and returns the status and the token in the body.
func (s *shadowed) ask(t testing.TB, method, path, token, body string) (status int, issued string) {
	t.Helper()
	r, err := http.NewRequest(method, s.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		r.Header.Set("Authorization", "Token "+token)
	}
	reply, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Error(err)
		return 0, ""
	}
	defer reply.Body.Close()
	text, err := io.ReadAll(reply.Body)
	if err != nil {
		t.Error(err)
	}
	var shown struct {
		Token string `json:"token"`
	}
	_ = json.Unmarshal(text, &shown) // a refusal has none
	return reply.StatusCode, shown.Token
}

// settle waits until all that was asked is judged, stops the server, and returns what the
// journal says.
func (s *shadowed) settle(t testing.TB) shadow.Summary {
	t.Helper()
	s.await()
	s.close()
	records, err := shadow.Read(s.journal)
	if err != nil {
		t.Fatal(err)
	}
	return shadow.Summarize(records, nil)
}

// await waits until nothing is being compared.
func (s *shadowed) await() {
	for deadline := time.Now().Add(30 * time.Second); s.shadows.group.Working() > 0 && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
}

// mixed sends n requests of a client, of all kinds: good ones, guesses, broken ones.
func (s *shadowed) mixed(t testing.TB, client, n int) {
	random := rand.New(rand.NewPCG(uint64(client), 17))
	name, token := fmt.Sprintf("user%d", client), s.user(t, fmt.Sprintf("user%d", client))
	tokens := []string{token}
	some := func() string { return tokens[random.IntN(len(tokens))] }
	for i := range n {
		switch random.IntN(16) {
		case 0, 1, 2, 3:
			if _, issued := s.ask(t, "POST", "/api/login/", "", loginOf(name)); issued != "" {
				tokens = append(tokens, issued)
			}
		case 4, 5:
			s.ask(t, "POST", "/api/login/", "", fmt.Sprintf(`{"username": %q, "password": "wrong"}`, name))
		case 6:
			s.ask(t, "POST", "/api/login/", "", fmt.Sprintf(`{"username": "nobody%d", "password": "secret"}`, i))
		case 7:
			s.ask(t, "POST", "/api/login/", "", []string{"", "{", "[]", `{"username": 1}`, `{"username": null, "password": ""}`, "\xff"}[random.IntN(6)])
		case 8, 9:
			s.ask(t, "POST", "/api/logout/", some(), "")
		case 10:
			s.ask(t, "POST", "/api/logout/", []string{"", "bad", strings.Repeat("0", 64)}[random.IntN(3)], "")
		case 11:
			s.ask(t, "POST", "/api/logoutall/", some(), "")
		case 12:
			s.ask(t, "POST", "/api/register/", "", fmt.Sprintf(`{"username": "new%d-%d", "email": "a@example.com", "password": "correct horse battery"}`, client, i))
		case 13:
			s.ask(t, "POST", "/api/register/", "", fmt.Sprintf(`{"username": %q, "password": "x"}`, strings.ToUpper(name)))
		case 14:
			s.ask(t, []string{"GET", "OPTIONS", "PUT", "HEAD", "DELETE"}[random.IntN(5)], "/api/login/", []string{"", some()}[random.IntN(2)], "")
		case 15:
			s.ask(t, "POST", "/api/login", "", loginOf(name)) // without the slash
		}
	}
}

// TestShadowOfTheSame compares a server with itself, on one database: every login, registration
// and logout changes it, and nothing differs.
func TestShadowOfTheSame(t *testing.T) {
	s := startShadowed(t, ", sample: 100%", func(ours http.Handler) http.Handler { return ours })
	const clients, each = 4, 400
	var running sync.WaitGroup
	for client := range clients {
		running.Go(func() { s.mixed(t, client, each) })
	}
	running.Wait()
	sum := s.settle(t)
	for _, f := range sum.Found {
		t.Errorf("%s: %s %s, %d times: old %s, ours %s (%s, %d)", f.Endpoint, f.Place, f.Kind, f.Count, f.Old, f.Ours, f.Method, f.Status)
	}
	t.Logf("%+v", sum.Total)
	if sum.Total.Asked != clients*each || s.calls.Load() != clients*each {
		t.Errorf("%d were asked, and the old server got %d", sum.Total.Asked, s.calls.Load())
	}
	if sum.Total.Compared < clients*each/2 || sum.Total.Users < clients {
		t.Errorf("too few were compared: %+v", sum.Total)
	}
	if log := s.log.count("panic"); log > 0 {
		t.Error("something panicked")
	}
}

// checksum returns a digest of all rows of all tables.
func checksum(t *testing.T, database string) string {
	t.Helper()
	db, err := sql.Open("sqlite", database)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	query := func(statement string) (rows []string) {
		found, err := db.Query(statement)
		if err != nil {
			t.Fatal(err)
		}
		defer found.Close()
		columns, err := found.Columns()
		if err != nil {
			t.Fatal(err)
		}
		for found.Next() {
			values, targets := make([]sql.RawBytes, len(columns)), make([]any, len(columns))
			for i := range values {
				targets[i] = &values[i]
			}
			if err := found.Scan(targets...); err != nil {
				t.Fatal(err)
			}
			rows = append(rows, string(bytes.Join(bytesOf(values), []byte{0})))
		}
		if err := found.Err(); err != nil {
			t.Fatal(err)
		}
		return rows
	}
	digest := sha256.New()
	tables := query("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
	if len(tables) < 5 {
		t.Fatalf("tables %v", tables)
	}
	for _, table := range tables {
		fmt.Fprintf(digest, "%s %q\n", table, query(`SELECT * FROM "`+table+`"`))
	}
	return fmt.Sprintf("%x", digest.Sum(nil))
}

func bytesOf(values []sql.RawBytes) (all [][]byte) {
	for _, v := range values {
		all = append(all, v)
	}
	return all
}

// TestShadowWritesNothing sends 10 000 requests to an old server that does nothing: neither does
// the shadow, whatever they ask for, and the old server gets each once.
func TestShadowWritesNothing(t *testing.T) {
	s := startShadowed(t, ", sample: 100%", func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			w.WriteHeader(http.StatusTeapot)
		})
	})
	tokens := make([]string, 8)
	for i := range tokens {
		tokens[i] = s.user(t, fmt.Sprintf("ann%d", i))
	}
	before := checksum(t, s.database)
	const clients, each = 4, 2500
	var running sync.WaitGroup
	for client := range clients {
		running.Go(func() {
			random := rand.New(rand.NewPCG(uint64(client), 3))
			for i := range each {
				n := random.IntN(len(tokens))
				name := fmt.Sprintf("ann%d", n)
				switch random.IntN(8) {
				case 0, 1:
					s.ask(t, "POST", "/api/login/", "", loginOf(name))
				case 2:
					s.ask(t, "POST", "/api/login/", "", fmt.Sprintf(`{"username": %q, "password": "wrong"}`, name))
				case 3:
					s.ask(t, "POST", "/api/login/", "", `{"username": "nobody", "password": "secret"}`)
				case 4:
					s.ask(t, "POST", "/api/logout/", tokens[n], "")
				case 5:
					s.ask(t, "POST", "/api/logoutall/", tokens[n], "")
				case 6:
					s.ask(t, "POST", "/api/register/", "", fmt.Sprintf(`{"username": "new%d-%d", "password": "correct horse battery"}`, client, i))
				case 7:
					s.ask(t, "GET", "/api/logout/", tokens[n], "")
				}
			}
		})
	}
	running.Wait()
	sum := s.settle(t)
	if after := checksum(t, s.database); after != before {
		t.Error("the tables are not as they were")
	}
	if s.calls.Load() != clients*each {
		t.Errorf("the old server got %d calls of %d", s.calls.Load(), clients*each)
	}
	t.Logf("%+v", sum.Total)
	if sum.Total.Asked != clients*each || sum.Total.Compared != sum.Total.Differ || sum.Total.Compared < clients*each/4 {
		t.Errorf("%+v", sum.Total)
	}
	text, err := os.ReadFile(s.journal)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range append(tokens, "secret", "correct horse", "ann0", "nobody") {
		if bytes.Contains(text, []byte(secret)) {
			t.Errorf("the journal has %q in it", secret)
		}
	}
	if info, err := os.Stat(s.journal); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}
