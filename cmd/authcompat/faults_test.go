package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core/testenv"
)

// faulty is a server with a user and a token, on a database that is about to
// fail.
type faulty struct {
	*process
	token string
}

func newFaulty(t *testing.T, p *process) faulty {
	t.Helper()
	return faulty{p, tokenIn(t, p.want(t, 200, "POST", p.urls["ocd-users"]+"/api/register/", "", credentials).body)}
}

func (f faulty) register(t *testing.T, name string) answer {
	t.Helper()
	body := fmt.Sprintf(`{"username": %q, "email": %q, "password": "secret"}`, name, strings.Repeat("a", 200)+"@example.com")
	a, err := f.send("POST", f.urls["ocd-users"]+"/api/register/", "", body)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// refusesWrites checks that requests that have to write fail in the dialect's shape, and
// that token checks still work.
func (f faulty) refusesWrites(t *testing.T) {
	t.Helper()
	const unavailable = `{"detail":"Service temporarily unavailable, try again later."}`
	for name, a := range map[string]answer{
		"register": f.register(t, "someone"),
		"login":    f.want(t, 503, "POST", f.urls["ocd-users"]+"/api/login/", "", credentials),
		"logout":   f.want(t, 503, "POST", f.urls["ocd-users"]+"/api/logout/", f.token, ""),
	} {
		if a.status != 503 || a.body != unavailable || a.header.Get("Retry-After") == "" {
			t.Errorf("%s: %d %s, Retry-After %q", name, a.status, a.body, a.header.Get("Retry-After"))
		}
	}
	f.checks(t)
}

// checks presents the token, and an unknown one.
func (f faulty) checks(t *testing.T) {
	t.Helper()
	f.want(t, 200, "GET", f.urls["snippit"]+"/api/account/alice/", f.token, "")
	f.want(t, 401, "GET", f.urls["snippit"]+"/api/account/alice/", strings.Repeat("0", 64), "")
}

var bothAt = []string{"--profile", "ocd-users@127.0.0.1:0", "--profile", "snippit@127.0.0.1:0", "--password-iterations", "1"}

// TestReadOnlyFile starts a server on a file that it may not write.
func TestReadOnlyFile(t *testing.T) {
	folder := t.TempDir()
	file := filepath.Join(folder, "auth.db")
	args := append(bothAt, "--store", "sqlite:"+file)
	p := start(t, args...)
	f := newFaulty(t, p)
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := p.Wait(); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(file, 0o444); err != nil {
		t.Fatal(err)
	}
	f.process = startAs(t, folder, args)
	f.refusesWrites(t)
}

// startAs starts a server to which file modes apply: root may write any file, so for root
// it runs as nobody.
func startAs(t *testing.T, folder string, args []string) *process {
	t.Helper()
	if os.Getuid() != 0 {
		return start(t, args...)
	}
	const nobody = 65534
	for _, name := range []string{"", "auth.db", "auth.db.key"} {
		if err := os.Chown(filepath.Join(folder, name), nobody, nobody); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(filepath.Dir(folder), 0o755); err != nil {
		t.Fatal(err)
	}
	binary := filepath.Join(folder, "program")
	copyProgram(t, binary)
	return startWith(t, func(cmd *exec.Cmd) {
		cmd.Path = binary
		runAs(cmd, nobody)
		cmd.Dir = folder
	}, args...)
}

// copyProgram copies the test binary to a place where another user can run it.
func copyProgram(t *testing.T, to string) {
	t.Helper()
	in, err := os.Open(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(out, in); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestTwoServersOnOneFile checks that two servers can share a SQLite file: each sees at
// once what the other did, and limits are shared.
func TestTwoServersOnOneFile(t *testing.T) {
	t.Parallel()
	dsn := database(t)
	args := append(bothAt, "--store", dsn)
	nodes := []*process{start(t, args...), start(t, args...)}
	a, b := nodes[0], nodes[1]
	for round := range 20 {
		body := fmt.Sprintf(`{"username": "user-%d", "password": "secret"}`, round)
		answers := make([]answer, 8)
		var all sync.WaitGroup
		for i := range answers {
			all.Go(func() {
				p := nodes[i%2]
				var err error
				if answers[i], err = p.send("POST", p.urls["ocd-users"]+"/api/register/", "", body); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		token := ""
		for _, got := range answers {
			switch {
			case got.status == 200 && token == "":
				token = tokenIn(t, got.body)
			case got.status != 400:
				t.Errorf("round %d: %d %s", round, got.status, got.body)
			}
		}
		account := fmt.Sprintf("/api/account/user-%d/", round)
		a.want(t, 200, "GET", a.urls["snippit"]+account, token, "")
		b.want(t, 200, "GET", b.urls["snippit"]+account, token, "")
		a.want(t, 204, "POST", a.urls["ocd-users"]+"/api/logout/", token, "")
		b.want(t, 401, "GET", b.urls["snippit"]+account, token, "")
		a, b = b, a
	}
}

// TestSlowConnections holds many connections open that never finish a request, and checks
// tokens meanwhile.
func TestSlowConnections(t *testing.T) {
	const slow = 5000
	if limit, err := maxOpenFiles(); err != nil || limit < slow+1000 {
		testenv.Missing(t, "needs a limit of open files over %d: %d, %v", slow+1000, limit, err)
	}
	f := newFaulty(t, start(t, append(bothAt, "--store", database(t))...))
	address := strings.TrimPrefix(f.urls["snippit"], "http://")
	var held []io.Closer
	defer func() {
		for _, c := range held {
			_ = c.Close()
		}
	}()
	for range slow {
		conn, err := dialSlow(address)
		if err != nil {
			t.Fatalf("after %d connections: %v", len(held), err)
		}
		held = append(held, conn)
	}
	began := time.Now()
	const checks = 200
	for range checks {
		f.checks(t)
	}
	t.Logf("%d slow connections open: %v a check", len(held), time.Since(began)/checks/2)
}
