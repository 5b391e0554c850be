package main

import (
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// adopting is a section front with a section adopt.
func adopting(old, until string) string {
	return "{old: " + old + ", adopt: {login: " + old + "/login/, probe: " + old + "/me/, until: " + until + "}, paths: [{path: /private/, token: needed}]}"
}

// TestAdoptSettings tells of the end, and refuses one that has been, except at a start.
func TestAdoptSettings(t *testing.T) {
	file := filepath.Join(t.TempDir(), "c.yaml")
	config := func(until string) {
		put(t, file, "listeners:\n  - profile: ocd-users\n    address: 127.0.0.1:0\n    front: "+adopting("http://127.0.0.1:9", until)+"\n")
	}
	config("2099-01-01")
	if out := command(t, "", "config", "check", file); !strings.Contains(out, "  until 2099-01-01T00:00:00Z users are adopted who log in at http://127.0.0.1:9/login/\n") {
		t.Errorf("%s", out)
	}
	for path, want := range map[string]string{
		"/api/login/":  "a name or a password that is not good here is tried at http://127.0.0.1:9/login/",
		"/api/logout/": "with a token that is unknown here, passed on to http://127.0.0.1:9",
	} {
		if out := command(t, "", "front", "explain", "POST", path, "--config", file); !strings.HasSuffix(out, "\n  until 2099-01-01T00:00:00Z: "+want+"\n") {
			t.Errorf("%s: %s", path, out)
		}
	}
	const register = "\n  as long as the section adopt stands: passed on to http://127.0.0.1:9; without it, anybody could register the name of a user who was not adopted\n"
	if out := command(t, "", "front", "explain", "POST", "/api/register/", "--config", file); !strings.HasSuffix(out, register) {
		t.Errorf("%s", out)
	}
	config("2020-01-01")
	if out := command(t, "", "front", "explain", "POST", "/api/register/", "--config", file); !strings.HasSuffix(out, register) {
		t.Errorf("over: %s", out)
	}
	if out := command(t, "", "front", "explain", "POST", "/api/login/", "--config", file); strings.Contains(out, "until") {
		t.Errorf("over: %s", out)
	}
	if said, want := refused(t, "", "config", "check", file), ":4:"; !strings.Contains(said, want) || !strings.Contains(said, "listeners.front.adopt.until: 2020-01-01T00:00:00Z is over, and no users are adopted any more, but registrations are still passed on: name a later date, or take the section adopt away, which lets anybody register the names of those who were not adopted") {
		t.Errorf("%s", said)
	}
	dsn := database(t)
	for until, want := range map[string]string{
		"2020-01-01": "the time to adopt users is over",
		time.Now().Add(time.Hour).UTC().Format(time.RFC3339): "the time to adopt users is nearly over",
	} {
		config(until)
		p := start(t, "--config", file, "--password-iterations", "100", "--store", dsn)
		eventually(t, want, func() bool {
			return strings.Contains(p.log.String(), want) && strings.Contains(p.log.String(), "listeners.front.adopt.until")
		})
	}
}

// TestAdoptAsk tells reverse proxies what the old server says of tokens, before and after a reload,
// and nothing of that once the section is gone.
func TestAdoptAsk(t *testing.T) {
	old := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/me/" || r.Header.Get("Authorization") != "Token good" {
			w.WriteHeader(http.StatusForbidden)
		}
	}))
	defer old.Close()
	at, file := freeAddress(t), filepath.Join(t.TempDir(), "c.yaml")
	set := func(section string) {
		put(t, file, "ask: {address: \""+at+"\"}\nlisteners: [{profile: ocd-users, address: 127.0.0.1:0, front: "+section+"}]\n")
	}
	set(adopting(old.URL, "2099-01-01"))
	p := start(t, "--config", file, "--password-iterations", "100", "--store", database(t))
	for i, section := range []string{"", adopting(old.URL, "2099-01-02"), "{old: " + old.URL + "}"} {
		good := http.StatusNoContent
		if section != "" {
			set(section)
			if err := p.Process.Signal(syscall.SIGHUP); err != nil {
				t.Fatal(err)
			}
			eventually(t, "reloaded", func() bool { return strings.Count(p.log.String(), "reloaded settings") == i })
			if i == 2 {
				good = http.StatusUnauthorized
			}
		}
		p.want(t, good, http.MethodGet, "http://"+at+"/ocd-users/request", "good", "")
		p.want(t, http.StatusUnauthorized, http.MethodGet, "http://"+at+"/ocd-users/request", "bad", "")
	}
}

// TestAdoptLog lets no client fill the log with tokens that the old server says nothing of.
func TestAdoptLog(t *testing.T) {
	old := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.Header.Get("Authorization"), "odd") {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		w.WriteHeader(http.StatusUnauthorized)
	}))
	defer old.Close()
	p, _ := startFront(t, adopting(old.URL, "2099-01-01"))
	for i := range 60 {
		p.want(t, http.StatusServiceUnavailable, http.MethodGet, p.urls["ocd-users"]+"/private/", fmt.Sprint("odd", i), "")
	}
	const line = "the old server's answer to a probe has status 400"
	eventually(t, line, func() bool { return strings.Contains(p.log.String(), line) })
	if n := strings.Count(p.log.String(), line); n > 15 {
		t.Errorf("%d lines for 60 requests", n)
	}
}

// TestAdoptFlood floods a server with unknown tokens and unknown names from many networks: the
// old server gets no more than some at a time, and a client of another network gets its turn.
func TestAdoptFlood(t *testing.T) {
	var running, most, logins atomic.Int32
	old := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/login/":
			logins.Add(1)
			w.WriteHeader(http.StatusBadRequest)
		case r.URL.Path == "/private/":
			_, _ = io.WriteString(w, "private")
		case r.Header.Get("Authorization") != "Token good":
			n := running.Add(1)
			for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
			}
			time.Sleep(20 * time.Millisecond)
			running.Add(-1)
			w.WriteHeader(http.StatusUnauthorized)
		}
	}))
	defer old.Close()
	p, _ := startFront(t, adopting(old.URL, "2099-01-01"), "--trusted-proxy", "127.0.0.0/8")
	url := p.urls["ocd-users"]
	var flood sync.WaitGroup
	var statuses sync.Map
	for i := range 400 {
		flood.Go(func() {
			// A customer with many networks.
			a, err := p.send(http.MethodGet, url+"/private/", fmt.Sprintf("%064d", i), "", "X-Forwarded-For", fmt.Sprintf("2001:db8:0:%x::1", i))
			if err != nil {
				t.Error(err)
				return
			}
			n, _ := statuses.LoadOrStore(a.status, new(atomic.Int32))
			n.(*atomic.Int32).Add(1)
		})
	}
	for i := range 20 {
		p.want(t, http.StatusOK, http.MethodGet, url+"/private/", "good", "", "X-Forwarded-For", fmt.Sprintf("198.51.100.%d", i))
	}
	flood.Wait()
	statuses.Range(func(status, n any) bool {
		t.Logf("%d: %d", status, n.(*atomic.Int32).Load())
		if status != http.StatusUnauthorized && status != http.StatusServiceUnavailable {
			t.Errorf("%d", status)
		}
		return true
	})
	if n := most.Load(); n > 16 || n < 2 {
		t.Errorf("%d questions at a time", n)
	}
	for i := range 15 {
		p.want(t, http.StatusBadRequest, http.MethodPost, url+"/api/login/", "", `{"username": "nobody", "password": "x"}`, "X-Forwarded-For", fmt.Sprintf("198.51.100.%d", i))
	}
	if n := logins.Load(); n != 10 {
		t.Errorf("asked %d times about one name, want 10", n)
	}
}

// TestAdoptCanaries sends secrets to the old server and gets some from it, in good answers and in
// all others, and looks for them wherever a server writes.
func TestAdoptCanaries(t *testing.T) {
	c := &canaries{}
	var mode atomic.Value
	mode.Store("good")
	var last sync.Mutex
	hidden := ""
	old := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		last.Lock()
		secret := c.secret()
		if r.Method == http.MethodPost { // a login, not a look at the probe
			hidden = secret
		}
		last.Unlock()
		w.Header().Set("X-Secret", secret)
		w.Header().Set("Content-Type", "application/json")
		switch mode.Load() {
		case "good":
			fmt.Fprintf(w, `{"expiry": null, "token": %q}`, secret)
		case "bad":
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprintf(w, "%q", secret)
		case "page":
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, "<h1>"+secret)
		case "garbage":
			_, _ = io.WriteString(w, `{"token": "`+secret)
		case "moved":
			http.Redirect(w, r, "/"+secret, http.StatusFound)
		case "broken":
			conn, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				_, _ = io.WriteString(conn, "HTTP/1.1 "+secret+"\r\n\r\n")
				_ = conn.Close()
			}
		default:
			w.WriteHeader(http.StatusInternalServerError)
			_, _ = io.WriteString(w, secret)
		}
	}))
	defer old.Close()
	file := filepath.Join(t.TempDir(), "c.yaml")
	dsn := database(t)
	put(t, file, "listeners: [{profile: ocd-users, address: 127.0.0.1:0, front: "+adopting(old.URL, "2099-01-01")+"}]\n")
	p := start(t, "--config", file, "--store", dsn, "--password-iterations", "1", "--log-requests", "all", "--limits", "off")
	p.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	url := p.urls["ocd-users"]
	secret := func() string {
		last.Lock()
		defer last.Unlock()
		return c.secret()
	}
	for _, answer := range []string{"good", "bad", "page", "garbage", "moved", "broken", "failing"} {
		mode.Store(answer)
		password := secret()
		basic := "Basic " + base64.StdEncoding.EncodeToString([]byte("ann:"+secret()))
		a, err := p.send(http.MethodPost, url+"/api/login/?p="+secret(), "", fmt.Sprintf(`{"username": "user-%s", "password": %q}`, answer, password), "Authorization", basic, "Cookie", "sessionid="+secret())
		if err != nil || (a.status == http.StatusOK) != (answer == "good") {
			t.Fatalf("%s: %d %s, %v", answer, a.status, a.body, err)
		}
		last.Lock()
		if shown := strings.Contains(a.body+a.header.Get("X-Secret"), hidden); shown != (answer == "good") {
			t.Errorf("%s: the client sees what the old server said: %t: %s", answer, shown, a.body)
		}
		last.Unlock()
		if answer == "good" {
			p.want(t, http.StatusOK, http.MethodPost, url+"/api/login/", "", fmt.Sprintf(`{"username": "user-good", "password": %q}`, password))
		}
		for _, path := range []string{"/private/", "/api/logout/"} {
			method := http.MethodGet
			if path != "/private/" {
				method = http.MethodPost
			}
			if _, err := p.send(method, url+path, secret(), ""); err != nil {
				t.Errorf("%s: %v", answer, err)
			}
		}
	}
	c.find(t, "the log", []byte(p.log.String()))
	c.find(t, "/metrics", []byte(p.want(t, http.StatusOK, http.MethodGet, p.manage+"/metrics", "", "").body))
	for _, args := range [][]string{{"audit", "--limit", "0", "--json"}, {"user", "show", "user-good"}, {"token", "list"}} {
		c.find(t, args[0], []byte(command(t, "", append(args, "--store", dsn)...)))
	}
	files, err := filepath.Glob(strings.TrimPrefix(dsn, "sqlite:") + "*")
	if err != nil || len(files) < 2 {
		t.Fatalf("files %v, %v", files, err)
	}
	for _, file := range files {
		c.find(t, filepath.Base(file), []byte(slurp(t, file)))
	}
	for _, outcome := range []string{`"outcome":"adopted"`, `"outcome":"invalid_credentials"`, `"outcome":"unavailable"`} {
		if !strings.Contains(p.log.String(), outcome) {
			t.Errorf("the log has no %s", outcome)
		}
	}
	t.Logf("%d secrets", len(c.all))
}
