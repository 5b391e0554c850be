package conformance_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/authcompat/authcompat/conformance"
	"github.com/authcompat/authcompat/conformance/wire/wiretest"
)

// A transcript has every request as it was sent and every response, with secrets masked.
func TestTranscript(t *testing.T) {
	server := httptest.NewServer(newFake())
	defer server.Close()
	options := conformance.Options{Transcripts: true}
	run := conformance.Run(t.Context(), load(t, "testdata/fake.yaml"), conformance.Target{"fake": server.URL + "/"}, options)
	calls := map[string][]conformance.Call{}
	for _, r := range run.Profiles[0].Results {
		calls[r.Exchange] = r.Transcript
	}
	taken := calls["taken"]
	if len(taken) != 2 || taken[0].Step != 0 || taken[1].Step != 1 {
		t.Fatalf("%+v", taken)
	}
	host := strings.TrimPrefix(server.URL, "http://")
	for i, name := range []string{"Host", "Connection"} {
		if got := taken[0].Request.Headers[i]; got.Name != name || got.Value != conformance.Content(map[string]string{"Host": host, "Connection": "close"}[name]) {
			t.Errorf("header %d: %+v", i, got)
		}
	}
	if r := taken[0].Request; r.Method != "POST" || r.Path != "/register" || !strings.Contains(string(r.Body), `"password":"…"`) {
		t.Errorf("request %+v", r)
	}
	if r := taken[0].Response; r == nil || r.Status != 201 || !strings.Contains(string(r.Body), `"token": "0000…"`) {
		t.Errorf("response %+v", r)
	}
	if r := taken[1].Response; r == nil || r.Status != 400 || r.Body != `{"error": "This name is taken."}` {
		t.Errorf("response %+v", r)
	}
	if run := conformance.Run(t.Context(), load(t, "testdata/fake.yaml"), process{}, conformance.Options{}); run.Profiles[0].Results[0].Transcript != nil {
		t.Error("a transcript that was not asked for")
	}
}

// A call without a response says why; a body that is too long says how much is left out.
func TestTranscriptOfOddResponses(t *testing.T) {
	for _, test := range []struct{ name, answer, problem, body string }{
		{"none", "", "the connection ended before a whole response", ""},
		{"long", "HTTP/1.0 200 OK\r\n\r\n" + strings.Repeat("é", 200<<10), "", "… 147456 bytes more"},
	} {
		t.Run(test.name, func(t *testing.T) {
			url, _ := wiretest.Serve(t, test.answer)
			run := conformance.Run(t.Context(), exchangesOf(t, "{method: GET, path: /}"), conformance.Target{"odd": url}, conformance.Options{Transcripts: true})
			call := run.Profiles[0].Results[0].Transcript[0]
			if !strings.Contains(call.Problem, test.problem) || (call.Response == nil) != (test.problem != "") {
				t.Errorf("%q, %v", call.Problem, call.Response == nil)
			}
			if call.Response != nil && !strings.HasSuffix(string(call.Response.Body), test.body) {
				t.Errorf("%d bytes", len(call.Response.Body))
			}
		})
	}
}

// The command of a request sends the same bytes.
func TestCurlSendsTheSame(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("no curl here")
	}
	for _, test := range []struct {
		name, request string
		variables     []string
	}{
		{"json", `{method: POST, path: /login, headers: {Content-Type: application/json}, json: {username: "it's", password: "p w'\"$x"}}`, []string{`PASSWORD=p w'\"$x`}},
		{"form", `{method: POST, path: "/login?next=%2f", headers: {Content-Type: application/x-www-form-urlencoded}, form: {username: a b, password: "p&w"}}`, nil},
		{"two passwords", `{method: PATCH, path: /me, json: {old_password: first one, new_password: second one, again_password: first one}}`, []string{"PASSWORD=first one", "PASSWORD_2=second one"}},
		{"token", `{method: GET, path: "/me/?a=1", headers: {"aUthorization": "Token 0123456789abcdef0123456789abcdef01234567"}}`, []string{"TOKEN=0123456789abcdef0123456789abcdef01234567"}},
		{"basic", `{method: GET, path: /me, headers: {Authorization: "Basic YTpiYmJi"}}`, []string{"CREDENTIALS=YTpiYmJi"}},
		{"cookie, empty and odd headers", `{method: DELETE, path: /me, headers: {Cookie: a=bcdefghijk, X-Empty: "", X-Odd: "a\tb ${bytes(ff)} %d \\n"}}`, []string{"COOKIE=bcdefghijk"}},
		{"no body, but a length", `{method: PUT, path: /me}`, nil},
		{"a file's name", `{method: POST, path: /me, body: "@/etc/hosts"}`, nil},
		{"odd bytes", `{method: POST, path: /me, body: "50% \\ '\0${bytes(ff)}\r\n"}`, nil},
		{"odd path", `{method: GET, path: "//a/../b//?{a}[1-3]#x"}`, nil},
		{"own host and type", `{method: POST, path: /, headers: {Host: example.com, User-Agent: old, Accept: "*/*", Content-Type: text/plain}, body: x}`, nil},
		{"lines", `{method: POST, path: /, body: "a\n\nb\n"}`, nil},
		{"head", `{method: HEAD, path: /}`, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			requests := make(chan string, 2)
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { requests <- seen(r) }))
			defer server.Close()
			run := conformance.Run(t.Context(), exchangesOf(t, test.request), conformance.Target{"odd": server.URL}, conformance.Options{Transcripts: true})
			if run.Profiles[0].Results[0].Transcript[0].Response == nil {
				t.Fatalf("%+v", run.Profiles[0].Results[0])
			}
			command := run.Profiles[0].Results[0].Transcript[0].Request.Curl
			cmd := exec.CommandContext(t.Context(), "sh", "-c", command)
			cmd.Env = append(os.Environ(), test.variables...)
			if test.name == "form" {
				cmd.Env = append(cmd.Env, "PASSWORD=p%26w")
			}
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v: %s\n%s", err, command, out)
			}
			if len(requests) != 2 {
				t.Fatalf("%d requests: %s", len(requests), command)
			}
			if diff := cmp.Diff(<-requests, <-requests); diff != "" {
				t.Errorf("%s\n%s", command, diff)
			}
			for _, variable := range test.variables {
				name, value, _ := strings.Cut(variable, "=")
				if strings.Contains(command, value) || !strings.Contains(command, `"$`+name+`"`) {
					t.Errorf("%s is not taken from its variable: %s", name, command)
				}
			}
		})
	}
}

// A server that is there for an exchange alone has no address, and a large body is in a file.
func TestCurlOfWhatIsGone(t *testing.T) {
	run := conformance.Run(t.Context(), files(t), process{}, conformance.Options{Transcripts: true})
	if curl := run.Profiles[0].Results[0].Transcript[0].Request.Curl; !strings.Contains(curl, ` "${URL:-http://127.0.0.1:8000}"'/`) {
		t.Error(curl)
	}
	server := httptest.NewServer(newFake())
	defer server.Close()
	run = conformance.Run(t.Context(), exchangesOf(t, `{method: POST, path: /, body: "${repeat(x, 40000)}"}`), conformance.Target{"odd": server.URL}, conformance.Options{Transcripts: true})
	if curl := run.Profiles[0].Results[0].Transcript[0].Request.Curl; !strings.HasPrefix(curl, "# the 40000 bytes of the body have to be in the file named body\ncurl ") || !strings.HasSuffix(curl, " --data-binary @body") {
		t.Error(curl)
	}
}

// seen is what a server sees of a request, whose headers come in any order.
func seen(r *http.Request) string {
	body, _ := io.ReadAll(r.Body)
	delete(r.Header, "Connection")
	var headers strings.Builder
	_ = r.Header.Write(&headers)
	return r.Method + " " + r.RequestURI + " " + r.Host + "\n" + headers.String() + "\n" + string(body)
}

// exchangesOf is a file of one exchange with the request.
func exchangesOf(t *testing.T, request string) []*conformance.File {
	t.Helper()
	path := filepath.Join(t.TempDir(), "odd.yaml")
	text := "profile: odd\nusernames: {max: 30}\nexchanges:\n  - name: odd\n    source: nowhere\n    steps:\n      - request: " + request +
		"\n        response: {status: 299, headers: {Content-Type: application/json}, json: {}}\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return load(t, path)
}
