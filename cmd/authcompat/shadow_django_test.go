package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/authcompat/authcompat/store/postgres/postgrestest"
)

// TestShadowOfDjango stands before a genuine Django REST framework, on its PostgreSQL, and compares
// what it answers with what we would: nothing differs but a header that only it has.
func TestShadowOfDjango(t *testing.T) {
	// Not parallel: where a server waits long for a processor, it may look for a user only after Django has made it.
	cluster := postgrestest.Start(t, postgrestest.Options{})
	project, err := filepath.Abs(filepath.Join("..", "..", "conformance", "reference", "project"))
	if err != nil {
		t.Fatal(err)
	}
	const iterations = "1000"
	old := "http://" + startGunicorn(t, "drill:application", "DRILL_PROJECT="+project, "DRILL_ITERATIONS="+iterations, "DRILL_PORT="+strconv.Itoa(cluster.Port()), "DRILL_SIDE=old", "DRILL_MIGRATE=1")
	folder := t.TempDir()
	file, journal := filepath.Join(folder, "c.yaml"), filepath.Join(folder, "shadow.jsonl")
	put(t, file, "listeners:\n  - profile: ocd-users\n    address: 127.0.0.1:0\n    front:\n      old: "+old+"\n      switch: [login, logout, logoutall, register]\n"+
		"      shadow: {sample: 100%, journal: "+journal+"}\n")
	p := start(t, "--config", file, "--store", "django+"+cluster.DSN(), "--password-iterations", iterations, "--limits", "off", "--manage", "127.0.0.1:0")
	const clients = 4
	each := count(100, 2500)
	var running sync.WaitGroup
	for client := range clients {
		running.Go(func() { mixedRequests(t, p, client, each) })
	}
	running.Wait()
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	var exit *exec.ExitError
	if err := p.Wait(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	report, _, code := runCommand(t, "shadow", "report", journal)
	t.Log("\n" + report)
	if code != 0 {
		t.Fatal(code)
	}
	thresholds := filepath.Join(folder, "gate.yaml")
	put(t, thresholds, "requests: "+strconv.Itoa(clients*each/4)+"\nusers: 4\ndays: 1\nskipped: 75%\nknown:\n  - {place: header X-Side, kind: missing, reason: only the application of this test has it}\n")
	verdict, said, code := runCommand(t, "shadow", "gate", "--thresholds", thresholds, journal)
	t.Log("\n" + verdict + said)
	if code != 0 {
		t.Errorf("exit code %d", code)
	}
	text, err := os.ReadFile(journal)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"correct horse", "user0", "wrong password"} {
		if strings.Contains(string(text), secret) {
			t.Errorf("the journal has %q in it", secret)
		}
	}
}

// mixedRequests sends n requests of all kinds to ocd-users.
func mixedRequests(t *testing.T, p *process, client, n int) {
	random := rand.New(rand.NewPCG(uint64(client), 5))
	url, name := p.urls["ocd-users"], fmt.Sprintf("user%d", client)
	var tokens []string
	send := func(method, path, token, body string) answer {
		a, err := p.send(method, url+path, token, body)
		if err != nil {
			t.Error(err)
		}
		return a
	}
	one := func(of ...string) string { return of[random.IntN(len(of))] }
	some := func() string {
		if len(tokens) == 0 {
			return "none"
		}
		return one(tokens...)
	}
	credentials := func(name, password string) string {
		return fmt.Sprintf(`{"username": %q, "password": %q}`, name, password)
	}
	send(http.MethodPost, "/api/register/", "", credentials(name, "correct horse"))
	for i := 1; i < n; i++ {
		switch random.IntN(12) {
		case 0, 1, 2:
			a := send(http.MethodPost, "/api/login/", "", credentials(name, "correct horse"))
			if a.status == http.StatusOK {
				tokens = append(tokens, tokenIn(t, a.body))
			}
		case 3:
			send(http.MethodPost, "/api/login/", "", credentials(name, one("wrong password", " correct horse", "")))
		case 4:
			send(http.MethodPost, "/api/login/", "", credentials(one("nobody", "", strings.ToUpper(name)), "correct horse"))
		case 5:
			send(http.MethodPost, "/api/login/", "", one("{", "[]", "null", `{"username": 1}`, `{"username": ["a"], "password": true}`, `{"username": "\u0000", "password": "x"}`))
		case 6, 7:
			send(http.MethodPost, "/api/logout/", some(), "")
		case 8:
			send(http.MethodPost, "/api/logout/", one("", "bad", strings.Repeat("0", 64), "two words"), "")
		case 9:
			send(http.MethodPost, "/api/logoutall/", some(), "")
		case 10:
			send(http.MethodPost, "/api/register/", "", one(credentials(fmt.Sprintf("new%d-%d", client, i), "x"), credentials(name, "x"), credentials("a b", ""), `{"email": "nowhere"}`))
		case 11:
			send(one("GET", "PUT", "DELETE", "OPTIONS", "HEAD", "PATCH"), one("/api/login/", "/api/logout/", "/api/register/"), one("", some()), "")
		}
	}
}
