package console_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// requests is how many requests TestHostileRequests sends.
const requests = 10_000

// TestHostileRequests sends generated requests to a console, most of them with a session: none is answered with a status of
// 500 or above, or not at all. AUTHCOMPAT_TEST_SEED repeats a run.
func TestHostileRequests(t *testing.T) {
	seed, err := strconv.ParseUint(os.Getenv("AUTHCOMPAT_TEST_SEED"), 10, 64)
	if err != nil {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("AUTHCOMPAT_TEST_SEED=%d", seed)
	var said lockedBuffer
	server, key := serve(t, &said)
	g := &generator{Rand: rand.New(rand.NewPCG(seed, 0)), session: session(t, server, key)}
	g.learn(t, server)
	statuses := make(map[int]int)
	var conn net.Conn
	var answers *bufio.Reader
	for i := range requests {
		if conn == nil {
			if conn, err = net.Dial("tcp", server); err != nil {
				t.Fatal(err)
			}
			answers = bufio.NewReader(conn)
		}
		method, request := g.request(server)
		if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		_, err := io.WriteString(conn, request)
		var res *http.Response
		if err == nil {
			res, err = http.ReadResponse(answers, &http.Request{Method: method})
		}
		if err == nil && !strings.HasPrefix(res.Header.Get("Content-Type"), "text/event-stream") {
			_, err = io.Copy(io.Discard, res.Body)
		}
		if errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) {
			statuses[0]++ // refused by net/http, with a body that it does not read; a panic would be logged
			_ = conn.Close()
			conn = nil
			continue
		}
		if err != nil {
			t.Fatalf("request %d is not answered: %v\n%q", i, err, request)
		}
		if statuses[res.StatusCode]++; res.StatusCode >= 500 {
			t.Errorf("request %d is answered with %d:\n%q", i, res.StatusCode, request)
		}
		if res.Close || strings.HasPrefix(res.Header.Get("Content-Type"), "text/event-stream") {
			_ = conn.Close()
			conn = nil
		}
	}
	t.Logf("answered with %v", statuses)
	if statuses[http.StatusOK] < requests/100 {
		t.Errorf("only %d of %d found a page: they test too little", statuses[http.StatusOK], requests)
	}
	if strings.Contains(said.String(), "panic") || strings.Contains(said.String(), key) {
		t.Errorf("the server says:\n%s", said.String())
	}
}

// A lockedBuffer is written by a server while a test reads it.
type lockedBuffer struct {
	mu   sync.Mutex
	text strings.Builder
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// A generator makes requests of what the pages of a console have in them.
type generator struct {
	*rand.Rand
	session string   // the cookie
	paths   []string // with their queries
	names   []string // of inputs
	values  []string // of inputs
}

// learn follows the links of all pages.
func (g *generator) learn(t *testing.T, server string) {
	t.Helper()
	link := regexp.MustCompile(`(?:href|action|data-follow)="(/console/[^"#]*)"`)
	input := regexp.MustCompile(` (name|value)="([^"]*)"`)
	seen := map[string]bool{"/console/": true}
	for queue := []string{"/console/"}; len(queue) > 0 && len(g.paths) < 500; queue = queue[1:] {
		path := strings.ReplaceAll(queue[0], "&amp;", "&")
		r, err := http.NewRequest("GET", "http://"+server+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Cookie", g.session)
		res, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		g.paths = append(g.paths, path)
		var page []byte
		if strings.HasPrefix(res.Header.Get("Content-Type"), "text/html") {
			page, _ = io.ReadAll(res.Body)
		}
		_ = res.Body.Close()
		next := res.Header.Get("Location")
		for _, m := range append(link.FindAllStringSubmatch(string(page), -1), []string{"", next}) {
			if path := m[1]; strings.HasPrefix(path, "/console/") && !seen[path] && path != "/console/logout" {
				seen[path] = true
				queue = append(queue, path)
			}
		}
		for _, m := range input.FindAllStringSubmatch(string(page), -1) {
			if m[1] == "name" {
				g.names = append(g.names, m[2])
			} else {
				g.values = append(g.values, m[2])
			}
		}
	}
	g.names, g.values = append(g.names, "key", "x"), append(g.values, "")
}

func pick(g *generator, all []string) string { return all[g.IntN(len(all))] }

// text returns something to be written into a request, as it is: with everything that a URL, a header or a
// form can't have.
func (g *generator) text() string {
	switch g.IntN(4) {
	case 0:
		return pick(g, g.values)
	case 1:
		return pick(g, []string{"", "0", "-1", "99999999999999999999", "1e9", "2026-11-30", "<script>alert(1)</script>", `"'><b>`, "../../etc/passwd", "a\x00b", "\xff\xfe", "%", "%zz", "%00", "{{.}}", "${x}", "' OR 1=1 --", "http://192.0.2.1/", "//evil.example/", "/", strings.Repeat("a", 2000)})
	case 2:
		b := make([]byte, g.IntN(20))
		for i := range b {
			b[i] = byte(g.IntN(256))
		}
		return string(b)
	}
	return g.mutate(pick(g, g.values))
}

// mutate changes a byte, takes one away, or adds one.
func (g *generator) mutate(s string) string {
	if s == "" {
		return string(rune(g.IntN(128)))
	}
	at := g.IntN(len(s))
	return s[:at] + []string{"", string(rune(g.IntN(300))), s[at:] + s[at:]}[g.IntN(3)] + s[at+1:]
}

// escape is right, wrong or missing.
func (g *generator) escape(s string) string {
	if g.IntN(5) == 0 {
		return strings.Map(func(r rune) rune {
			if r <= ' ' {
				return '+'
			}
			return r
		}, s)
	}
	var b strings.Builder
	for _, c := range []byte(s) {
		fmt.Fprintf(&b, "%%%02x", c)
	}
	return b.String()
}

func (g *generator) pairs() string {
	var all []string
	for range g.IntN(6) {
		all = append(all, pick(g, g.names)+"="+g.escape(g.text()))
	}
	return strings.Join(all, pick(g, []string{"&", "&", "&", ";", "&&"}))
}

// request returns a method, and the request in which it is.
func (g *generator) request(host string) (string, string) {
	method := pick(g, []string{"GET", "GET", "GET", "POST", "POST", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "BREW"})
	path := pick(g, g.paths)
	switch g.IntN(5) {
	case 0:
		path, _, _ = strings.Cut(path, "?")
		path += "?" + g.pairs()
	case 1:
		path = g.mutate(path)
	case 2:
		path += pick(g, []string{"x", "/", "//", "/../", "%2f", "%00", "?", "?" + g.pairs()})
	}
	path = strings.Map(func(r rune) rune {
		if r <= ' ' || r == 0x7f {
			return '_'
		}
		return r
	}, path)
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\n", method, path, pick(g, []string{host, host, host, host, host, host, host, "localhost", "evil.example", ""}))
	if g.IntN(20) > 0 {
		fmt.Fprintf(&b, "Cookie: %s\r\n", g.session)
	}
	if g.IntN(10) == 0 {
		fmt.Fprintf(&b, "%s\r\n", pick(g, []string{"Origin: http://evil.example", "Origin: null", "Origin: http://" + host, "Sec-Fetch-Site: cross-site", "Last-Event-ID: x", "Accept: */*", "Range: bytes=0-1", "If-None-Match: *", "X-HTTP-Method-Override: DELETE", "Content-Encoding: gzip"}))
	}
	body := ""
	if method == "POST" || method == "PUT" {
		body = g.pairs()
		kind := pick(g, []string{"application/x-www-form-urlencoded", "application/x-www-form-urlencoded", "application/x-www-form-urlencoded", "multipart/form-data; boundary=b", "multipart/form-data", "application/json", "x;y=\"", ""})
		if strings.HasPrefix(kind, "multipart") {
			body = "--b\r\nContent-Disposition: form-data; name=\"" + pick(g, g.names) + "\"\r\n\r\n" + g.text() + "\r\n--b--\r\n"
		}
		fmt.Fprintf(&b, "Content-Type: %s\r\nContent-Length: %d\r\n", kind, len(body))
	}
	return method, b.String() + "\r\n" + body
}
