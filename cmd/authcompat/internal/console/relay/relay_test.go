package relay_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
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

	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/relay"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/target"
	"github.com/authcompat/authcompat/conformance/wire"
)

// A counter is a server that counts the requests that it sees, however they come, and answers each.
type counter struct {
	*httptest.Server
	mu   sync.Mutex
	seen []string
}

func count(t *testing.T) *counter {
	c := &counter{}
	c.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.seen = append(c.seen, r.Method+" "+r.RequestURI)
	}))
	t.Cleanup(c.Close)
	return c
}

func (c *counter) requests() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return strings.Join(c.seen, ", ")
}

func open(t *testing.T, o relay.Options, targets ...target.Target) *relay.Relay {
	t.Helper()
	r, err := relay.New(t.Context(), targets, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func headers(pairs ...string) []wire.Header {
	var all []wire.Header
	for i := 0; i < len(pairs); i += 2 {
		all = append(all, wire.Header{Name: pairs[i], Value: pairs[i+1]})
	}
	return all
}

// TestRefused sends what could reach another server, or be taken for two requests: nothing arrives.
func TestRefused(t *testing.T) {
	server, other := count(t), count(t)
	r := open(t, relay.Options{}, target.Target{Name: "here", URL: server.URL})
	const second = "GET /second HTTP/1.1\r\nHost: x\r\n\r\n"
	for name, test := range map[string]struct {
		target  string
		request wire.Request
	}{
		"a target that nobody named":  {"elsewhere", wire.Request{Method: "GET", Path: "/"}},
		"a URL for a target":          {other.URL, wire.Request{Method: "GET", Path: "/"}},
		"no target":                   {"", wire.Request{Method: "GET", Path: "/"}},
		"an absolute target":          {"here", wire.Request{Method: "GET", Path: other.URL + "/"}},
		"an authority":                {"here", wire.Request{Method: "CONNECT", Path: "example.com:443"}},
		"CONNECT":                     {"here", wire.Request{Method: "connect", Path: "/"}},
		"no path":                     {"here", wire.Request{Method: "GET", Path: ""}},
		"an asterisk":                 {"here", wire.Request{Method: "OPTIONS", Path: "*"}},
		"no method":                   {"here", wire.Request{Path: "/"}},
		"a line end in the method":    {"here", wire.Request{Method: "GET / HTTP/1.1\r\nHost: x\r\n\r\nGET", Path: "/second"}},
		"a bare CR in the method":     {"here", wire.Request{Method: "GET\r", Path: "/"}},
		"letters beyond ASCII":        {"here", wire.Request{Method: "GÉT", Path: "/"}},
		"a long method":               {"here", wire.Request{Method: strings.Repeat("A", 41), Path: "/"}},
		"a line end in the path":      {"here", wire.Request{Method: "GET", Path: "/ HTTP/1.1\r\nHost: x\r\n\r\nGET /second"}},
		"a line feed in the path":     {"here", wire.Request{Method: "GET", Path: "/\nHost: x"}},
		"a blank in the path":         {"here", wire.Request{Method: "GET", Path: "/ HTTP/1.1"}},
		"a NUL in the path":           {"here", wire.Request{Method: "GET", Path: "/\x00"}},
		"a DEL in the path":           {"here", wire.Request{Method: "GET", Path: "/\x7f"}},
		"a line end in a name":        {"here", wire.Request{Method: "GET", Path: "/", Headers: headers("A: b\r\n\r\n"+second+"C", "d")}},
		"a colon in a name":           {"here", wire.Request{Method: "GET", Path: "/", Headers: headers("A:", "d")}},
		"a blank behind a name":       {"here", wire.Request{Method: "GET", Path: "/", Headers: headers("Content-Length ", "0")}},
		"a fold":                      {"here", wire.Request{Method: "GET", Path: "/", Headers: headers(" a", "b")}},
		"no name":                     {"here", wire.Request{Method: "GET", Path: "/", Headers: headers("", "b")}},
		"a line end in a value":       {"here", wire.Request{Method: "GET", Path: "/", Headers: headers("A", "b\r\n\r\n"+second)}},
		"a line feed in a value":      {"here", wire.Request{Method: "GET", Path: "/", Headers: headers("A", "b\nC: d")}},
		"a CR in a value":             {"here", wire.Request{Method: "GET", Path: "/", Headers: headers("A", "b\rC: d")}},
		"a NUL in a value":            {"here", wire.Request{Method: "GET", Path: "/", Headers: headers("A", "b\x00")}},
		"a length of less":            {"here", wire.Request{Method: "POST", Path: "/", Headers: headers("Content-Length", "0"), Body: []byte(second)}},
		"a length of more":            {"here", wire.Request{Method: "POST", Path: "/", Headers: headers("Content-Length", "99")}},
		"two lengths":                 {"here", wire.Request{Method: "POST", Path: "/", Headers: headers("Content-Length", "0", "content-length", "0")}},
		"a signed length":             {"here", wire.Request{Method: "POST", Path: "/", Headers: headers("Content-Length", "+0")}},
		"chunks":                      {"here", wire.Request{Method: "POST", Path: "/", Headers: headers("transfer-encoding", "chunked"), Body: []byte("0\r\n\r\n" + second)}},
		"another protocol":            {"here", wire.Request{Method: "GET", Path: "/", Headers: headers("Upgrade", "h2c")}},
		"a length that a proxy drops": {"here", wire.Request{Method: "POST", Path: "/", Headers: headers("Connection", "close, Content-Length"), Body: []byte(second)}},
		"headers without end":         {"here", wire.Request{Method: "GET", Path: "/", Headers: headers("A", strings.Repeat("a", 16<<10))}},
	} {
		answer, err := r.Send(t.Context(), test.target, test.request)
		var refusal *relay.Refusal
		if !errors.As(err, &refusal) || answer != nil || strings.ContainsAny(err.Error(), "\r\n") {
			t.Errorf("%s: got %v, %v", name, answer, err)
		}
		// What exchange files and earlier answers give goes the same way.
		client, err := r.Client(test.target)
		if err != nil {
			continue
		}
		if _, err := client.Do(t.Context(), test.request); !errors.As(err, &refusal) {
			t.Errorf("%s: the client got %v", name, err)
		}
	}
	if got := server.requests() + other.requests(); got != "" {
		t.Errorf("arrived: %s", got)
	}
}

// What is odd but one request is sent as it is.
func TestAllowed(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	got := make(chan string, 1)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			reader := bufio.NewReader(conn)
			var text strings.Builder
			for !strings.HasSuffix(text.String(), "\r\n\r\n") {
				line, err := reader.ReadString('\n')
				text.WriteString(line)
				if err != nil {
					break
				}
			}
			io.WriteString(conn, "HTTP/1.1 204 No Content\r\n\r\n")
			conn.Close()
			got <- text.String()
		}
	}()
	r := open(t, relay.Options{}, target.Target{Name: "here", URL: "http://" + listener.Addr().String() + "/base"})
	for _, test := range []struct {
		request wire.Request
		want    string
	}{
		{wire.Request{Method: "get", Path: "//a/../%2e/\xff?q=http://elsewhere/", Headers: headers("hOST", "elsewhere.example", "connection", "Close", "A", "\xff\x01 b", "A", "")},
			"get /base//a/../%2e/\xff?q=http://elsewhere/ HTTP/1.1\r\nhOST: elsewhere.example\r\nconnection: Close\r\nA: \xff\x01 b\r\nA: \r\n\r\n"},
		{wire.Request{Method: "M-SEARCH", Path: "/", Headers: headers("Host", "h", "Connection", "keep-alive", "Content-Length", "2"), Body: []byte("ab")},
			"M-SEARCH /base/ HTTP/1.1\r\nHost: h\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\n"},
	} {
		answer, err := r.Send(t.Context(), "here", test.request)
		if err != nil || answer.Response == nil || answer.Response.Status != 204 {
			t.Fatalf("%v, %v", answer, err)
		}
		if text := <-got; text != test.want {
			t.Errorf("arrived %q, want %q", text, test.want)
		}
	}
}

// A fickle is a Resolver whose second answer is another one.
type fickle struct {
	answers []string
	asked   int
}

func (f *fickle) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) {
	f.asked++
	if f.asked > len(f.answers) {
		return nil, errors.New("no such host")
	}
	return []netip.Addr{netip.MustParseAddr(f.answers[f.asked-1])}, nil
}

// TestNameResolvesElsewhereLater names a server whose name resolves to another address from the second look-up on.
func TestNameResolvesElsewhereLater(t *testing.T) {
	server := count(t)
	u, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	names := &fickle{answers: []string{"::ffff:127.0.0.1", "127.0.0.2", "127.0.0.2"}}
	r := open(t, relay.Options{Resolver: names}, target.Target{Name: "old", URL: "http://old.example:" + u.Port()})
	for range 2 {
		answer, err := r.Send(t.Context(), "old", wire.Request{Method: "GET", Path: "/"})
		if err != nil || answer.Response == nil {
			t.Fatalf("%v, %v", answer, err)
		}
	}
	if names.asked != 1 || server.requests() != "GET /, GET /" {
		t.Errorf("asked %d times, arrived: %s", names.asked, server.requests())
	}
	if _, err := relay.New(t.Context(), []target.Target{{Name: "old", URL: "http://old.example"}}, relay.Options{Resolver: &fickle{}}); err == nil || !strings.Contains(err.Error(), "target old: look up its address: no such host") {
		t.Errorf("an unknown name: %v", err)
	}
	if _, err := relay.New(t.Context(), []target.Target{{Name: "old", URL: "http://old.example:99999"}}, relay.Options{Resolver: &fickle{}}); err == nil {
		t.Error("a port of 99999 is accepted")
	}
}

// TestRedirectIsNotFollowed has a target send on to a server that nobody named.
func TestRedirectIsNotFollowed(t *testing.T) {
	other := count(t)
	server := httptest.NewServer(http.RedirectHandler(other.URL+"/", http.StatusTemporaryRedirect))
	defer server.Close()
	r := open(t, relay.Options{}, target.Target{Name: "here", URL: server.URL})
	answer, err := r.Send(t.Context(), "here", wire.Request{Method: "POST", Path: "/"})
	if err != nil || answer.Response == nil || answer.Response.Status != 307 {
		t.Fatalf("%+v, %v", answer, err)
	}
	if got := other.requests(); got != "" {
		t.Errorf("arrived elsewhere: %s", got)
	}
}

// The certificate has to be that of the name, and nothing is sent to a server that has another.
func TestCertificate(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Host) }))
	defer server.Close()
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	u, _ := url.Parse(server.URL)
	for name, want := range map[string]string{"example.com": "", "example.org": "The server's certificate is not trusted, so nothing was sent: "} {
		r := open(t, relay.Options{Resolver: &fickle{answers: []string{"127.0.0.1"}}}, target.Target{Name: "old", URL: "https://" + name + ":" + u.Port(), TLS: &tls.Config{RootCAs: roots}})
		answer, err := r.Send(t.Context(), "old", wire.Request{Method: "GET", Path: "/"})
		if err != nil || !strings.HasPrefix(answer.Problem, want) || (answer.Response != nil) != (want == "") || (answer.Recording.Sent != nil) != (want == "") {
			t.Errorf("%s: %+v, %v", name, answer, err)
		}
	}
}

// TestNetworkInWords has what happens on the network as part of the answer.
func TestNetworkInWords(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	release := make(chan struct{})
	hangs := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer hangs.Close()
	defer close(release)
	speaks := func(text string) string {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { listener.Close() })
		go func() {
			for {
				conn, err := listener.Accept()
				if err != nil {
					return
				}
				io.WriteString(conn, text)
				io.Copy(io.Discard, conn)
				conn.Close()
			}
		}()
		return listener.Addr().String()
	}
	for name, test := range map[string]struct{ url, want, received string }{
		"nobody":       {"http://" + closed.Addr().String(), "The server can't be reached, so nothing was sent: ", ""},
		"nothing":      {hangs.URL, "The server did not answer in time: ", ""},
		"no HTTP":      {"http://" + speaks("220 mail.example\r\n"), "What came is no HTTP response: ", "220 mail.example\r\n"},
		"no TLS":       {"https://" + speaks("220 mail.example\r\n"), "What answers there speaks no TLS, so nothing was sent: ", ""},
		"half of it":   {"http://" + speaks("HTTP/1.1 200 OK\r\nA: b\r\n"), "The server did not answer in time: ", "HTTP/1.1 200 OK\r\nA: b\r\n"},
		"endless head": {"http://" + speaks("HTTP/1.1 200 OK\r\nA: "+strings.Repeat("a", 65<<10)), "What came is no HTTP response: the response's head is over 65536 bytes", "HTTP/1.1 200 OK\r\nA: aaaa"},
	} {
		r := open(t, relay.Options{Timeout: 300 * time.Millisecond}, target.Target{Name: "here", URL: test.url})
		answer, err := r.Send(t.Context(), "here", wire.Request{Method: "GET", Path: "/"})
		if err != nil || answer.Response != nil || !strings.HasPrefix(answer.Problem, test.want) || !strings.HasPrefix(string(answer.Recording.Received), test.received) {
			t.Errorf("%s: %q, received %.40q, %v", name, answer.Problem, answer.Recording.Received, err)
		}
	}
}

// A response of more than 4 MiB is cut, and is no error.
func TestLongResponse(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for range 5 << 4 {
			if _, err := w.Write(make([]byte, 64<<10)); err != nil {
				return
			}
		}
	}))
	defer server.Close()
	r := open(t, relay.Options{}, target.Target{Name: "here", URL: server.URL})
	answer, err := r.Send(t.Context(), "here", wire.Request{Method: "GET", Path: "/"})
	if err != nil || answer.Response == nil || len(answer.Response.Body) != relay.MaxResponse || !answer.Recording.Cut {
		t.Errorf("%v, %v", answer.Problem, err)
	}
}

// There are eight places, and a place that is left can be had again.
func TestPlaces(t *testing.T) {
	r := open(t, relay.Options{})
	var leave func()
	for range relay.MaxParallel {
		var err error
		if leave, err = r.Enter(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := r.Enter(); !errors.Is(err, relay.ErrBusy) {
		t.Errorf("a ninth: %v", err)
	}
	leave()
	if _, err := r.Enter(); err != nil {
		t.Error(err)
	}
}

// FuzzCheck holds that what is allowed is one request to every reader of HTTP: net/http reads the same one, and nothing
// after it.
func FuzzCheck(f *testing.F) {
	f.Add("POST", "/a?b", "A", "b", "c")
	f.Add("GET", "/ HTTP/1.1\r\n\r\nGET /", "A", "b\r\nC: d", "")
	f.Add("GET", "/", "Content-Length", "0", "GET / HTTP/1.1\r\n\r\n")
	f.Fuzz(func(t *testing.T, method, path, name, value, body string) {
		r := wire.Request{Method: method, Path: path, Headers: headers(name, value), Body: []byte(body)}
		if relay.Check(r) != nil {
			return
		}
		reader := bufio.NewReader(strings.NewReader(string(r.Encode("host"))))
		got, err := http.ReadRequest(reader)
		if err != nil {
			return // a server that is strict refuses it
		}
		read, err := io.ReadAll(got.Body)
		if err != nil || string(read) != body || got.Method != method || got.RequestURI != path {
			t.Errorf("%q %q: read as %q %q with body %q, %v", method, path, got.Method, got.RequestURI, read, err)
		}
		if rest, _ := io.ReadAll(reader); len(rest) > 0 {
			t.Errorf("%q is left for a second request", rest)
		}
	})
}
