package record_test

import (
	"encoding/base64"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/authcompat/authcompat/conformance/record"
	"github.com/authcompat/authcompat/conformance/wire"
)

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
		"hashes of passwords": {
			[]record.Call{call("GET", "/me", "", 200, `{"a": "pbkdf2_sha256$260000$s4ltS4lt$Y4Dp9cGTPOk3fKgVY4Dp9cGTPOk3fKgV=", "b": "$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW", "c": "argon2$argon2id$v=19$m=102400,t=2,p=8$c2FsdHNhbHQ$aGFzaGhhc2hoYXNo", "d": "costs $5$ or $6"}`)},
			[]string{`costs $5$ or $6`}, []string{"Y4Dp9c", "R9h/cIPz", "aGFzaGhh"}, 1},
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
		"a media type, which is no address": {
			[]record.Call{call("GET", "/x", "", 200, `{}`, "Accept", "application/vnd.example.v20191231long+json")},
			[]string{`"Accept": "application/vnd.example.v20191231long+json"`}, nil, 1},
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
