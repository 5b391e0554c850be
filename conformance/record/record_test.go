package record_test

import (
	"context"
	"encoding/base64"
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
	file, err := conformance.LoadFile(path)
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

// TestNothingLeft has a password with half of its letters escaped, where no reference can stand, and nothing else.
func TestNothingLeft(t *testing.T) {
	draft, err := record.NewDraft([]record.Call{call("POST", "/login", `{"password": "n0 w0rd but th1s"}`, 200, "{\"said\": \"\\u006e\\u0030 w0rd but th1s\"}", "Content-Type", "application/json")}, record.Options{Profile: "p", Source: "s"})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "my.yaml")
	if _, err := draft.Write(path); !errors.Is(err, record.ErrNothingLeft) {
		t.Error(err)
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
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

// call returns a call with JSON in its request and its response.
func call(method, path, body string, status int, answer string, headers ...string) record.Call {
	c := record.Call{Request: wire.Request{Method: method, Path: path, Body: []byte(body)},
		Response: wire.Response{Status: status, Body: []byte(answer), Headers: []wire.Header{{Name: "Content-Type", Value: "application/json"}}}}
	for i := 0; i < len(headers); i += 2 {
		c.Request.Headers = append(c.Request.Headers, wire.Header{Name: headers[i], Value: headers[i+1]})
	}
	return c
}

// answered returns the call with one more header in its response.
func answered(c record.Call, name, value string) record.Call {
	c.Response.Headers = append(c.Response.Headers, wire.Header{Name: name, Value: value})
	return c
}

// TestEncodedSecrets plants a secret where it is sent, and its encodings wherever a client or a server can
// put them.
func TestEncodedSecrets(t *testing.T) {
	const secret = `Zq7"é&<%w \xK9`
	basic := base64.StdEncoding.EncodeToString([]byte("someone:" + secret))
	sent := call("POST", "/login", "{\"username\": \"bob\", \"password\": \"Zq7\\\"\\u00e9&\\u003c%w \\\\xK9\"}", 200, `{"ok": true}`, "Content-Type", "application/json")
	again := call("POST", "/login", `{"username":"bob","username":"bob","password":"Zq7\"\u00e9\u0026<%w \\xK9"}`, 200, `{"ok": true}`, "Content-Type", "application/json")
	form := call("POST", "/login", "username=bob&password=Zq7%22%c3%A9%26%3C%25w+%5CxK9", 200, "ok", "Content-Type", "application/x-www-form-urlencoded")
	other := call("GET", "/x", "", 401, `{"echo": "`+basic+`", "html": "Zq7&#34;é&amp;&lt;%w \\\\xK9"}`, "Authorization", "Basic "+basic, "Referer", "/?q=Zq7%22%C3%A9%26%3C%25w%20%5CxK9")
	draft, err := record.NewDraft([]record.Call{sent, again, form, other}, record.Options{Profile: "p", Source: "s"})
	if err != nil {
		t.Fatal(err)
	}
	data, _, err := draft.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"Zq7", "xK9", basic[8:], "WnE3"} {
		if strings.Contains(string(data), part) {
			t.Errorf("%q is left in %s", part, data)
		}
	}
}

// TestUnfitExchanges says why they are, and keeps them.
func TestUnfitExchanges(t *testing.T) {
	first := true
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if !first {
			w.WriteHeader(410)
		}
		first = false
		io.WriteString(w, `{}`)
	}))
	defer server.Close()
	calls := proxied(t, server.URL, func(url string) { ask(t, "GET", url+"/once", "") })
	draft, err := record.NewDraft(calls, record.Options{Profile: "p", Source: "s"})
	if err != nil {
		t.Fatal(err)
	}
	if err := draft.Settle(t.Context(), record.At{URL: server.URL, Timeout: 10 * time.Second}); err != nil {
		t.Fatal(err)
	}
	data, summary, err := draft.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	const why = "step 1, when it was replayed at the recorded server: the status was 200 and is 410"
	if summary.Unfit[why] != 1 || !strings.Contains(string(data), `not_replayable: "`+why+`"`) {
		t.Errorf("%+v\n%s", summary, data)
	}
}

// written returns the exchange file of calls.
func written(t *testing.T, calls ...record.Call) (string, record.Summary) {
	t.Helper()
	draft, err := record.NewDraft(calls, record.Options{Profile: "p", Source: "s"})
	if err != nil {
		t.Fatal(err)
	}
	data, summary, err := draft.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return string(data), summary
}

func TestWritten(t *testing.T) {
	const isJSON, is = "Content-Type", "application/json"
	for name, test := range map[string]struct {
		calls     []record.Call
		want, not []string
		exchanges int
	}{
		"a password that is the name": {
			[]record.Call{call("POST", "/login", `{"username": "admin", "password": "admin"}`, 200, `{"username": "admin"}`, isJSON, is)},
			[]string{`username: "${user1.username}"`, `password: "${user1.password}"`, `{\"username\": \"${user1.username}\"}`}, []string{"admin"}, 1},
		"a password that is the name of a field": {
			[]record.Call{call("POST", "/login", `{"username": "ann", "password": "password"}`, 400, `{"password": ["password is wrong"]}`, isJSON, is)},
			[]string{`username: "${user1.username}"`, `[\"password is wrong\"]`}, []string{`password: "password"`, `password\": \"password`}, 1},
		"two users with one password": {
			[]record.Call{
				call("POST", "/register", `{"username":"ann","password":"same w0rds"}`, 201, `{"k":"0123456789abcdef0123456789abcdef"}`, isJSON, is),
				call("POST", "/register", `{"username":"ben","password":"same w0rds"}`, 201, `{"k":"0123456789abcdef0123456789abcdef"}`, isJSON, is)},
			[]string{`password: "${user1.password}"`, `password: "${user2.password}"`, `{\"k\":\"<hex32:token1>\"}`, `{\"k\":\"${token1}\"}`}, []string{"w0rds"}, 1},
		"a short token in a header of its name": {
			[]record.Call{
				answered(call("POST", "/login", "", 204, ""), "X-Auth-Token", "abc-defg-55aa66"),
				answered(call("POST", "/other", "", 204, ""), "X-Auth-Token", "abc-defg-55aa66"),
				call("GET", "/me", "", 200, `{}`, "X-Auth-Token", "abc-defg-55aa66")},
			[]string{`"X-Auth-Token": "<token68:token1>"`, `"X-Auth-Token": "${token1}"`}, []string{"55aa66"}, 1},
		"a token without a digit": {
			[]record.Call{
				call("POST", "/login", "", 200, `{"ticket": "abcdefghij"}`),
				call("GET", "/me", "", 200, `{}`, "X-Auth-Token", "abcdefghij")},
			[]string{`{\"ticket\": \"<token68:token1>\"}`, `"X-Auth-Token": "${token1}"`}, []string{"abcdefghij"}, 1},
		"a compressed body": {
			[]record.Call{call("POST", "/login", "\x1f\x8b", 200, `{}`, "Content-Encoding", "gzip"), call("GET", "/", "", 200, `{}`)},
			[]string{`path: "/"`}, []string{"/login"}, 1},
		"bodies in UTF-16": {
			[]record.Call{
				call("POST", "/login", "\xff\xfe{\x00}\x00", 200, `{"said": "s3cret w0rds"}`), call("POST", "/login", "{\x00}\x00", 200, `{"said": "s3cret w0rds"}`, isJSON, is),
				call("POST", "/login", "\x00{\x00}", 200, `{"said": "s3cret w0rds"}`, isJSON, "text/plain; charset=UTF-16BE"), call("GET", "/", "", 200, `{}`)},
			[]string{`path: "/"`}, []string{"/login", "s3cret"}, 1},
		"dollars and brackets": {
			[]record.Call{call("POST", "/x", "${a} $${b} <hex4> $", 200, "<<x> ${y} <integer>", isJSON, "text/plain")},
			[]string{`body: "$${a} $$${b} <hex4> $"`, `body: "<<<<x> $${y} <<integer>"`}, nil, 1},
		"changes of a user": {
			[]record.Call{
				call("POST", "/login", `{"username":"ann","password":"old w0rds"}`, 200, `{"k":"0123456789abcdef0123456789abcdef"}`, isJSON, is),
				call("POST", "/password", `{"current_password":"old w0rds","new_password":"new w0rds"}`, 204, ``, isJSON, is, "Authorization", "Token 0123456789abcdef0123456789abcdef"),
				call("POST", "/login", `{"username":"ann","password":"new w0rds"}`, 200, `{"k":"1123456789abcdef0123456789abcdef"}`, isJSON, is)},
			[]string{"dedicated: true", `current_password: "${user1.password}"`}, []string{"w0rds", "old", "123456"}, 1},
		"clients at the same paths": {
			[]record.Call{
				call("POST", "/t", ``, 200, `{"k":"0123456789abcdef0123456789abcdef"}`),
				call("POST", "/t", ``, 200, `{"k":"1123456789abcdef0123456789abcdef"}`),
				call("GET", "/t", ``, 204, ``, "Authorization", "Token 1123456789abcdef0123456789abcdef"),
				call("GET", "/t", ``, 200, `{"x":1}`, "Authorization", "Token 0123456789abcdef0123456789abcdef")},
			[]string{"recorded 1: POST /t 200, GET /t 200", "recorded 2: POST /t 200, GET /t 204"}, nil, 2},
	} {
		text, summary := written(t, test.calls...)
		for _, want := range test.want {
			if !strings.Contains(text, want) {
				t.Errorf("%s: no %s in %s", name, want, text)
			}
		}
		for _, not := range test.not {
			if strings.Contains(text, not) {
				t.Errorf("%s: %s in %s", name, not, text)
			}
		}
		if summary.Exchanges != test.exchanges || summary.Dropped > 0 {
			t.Errorf("%s: %+v", name, summary)
		}
	}
}
