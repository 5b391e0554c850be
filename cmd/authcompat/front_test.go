package main

import (
	"bufio"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// webApplication is an application behind a front, with a WebSocket as far as a proxy can
// tell, events and uploads. It returns its address.
func webApplication(t testing.TB) string {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("/ws", func(w http.ResponseWriter, _ *http.Request) {
		conn, r, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
		_, _ = io.Copy(conn, r)
	})
	mux.HandleFunc("/events", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
	mux.HandleFunc("/echo", func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).EnableFullDuplex()
		_, _ = io.Copy(w, r.Body)
	})
	mux.HandleFunc("/slow", func(w http.ResponseWriter, _ *http.Request) {
		_ = http.NewResponseController(w).Flush()
		time.Sleep(time.Second)
		_, _ = io.WriteString(w, "done")
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		n, _ := io.Copy(io.Discard, r.Body)
		fmt.Fprintf(w, "application got %d of %s for %s", n, r.URL.Path, r.Header.Get("X-Forwarded-For"))
	})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

// opened sends a request that stays open, and returns its connection after the head of the
// answer.
func opened(t testing.TB, address, path, headers string) (net.Conn, *bufio.Reader) {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
	fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: x\r\n%s\r\n", path, headers)
	r := bufio.NewReader(conn)
	for first := true; ; first = false {
		line, err := r.ReadString('\n')
		if err != nil || first && !strings.HasPrefix(line, "HTTP/1.1 101 ") && !strings.HasPrefix(line, "HTTP/1.1 200 ") {
			t.Fatalf("%s: %q, %v", path, line, err)
		}
		if line == "\r\n" {
			return conn, r
		}
	}
}

const webSocket = "Connection: Upgrade\r\nUpgrade: websocket\r\n"

// TestFrontAnswersInItsDialect has an application that can't be reached, and paths that need
// a token: each refusal is the API's own.
func TestFrontAnswersInItsDialect(t *testing.T) {
	nobody := freeAddress(t)
	for profile, want := range map[string]struct{ missing, bad, down, gone string }{
		"ocd-users": {
			`401 {"detail":"Authentication credentials were not provided."}`, `401 {"detail":"Invalid token."}`,
			`503 {"detail":"Service temporarily unavailable, try again later."}`, "404 ",
		},
		"snippit": {
			`401 {"status_code": 401, "detail": "Authentication credentials were not provided."}`, `401 {"status_code": 401, "detail": "Invalid token"}`,
			`503 {"status_code": 503, "detail": "Service temporarily unavailable, try again later."}`, "404 ",
		},
		"form-auth": {
			`401 {"detail":"Authentication credentials were not provided."}`, `401 {"detail":"Invalid token."}`,
			`503 {"detail":"Service temporarily unavailable, try again later."}`, `401 {"detail":"Authentication credentials were not provided."}`,
		},
		"authtokens": {`401 {"error": "`, `401 {"error": "`, `503 {"error": "Service temporarily unavailable, try again later"}`, `404 {"error": "`},
	} {
		file := filepath.Join(t.TempDir(), "c.yaml")
		put(t, file, "listeners: [{profile: "+profile+", address: 127.0.0.1:0, front: {old: http://"+nobody+", paths: [{path: /private/, token: needed}, {path: /pages/, token: checked}, {path: /gone/, token: refuse}]}}]\n")
		p := start(t, "--config", file, "--password-iterations", "100", "--store", database(t))
		for _, test := range []struct{ path, token, want string }{
			{"/private/", "", want.missing}, {"/private/", "0123456789012345678901234567890123456789", want.bad},
			{"/pages/", "", want.down}, {"/pages/", "0123456789012345678901234567890123456789", want.bad}, {"/x", "", want.down}, {"/gone/", "", want.gone},
			{"//private/", "", want.gone}, // the strictest
		} {
			a, err := p.send(http.MethodGet, p.urls[profile]+test.path, test.token, "")
			if err != nil {
				t.Fatal(err)
			}
			if got := fmt.Sprintf("%d %s", a.status, a.body); !strings.HasPrefix(got, test.want) {
				t.Errorf("%s: %s with %q: %s, want %s", profile, test.path, test.token, got, test.want)
			}
			if (a.status == http.StatusServiceUnavailable) != (a.header.Get("Retry-After") != "") {
				t.Errorf("%s: %s: %d with Retry-After %q", profile, test.path, a.status, a.header.Get("Retry-After"))
			}
			if profile == "authtokens" && a.header.Get("Access-Control-Allow-Origin") != "*" {
				t.Errorf("%s: %s: no CORS: %v", profile, test.path, a.header)
			}
		}
		p.want(t, http.StatusServiceUnavailable, http.MethodGet, p.manage+"/readyz", "", "")
		log := p.log.String()
		for _, line := range []string{`"setting":"` + file + `:1:`, "can't be reached", `"outcome":"unavailable"`} {
			if !strings.Contains(log, line) {
				t.Errorf("%s: the log lacks %s: %s", profile, line, log)
			}
		}
		if strings.Contains(log, "0123456789") {
			t.Errorf("%s: a token is in the log", profile)
		}
		if n := p.metric(t, `authcompat_front_requests_total{application="old",profile="`+profile+`",result="unreachable"}`); n != 2 {
			t.Errorf("%s: %v requests counted as unreachable", profile, n)
		}
	}
}

// TestFrontOfALivingServer passes on uploads beyond the budget of bodies, ends tunnels with
// their token, follows a reload, and ends what is open when it stops.
func TestFrontOfALivingServer(t *testing.T) {
	application := webApplication(t)
	file := filepath.Join(t.TempDir(), "c.yaml")
	config := func(paths string) string {
		return "listeners: [{profile: ocd-users, address: 127.0.0.1:0, front: {old: http://" + application + ", recheck: 1s, paths: [" + paths + "]}}]\n"
	}
	put(t, file, config("{path: /private/, token: needed}, {path: /ws, token: needed}"))
	p, err := launch(t, "--config", file, "--password-iterations", "100", "--store", database(t))
	if err != nil {
		t.Fatal(err)
	}
	defer p.Process.Kill()
	url, address := p.urls["ocd-users"], strings.TrimPrefix(p.urls["ocd-users"], "http://")
	token := p.register(t, "ann")

	const large = 100 << 20
	request, _ := http.NewRequest(http.MethodPut, url+"/upload", io.LimitReader(zeros{}, large))
	request.ContentLength = large
	reply, err := p.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(reply.Body)
	reply.Body.Close()
	if want := fmt.Sprintf("application got %d of /upload for 127.0.0.1", large); string(body) != want {
		t.Errorf("%q, want %q", body, want)
	}
	if n := p.metric(t, "authcompat_request_body_memory_bytes"); n != 0 {
		t.Errorf("%v bytes of bodies are kept", n)
	}

	authorization := "Authorization: Token " + token + "\r\n"
	conn, r := opened(t, address, "/ws", webSocket+authorization)
	free, freeReader := opened(t, address, "/ws", webSocket+"Authorization: Token "+tokenIn(t, p.want(t, http.StatusOK, http.MethodPost, url+"/api/login/", "", `{"username": "ann", "password": "correct horse"}`).body)+"\r\n")
	_, _ = io.WriteString(conn, "ping")
	if got, err := r.ReadString('g'); got != "ping" {
		t.Fatalf("%q, %v", got, err)
	}
	if n := p.metric(t, "authcompat_front_streams"); n != 2 {
		t.Errorf("%v streams", n)
	}
	p.want(t, http.StatusNoContent, http.MethodPost, url+"/api/logout/", token, "")
	if rest, err := io.ReadAll(r); len(rest) > 0 || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the tunnel goes on after the logout: %q, %v", rest, err)
	}
	_, _ = io.WriteString(free, "ping")
	if got, err := freeReader.ReadString('g'); got != "ping" {
		t.Errorf("the tunnel of another token: %q, %v", got, err)
	}

	p.want(t, http.StatusOK, http.MethodGet, url+"/other/", "", "")
	put(t, file, config("{path: /other/, token: needed}"))
	if err := p.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the rules are reloaded", func() bool {
		a, err := p.send(http.MethodGet, url+"/other/", "", "")
		return err == nil && a.status == http.StatusUnauthorized
	})
	p.want(t, http.StatusOK, http.MethodGet, url+"/private/", "", "")
	_, _ = io.WriteString(free, "ping")
	if got, err := freeReader.ReadString('g'); got != "ping" {
		t.Errorf("a tunnel after the reload: %q, %v", got, err)
	}

	_, events := opened(t, address, "/events", "")
	_, slow := opened(t, address, "/slow", "Connection: close\r\n")
	began := time.Now()
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	for name, r := range map[string]*bufio.Reader{"tunnel": freeReader, "events": events} {
		if rest, err := io.ReadAll(r); len(rest) > 0 || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s at the stop: %q, %v", name, rest, err)
		}
	}
	if rest, err := io.ReadAll(slow); !strings.Contains(string(rest), "done") || err != nil {
		t.Errorf("an answer in flight at the stop: %q, %v", rest, err)
	}
	if err := p.Wait(); err != nil || time.Since(began) > 10*time.Second {
		t.Errorf("it ended after %v: %v\n%s", time.Since(began), err, p.log.String())
	}
	if log := p.log.String(); strings.Contains(log, token) || strings.Contains(log, "panicked") {
		t.Errorf("logged: %s", log)
	}
}

// zeros is an endless body.
type zeros struct{}

func (zeros) Read(b []byte) (int, error) { return len(b), nil }

// TestFrontOverTLS connects to an application with a certificate of one's own.
func TestFrontOverTLS(t *testing.T) {
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.Host+" over "+r.Proto)
	}))
	defer s.Close()
	folder := t.TempDir()
	put(t, filepath.Join(folder, "ca.pem"), pemOf(s.Certificate().Raw))
	for options, want := range map[string]string{
		", ca_file: " + filepath.Join(folder, "ca.pem"):                                    "200 old.example over HTTP/1.1",
		", ca_file: " + filepath.Join(folder, "ca.pem") + ", server_name: example.com":     "200 old.example over HTTP/1.1",
		", ca_file: " + filepath.Join(folder, "ca.pem") + ", server_name: another.example": `502 {"detail":`,
		"": `502 {"detail":`,
	} {
		p, address := startFront(t, "{old: "+s.URL+options+"}")
		reply := untilClosed(t, address, "GET / HTTP/1.1\r\nHost: old.example\r\nConnection: close\r\n\r\n")
		_, body, _ := strings.Cut(reply, "\r\n\r\n")
		if got := strings.TrimPrefix(reply, "HTTP/1.1 ")[:4] + body; !strings.HasPrefix(got, want) {
			t.Errorf("%s: %q, want %q\n%s", options, got, want, p.log.String())
		}
	}
}

// TestFrontBelievesTrustedProxies passes on what a trusted proxy says of the client.
func TestFrontBelievesTrustedProxies(t *testing.T) {
	application := webApplication(t)
	for _, trusted := range []bool{false, true} {
		args := []string{}
		want := "127.0.0.1"
		if trusted {
			args, want = append(args, "--trusted-proxy", "127.0.0.0/8"), "192.0.2.7, 127.0.0.1"
		}
		p, _ := startFront(t, "{old: http://"+application+"}", args...)
		a := p.want(t, http.StatusOK, http.MethodGet, p.urls["ocd-users"]+"/x", "", "", "X-Forwarded-For", "192.0.2.7")
		if !strings.HasSuffix(a.body, " for "+want) {
			t.Errorf("trusted %t: %s", trusted, a.body)
		}
	}
}

// TestFrontStaysClosed has a store that fails: no request gets past a rule.
func TestFrontStaysClosed(t *testing.T) {
	var reached atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Add(1) }))
	defer s.Close()
	p, _ := startFront(t, "{old: "+s.URL+", paths: [{path: /private/, token: needed}, {path: /pages/, token: checked}]}")
	token := p.register(t, "ann")
	url := p.urls["ocd-users"]
	p.want(t, http.StatusOK, http.MethodGet, url+"/private/", token, "")
	before := reached.Load()
	name := strings.TrimPrefix(p.Args[len(p.Args)-1], "sqlite:")
	if err := os.Rename(name, name+".away"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the store is known to be away", func() bool {
		a, err := p.send(http.MethodGet, p.manage+"/readyz", "", "")
		return err == nil && a.status == http.StatusServiceUnavailable
	})
	time.Sleep(200 * time.Millisecond) // tokens in memory are accepted for a tenth of a second
	for _, path := range []string{"/private/", "/pages/", "//pages/"} {
		a := p.want(t, http.StatusServiceUnavailable, http.MethodGet, url+path, token, "")
		if a.header.Get("Retry-After") == "" {
			t.Errorf("%s: no Retry-After", path)
		}
	}
	if n := reached.Load() - before; n != 0 {
		t.Errorf("%d requests got past", n)
	}
}

func pemOf(certificate []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate}))
}
