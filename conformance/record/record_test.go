package record_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/authcompat/authcompat/conformance"
	"github.com/authcompat/authcompat/conformance/record"
	"github.com/authcompat/authcompat/conformance/wire"
)

// A shop is an API that issues opaque tokens, sets a cookie, counts, and has one user.
type shop struct {
	mu     sync.Mutex
	tokens map[string]bool
	served int
}

func (s *shop) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.served++
	body, _ := io.ReadAll(r.Body)
	w.Header().Set("Content-Type", "application/json")
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	cookie, err := r.Cookie("cart")
	switch {
	case r.URL.Path == "/login" && strings.Contains(string(body), `"ann"`) && strings.Contains(string(body), `"corr\"al horse"`):
		issued := fmt.Sprintf("eyJhbGciOi.%08d.sIg-nature_%04d", s.served, s.served)
		s.tokens[issued] = true
		http.SetCookie(w, &http.Cookie{Name: "cart", Value: fmt.Sprintf("c4rt%06dq", s.served), Expires: time.Now().Add(time.Hour)})
		fmt.Fprintf(w, `{"id": %d, "user": "ann", "access": %q, "at": %q}`, 4000+s.served, issued, time.Now().UTC().Format("2006-01-02T15:04:05.000000Z"))
	case r.URL.Path == "/login":
		w.WriteHeader(400)
		io.WriteString(w, `{"detail": "no"}`)
	case r.URL.Path == "/count":
		w.Header().Set("X-Count", fmt.Sprint(s.served))
		fmt.Fprintf(w, `{"served": %d, "what": "visits", "tag": "t%d"}`, s.served, s.served)
	case token == "before" || s.tokens[token] && err == nil && strings.HasPrefix(cookie.Value, "c4rt"):
		fmt.Fprintf(w, `{"path": %q}`, r.URL.Path[:7])
	default:
		w.WriteHeader(401)
		io.WriteString(w, `{"detail": "who?"}`)
	}
}

// proxied runs requests through a proxy in front of a handler and returns what was recorded.
func proxied(t *testing.T, upstream string, send func(url string)) []record.Call {
	t.Helper()
	var recording record.Recording
	proxy, err := record.NewProxy(upstream, 10*time.Second, nil, &recording)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- proxy.Serve(ctx, listener) }()
	send("http://" + listener.Addr().String())
	stop()
	if err := <-served; err != nil {
		t.Fatal(err)
	}
	calls, _ := recording.Calls()
	return calls
}

// ask sends a request and returns the body of the response and the cookies in it.
func ask(t *testing.T, method, url, body string, headers ...string) (string, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	cookie, _, _ := strings.Cut(response.Header.Get("Set-Cookie"), ";")
	return string(data), cookie
}

// visit is what two clients do at the shop, in turn.
func visit(t *testing.T, url string) {
	const login = `{"user": "ann", "password": "corr\"al horse"}`
	tokens, cookies, ids := [2]string{}, [2]string{}, [2]string{}
	for i := range 2 {
		body, cookie := ask(t, "POST", url+"/login", login, "Content-Type", "application/json")
		_, rest, _ := strings.Cut(body, `"access": "`)
		tokens[i], _, _ = strings.Cut(rest, `"`)
		ids[i], cookies[i] = body[7:11], cookie
	}
	for i := range 2 {
		ask(t, "GET", url+"/users/"+ids[i]+"/", "", "Authorization", "Bearer "+tokens[i], "Cookie", cookies[i])
	}
	ask(t, "GET", url+"/count", "")
	ask(t, "GET", url+"/things", "", "Authorization", "Bearer before")
	ask(t, "GET", url+"/things", "", "Authorization", "Bearer forged-token-0001")
	ask(t, "POST", url+"/login", `{"user": "ann", "password": "guessed wr0ng"}`, "Content-Type", "application/json")
	ask(t, "POST", url+"/login", `{"user": "ann", "password": "br0ken words`, "Content-Type", "application/json")
}

func TestRecord(t *testing.T) {
	handler := &shop{tokens: map[string]bool{}}
	server := httptest.NewServer(handler)
	defer server.Close()
	calls := proxied(t, server.URL, func(url string) { visit(t, url) })
	draft, err := record.NewDraft(calls, record.Options{Profile: "shop", Source: "recorded"})
	if err != nil {
		t.Fatal(err)
	}
	if err := draft.Settle(t.Context(), record.At{URL: server.URL, Timeout: 10 * time.Second}); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "shop.yaml")
	summary, err := draft.Write(path)
	if err != nil {
		t.Fatal(err)
	}
	want := record.Summary{Calls: 9, Sequences: 7, Exchanges: 6, Same: 1, Given: 1, Unfit: map[string]int{}}
	if diff := cmp.Diff(want, summary); diff != "" {
		t.Error(diff)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	for _, want := range []string{
		`"Authorization": "Bearer ${token2}"`, `"Cookie": "cart=${token1}"`, `path: "/users/${id1}/"`, `cart=<token68:token1>; Expires=<datetime, IMF-fixdate>`,
		`"{\"id\": <integer:id1>, \"user\": \"${user1.username}\", \"access\": \"<token68:token2>\", \"at\": \"<datetime, microseconds-Z>\"}"`,
		`user: "${user1.username}"`, `password: "${user1.password}"`, `"X-Count": "<any>"`, `served: "<integer>"`, `what: "visits"`, `tag: "<text>"`,
		`given1: "it was issued before the recording began"`, `"Authorization": "Bearer ${given1}"`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the file has no %s", want)
		}
	}
	for _, secret := range []string{"horse", "eyJ", "c4rt", "Bearer before", "forged", "guessed", "wr0ng", "br0ken", `"ann`} {
		if strings.Contains(text, secret) {
			t.Errorf("the file has %q", secret)
		}
	}
	if t.Failed() {
		t.Log(text)
	}

	// What is recorded passes, where a person gives what is not in the file.
	file, err := conformance.Load(path, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	given, err := conformance.LoadGiven("given.yaml", []byte("users:\n  user1: {username: ann, password: 'corr\"al horse'}\nvariables: {given1: before}\n"))
	if err != nil {
		t.Fatal(err)
	}
	options := conformance.Options{Users: given.Users, Variables: given.Variables}
	if got := conformance.Run(t.Context(), []*conformance.File{file}, conformance.Target{"shop": server.URL}, options).Totals(); got.Passed != 6 {
		t.Errorf("%+v", got)
	}
	if got := conformance.Run(t.Context(), []*conformance.File{file}, conformance.Target{"shop": server.URL}, conformance.Options{}).Totals(); got.NotReplayable == 0 || got.Mismatches > 0 {
		t.Errorf("nothing given: %+v", got)
	}
	if _, err := draft.Write(path); !errors.Is(err, fs.ErrExist) {
		t.Errorf("written over: %v", err)
	}
}

func TestEmptyRecording(t *testing.T) {
	if _, err := record.NewDraft(nil, record.Options{}); !errors.Is(err, record.ErrEmpty) {
		t.Error(err)
	}
}

// TestProxyChangesNothing sends bytes that net/http would rewrite.
func TestProxyChangesNothing(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	received := make(chan string, 1)
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		buffer := make([]byte, 4096)
		n, _ := conn.Read(buffer)
		received <- string(buffer[:n])
		io.WriteString(conn, "HTTP/1.1 401 Unauthorized\r\nWWW-authenticate: Token\r\nx-b: 2\r\nX-A: 1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n")
	}()
	var answer []byte
	calls := proxied(t, "http://"+listener.Addr().String(), func(url string) {
		conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		io.WriteString(conn, "POST /a//b/../c?x=%zz HTTP/1.1\r\nHost: old.example.com\r\nx-second: 2\r\nAUTHORIZATION: Token  x\r\nX-first: 1\r\nx-second: 3\r\nAccept-Encoding: gzip\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi")
		answer, _ = io.ReadAll(conn)
	})
	wantSent := "POST /a//b/../c?x=%zz HTTP/1.1\r\nHost: " + listener.Addr().String() + "\r\nConnection: close\r\nx-second: 2\r\nAUTHORIZATION: Token  x\r\nX-first: 1\r\nx-second: 3\r\nContent-Length: 2\r\n\r\nhi"
	if diff := cmp.Diff(wantSent, <-received); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff("HTTP/1.1 401 Unauthorized\r\nWWW-authenticate: Token\r\nx-b: 2\r\nX-A: 1\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno", string(answer)); diff != "" {
		t.Error(diff)
	}
	if len(calls) != 1 || calls[0].Request.Path != "/a//b/../c?x=%zz" {
		t.Errorf("%+v", calls)
	}
}

func TestProxyWithoutAServer(t *testing.T) {
	server := httptest.NewServer(nil)
	server.Close()
	calls := proxied(t, server.URL, func(url string) {
		body, _ := ask(t, "GET", url+"/", "")
		if !strings.HasPrefix(body, "the recorded server: ") {
			t.Error(body)
		}
	})
	if len(calls) != 0 {
		t.Errorf("%+v", calls)
	}
}

// TestRecordingIsFull holds how much a recording takes: what comes then is counted.
func TestRecordingIsFull(t *testing.T) {
	small := record.Call{Request: wire.Request{Method: "GET", Path: "/"}, Response: wire.Response{Status: 200}}
	for name, c := range map[string]struct {
		calls []record.Call
		again int // how often they come
		held  int
	}{
		"many":  {[]record.Call{small}, record.MaxCalls + 2, record.MaxCalls},
		"large": {[]record.Call{{Response: wire.Response{Status: 200, Body: make([]byte, record.MaxBytes)}}, small, small}, 1, 1},
	} {
		var r record.Recording
		for range c.again {
			for _, call := range c.calls {
				r.Add(call)
			}
		}
		if calls, dropped := r.Calls(); len(calls) != c.held || dropped != 2 {
			t.Errorf("%s: %d are held, %d are not", name, len(calls), dropped)
		}
	}
}
