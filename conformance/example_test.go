package conformance_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"

	"github.com/authcompat/authcompat/conformance"
	"github.com/authcompat/authcompat/conformance/report"
)

// Replay an exchange file at a running server, and print the report.
func Example() {
	file, err := conformance.Load("greetings.yaml", []byte(`
profile: greetings
usernames: {max: 30}
defaults:
  response:
    headers: {Content-Type: application/json}
exchanges:
  - name: "hello: the documented example"
    source: "greetings.md, Hello"
    steps:
      - request: {method: POST, path: /hello, json: {name: Ada}}
        response: {status: 200, body: '{"text": "Hello, Ada!"}'}
  - name: "hello: another method"
    source: "greetings.md, Errors"
    steps:
      - request: {method: GET, path: /hello}
        response: {status: 405, body: '{"error": "Use POST."}'}
`))
	if err != nil {
		fmt.Println(err) // all problems, each with its place in the file
		return
	}

	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.Method != http.MethodPost {
			w.WriteHeader(http.StatusMethodNotAllowed)
			io.WriteString(w, `{"error": "use POST."}`)
			return
		}
		io.WriteString(w, `{"text": "Hello, Ada!"}`)
	}))
	defer server.Close()

	run := conformance.Run(context.Background(), []*conformance.File{file},
		conformance.Target{"greetings": server.URL}, conformance.Options{})
	fmt.Println(run.Outcome())
	for _, result := range run.Profiles[0].Results {
		fmt.Print(report.Text(&result, false))
	}

	// Output:
	// mismatch
	//   ok    hello: the documented example
	//   FAIL  hello: another method
	//         greetings.md, Errors
	//         greetings.yaml:13:5, step 1 at 16:9: GET /hello
	//         greetings.yaml:17:39: body differs at byte 11 (line 1, column 12)
	//           - {"error": "Use POST."}
	//                        ^
	//           + {"error": "use POST."}
	//                        ^
}

// Load the built-in exchange file of a profile. A launcher that starts its own servers can also give Run
// access to their users and clock; see Server.State.
func ExampleBuiltin() {
	file, err := conformance.Builtin("knox-auth")
	if errors.Is(err, conformance.ErrNoExchanges) {
		fmt.Fprintln(os.Stderr, "no exchange file is built in for this profile")
		return
	}
	fmt.Println(file.Profile, err)
	fmt.Println(file.Exchanges[0].Name)
	// Output:
	// knox-auth <nil>
	// login: the documented example
}
