package front_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/dialects/front"
	"github.com/authcompat/authcompat/dialects/internal/wire"
)

// gate is an API whose good token is "good".
type gate struct {
	mu    sync.Mutex
	ended bool
	errs  []error
	asked int    // how often User was
	user  string // of the good token
}

// User takes the body of a request to login for a name.
func (g *gate) User(r *http.Request, endpoint string) string {
	g.mu.Lock()
	g.asked++
	g.mu.Unlock()
	if endpoint == "login" {
		body, err := wire.Body(nil, r)
		if err != nil {
			return ""
		}
		return string(body)
	}
	name, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Token ")
	return name
}

func (g *gate) Authenticate(w http.ResponseWriter, r *http.Request, needed bool) (*core.Session, bool) {
	header := r.Header.Get("Authorization")
	switch {
	case header == "" && !needed:
		return nil, true
	case header == "Token nobodys":
		return &core.Session{}, true
	case header != "Token good":
		http.Error(w, "refused", http.StatusUnauthorized)
		return nil, false
	}
	name := g.user
	if name == "" {
		name = "ann"
	}
	return &core.Session{User: core.User{ID: 7, Username: name}}, true
}

func (g *gate) Ended(*http.Request) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.ended
}

func (g *gate) end() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.ended = true
}

func (g *gate) Unavailable(w http.ResponseWriter, status int, err error) {
	g.mu.Lock()
	g.errs = append(g.errs, err)
	g.mu.Unlock()
	http.Error(w, "unavailable", status)
}
func (g *gate) TooLarge(w http.ResponseWriter) {
	http.Error(w, "too large", http.StatusRequestEntityTooLarge)
}
func (g *gate) Malformed(w http.ResponseWriter) { http.Error(w, "malformed", http.StatusBadRequest) }
func (g *gate) Unknown(w http.ResponseWriter, _ *http.Request) {
	http.Error(w, "unknown", http.StatusNotFound)
}
func (g *gate) lastError() (err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.errs) > 0 {
		err = g.errs[len(g.errs)-1]
	}
	return err
}

// serveConns calls serve with each connection to the address that it returns.
func serveConns(t *testing.T, serve func(net.Conn)) *url.URL {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				serve(c)
			}()
		}
	}()
	return &url.URL{Scheme: "http", Host: l.Addr().String()}
}

// start serves a front, and returns its address.
func start(t *testing.T, api front.API, o front.Options) (address string) {
	t.Helper()
	f := front.New(api, o)
	s := httptest.NewUnstartedServer(f)
	s.Config.DisableGeneralOptionsHandler = true
	s.Start()
	t.Cleanup(s.Close)
	t.Cleanup(f.Retire)
	return s.Listener.Addr().String()
}

// exchange sends bytes, and returns all that is answered until the connection is closed.
func exchange(t *testing.T, address, request string) string {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := io.WriteString(c, request); err != nil {
		t.Fatal(err)
	}
	all, err := io.ReadAll(c)
	if err != nil {
		t.Errorf("%q: %v after %q", request, err, all)
	}
	return string(all)
}

// readHead reads a head, with its empty line.
func readHead(r *bufio.Reader) (string, error) {
	var head strings.Builder
	for {
		line, err := r.ReadString('\n')
		head.WriteString(line)
		if err != nil || line == "\r\n" {
			return head.String(), err
		}
	}
}

// recorder is an application that keeps the heads which it has got.
type recorder struct {
	mu     sync.Mutex
	heads  []string
	bodies []string
	answer string
}

func (a *recorder) serve(c net.Conn) {
	r := bufio.NewReader(c)
	for {
		head, err := readHead(r)
		if err != nil {
			return
		}
		request, err := http.ReadRequest(bufio.NewReader(io.MultiReader(strings.NewReader(sane(head)), r)))
		var body []byte
		if err == nil && (request.ContentLength > 0 || len(request.TransferEncoding) > 0) {
			body, _ = io.ReadAll(request.Body)
		}
		a.mu.Lock()
		a.heads, a.bodies = append(a.heads, head), append(a.bodies, string(body))
		a.mu.Unlock()
		if _, err := io.WriteString(c, a.answer); err != nil || strings.Contains(head, "Connection: close") {
			return
		}
	}
}

// sane gives a head a target that net/http takes.
func sane(head string) string {
	method, _, _ := strings.Cut(head, " ")
	_, rest, _ := strings.Cut(head, " HTTP/1.1")
	return method + " / HTTP/1.1" + rest
}

func (a *recorder) last() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.heads) == 0 {
		return ""
	}
	return a.heads[len(a.heads)-1]
}

const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

// TestProxiesSpellWithDashes has a trusted proxy pass on what its client says of itself in other spellings,
// as HAProxy does: servers make one variable of them and of the proxy's own, and some take the last.
func TestProxiesSpellWithDashes(t *testing.T) {
	app := &recorder{answer: ok}
	address := start(t, &gate{}, front.Options{Old: front.Application{URL: serveConns(t, app.serve)}, Trusted: func(netip.Addr) bool { return true }})
	exchange(t, address, "GET / HTTP/1.1\r\nHost: old.example\r\nX-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Port: 443\r\nX-Real-IP: 192.0.2.7\r\n"+
		"X_Forwarded_For: 1.2.3.4\r\nX.Forwarded.For: 1.2.3.4\r\nX-Forwarded_Host: evil.example\r\nx_real_ip: 1.2.3.4\r\nConnection: close\r\n\r\n")
	const want = "GET / HTTP/1.1\r\nHost: old.example\r\nX-Forwarded-For: 192.0.2.7, 127.0.0.1\r\nX-Forwarded-Host: old.example\r\nX-Forwarded-Port: 443\r\nX-Forwarded-Proto: http\r\nX-Real-Ip: 192.0.2.7\r\n\r\n"
	if got := app.last(); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// TestRequestsArriveAsSent sends odd requests, and compares what the application gets.
func TestRequestsArriveAsSent(t *testing.T) {
	app := &recorder{answer: ok}
	address := start(t, &gate{}, front.Options{Old: front.Application{URL: serveConns(t, app.serve)}, Trusted: func(a netip.Addr) bool { return false }})
	const forwarded = "X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Host: old.example\r\nX-Forwarded-Proto: http\r\n"
	for _, test := range []struct{ sent, want string }{
		{"GET /a%2fb;c//d/../e?q=1;2&%zz=\xff HTTP/1.1\r\nHost: old.example\r\n\r\n",
			"GET /a%2fb;c//d/../e?q=1;2&%zz=\xff HTTP/1.1\r\nHost: old.example\r\n" + forwarded},
		{"GET /\xe9\\ HTTP/1.1\r\nHost: old.example\r\nUser-Agent: one\r\nUser-Agent: two\r\n\r\n",
			"GET /\xe9\\ HTTP/1.1\r\nHost: old.example\r\n" + forwarded + "user-agent: one\r\nuser-agent: two\r\n"},
		{"GET //evil/ HTTP/1.1\r\nHost: old.example\r\nUser-Agent:\r\nAccept-Encoding: br\r\n\r\n",
			"GET //evil/ HTTP/1.1\r\nHost: old.example\r\nAccept-Encoding: br\r\n" + forwarded + "user-agent: \r\n"},
		{"GET http://other.example/x HTTP/1.1\r\nHost: old.example\r\n\r\n",
			"GET http://other.example/x HTTP/1.1\r\nHost: other.example\r\n" + strings.Replace(forwarded, "old", "other", 1)},
		{"OPTIONS * HTTP/1.1\r\nHost: old.example\r\n\r\n", "OPTIONS * HTTP/1.1\r\nHost: old.example\r\n" + forwarded},
		{"POST / HTTP/1.1\r\nHost: old.example\r\n\r\n", "POST / HTTP/1.1\r\nHost: old.example\r\n" + forwarded},
		{"POST / HTTP/1.1\r\nHost: old.example\r\nContent-Length: 0\r\n\r\n", "POST / HTTP/1.1\r\nHost: old.example\r\nContent-Length: 0\r\n" + forwarded},
		{"DELETE / HTTP/1.1\r\nHost: old.example\r\nContent-Length: 0\r\n\r\n", "DELETE / HTTP/1.1\r\nContent-Length: 0\r\nHost: old.example\r\n" + forwarded},
		{"GET / HTTP/1.1\r\nHost: old.example\r\nContent-Length: 3\r\n\r\nabc", "GET / HTTP/1.1\r\nHost: old.example\r\nContent-Length: 3\r\n" + forwarded},
		{"PUT / HTTP/1.1\r\nHost: old.example\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", "PUT / HTTP/1.1\r\nHost: old.example\r\nTransfer-Encoding: chunked\r\n" + forwarded},
		{"GET / HTTP/1.1\r\nHost: old.example\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "GET / HTTP/1.1\r\nHost: old.example\r\nTransfer-Encoding: chunked\r\n" + forwarded},
		{"GET / HTTP/1.1\r\nHost: old.example\r\nX-Forwarded-For: 1.2.3.4\r\nX_Forwarded_For: 1.2.3.4\r\nForwarded: for=1.2.3.4\r\nX-Forwarded-Port: 1\r\nX-Real-Ip: 1.2.3.4\r\nSCRIPT_NAME: /x\r\nPath_Info: /y\r\nX-Original-Url: /z\r\nX_Script_Name: /w\r\n\r\n",
			"GET / HTTP/1.1\r\nHost: old.example\r\n" + forwarded},
		// CGI and FastCGI of lighttpd make _ of all that is no letter or digit.
		{"GET / HTTP/1.1\r\nHost: old.example\r\nX.Forwarded.For: 1.2.3.4\r\nx!forwarded~port: 1\r\nx.real|ip: 1.2.3.4\r\nX.Original.Url: /z\r\nx'rewrite`url: /y\r\nX.Script_Name: /w\r\nX.Other: 1\r\n\r\n",
			"GET / HTTP/1.1\r\nHost: old.example\r\n" + forwarded + "X.other: 1\r\n"},
		{"GET / HTTP/1.1\r\nHost: old.example\r\nConnection: keep-alive, X-Secret\r\nX-Secret: 1\r\nKeep-Alive: 5\r\nTe: trailers\r\nProxy-Authorization: x\r\nUpgrade: h2c\r\n\r\n",
			"GET / HTTP/1.1\r\nHost: old.example\r\nTe: trailers\r\n" + forwarded},
		{"GET / HTTP/1.1\r\nHost: old.example\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n",
			"GET / HTTP/1.1\r\nHost: old.example\r\n" + forwarded},
		{"POST / HTTP/1.1\r\nHost: old.example\r\nIdempotency-Key: k\r\nCookie: a=b; c=d\r\nCookie: e=f\r\n\r\n",
			"POST / HTTP/1.1\r\nHost: old.example\r\nCookie: a=b; c=d\r\nCookie: e=f\r\n" + forwarded + "idempotency-key: k\r\n"},
		{"GET /old HTTP/1.0\r\n\r\n", "GET /old HTTP/1.1\r\nHost: APPLICATION\r\nX-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: http\r\n"},
		{"HEAD / HTTP/1.1\r\nHost: old.example\r\n\r\n", "HEAD / HTTP/1.1\r\nHost: old.example\r\nConnection: close\r\n" + forwarded},
	} {
		close := strings.Replace(test.sent, "\r\n\r\n", "\r\nConnection: close\r\n\r\n", 1)
		if strings.Contains(test.sent, "Connection:") || strings.Contains(test.sent, "HTTP/1.0") {
			close = test.sent + "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
		}
		before := len(app.heads)
		answer := exchange(t, address, close)
		if !strings.HasPrefix(answer, "HTTP/1.1 200 OK\r\n") && !strings.HasPrefix(answer, "HTTP/1.0 200 OK\r\n") {
			t.Errorf("%q: %q", test.sent, answer)
			continue
		}
		host := "APPLICATION"
		if len(app.heads) == before {
			t.Errorf("%q: the application got nothing", test.sent)
			continue
		}
		got := app.heads[before]
		if strings.Contains(test.want, host) {
			got = strings.Replace(got, between(got, "Host: ", "\r\n"), host, 1)
		}
		if d := cmp.Diff(test.want+"\r\n", got); d != "" {
			t.Errorf("%q (-want +got):\n%s", test.sent, d)
		}
	}
}

func between(s, before, after string) string {
	_, rest, _ := strings.Cut(s, before)
	text, _, _ := strings.Cut(rest, after)
	return text
}

// TestAnswersArriveAsSent compares what a client gets with what the application sent.
func TestAnswersArriveAsSent(t *testing.T) {
	for _, test := range []struct{ sent, want string }{
		{ok, ok},
		{"HTTP/1.1 200 OK\r\ncontent-type: text/x\r\nX-ODD-name: 1\r\nx-odd-NAME: 2\r\ndate: now\r\nContent-Length: 2\r\n\r\nok",
			"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-ODD-name: 1\r\ncontent-type: text/x\r\ndate: now\r\nx-odd-NAME: 2\r\n\r\nok"},
		{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n<html\r\n0\r\n\r\n",
			"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n<html\r\n0\r\n\r\n"},
		{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 7\r\n\r\n",
			"HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 7\r\n\r\n"},
		{"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\nConnection: x-hop\r\nX-Hop: 1\r\n\r\nHTTP/1.1 404 Not Found\r\nKeep-Alive: 5\r\nSERVER: gunicorn\r\nContent-Length: 0\r\n\r\n",
			"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nSERVER: gunicorn\r\n\r\n"},
		{"HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\nset-cookie: a=1\r\nSet-Cookie: b=2\r\n\r\n",
			"HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\nSet-Cookie: b=2\r\nset-cookie: a=1\r\n\r\n"},
		{"HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 204 No Content\r\n\r\n"},
	} {
		app := &recorder{answer: test.sent}
		address := start(t, &gate{}, front.Options{Old: front.Application{URL: serveConns(t, app.serve)}})
		c, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		_ = c.SetDeadline(time.Now().Add(10 * time.Second))
		for range 2 { // the second may be on the same connections
			_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
			got := make([]byte, len(test.want))
			if n, err := io.ReadFull(c, got); err != nil || string(got) != test.want {
				t.Errorf("%q: %v\n got %q\nwant %q", test.sent, err, got[:n], test.want)
			}
		}
		c.Close()
	}
}

// TestServersOwnHeaders keeps what the server has set for the last head out of an interim one.
func TestServersOwnHeaders(t *testing.T) {
	app := &recorder{answer: "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + ok}
	f := front.New(&gate{}, front.Options{Old: front.Application{URL: serveConns(t, app.serve)}})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header()["Connection"] = []string{"close"}
		f.ServeHTTP(w, r)
	}))
	defer s.Close()
	const want = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"
	if got := exchange(t, s.Listener.Addr().String(), "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); got != want {
		t.Errorf("%q", got)
	}
	const old = "HTTP/1.0 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"
	if got := exchange(t, s.Listener.Addr().String(), "GET / HTTP/1.0\r\nHost: x\r\n\r\n"); got != old {
		t.Errorf("HTTP/1.0: %q", got)
	}
}
