package conformance_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/authcompat/authcompat/conformance"
)

func TestLoadGiven(t *testing.T) {
	got, err := conformance.LoadGiven("given.yaml", []byte("users:\n  user1: {username: john, password: p w, email: j@example.com}\nvariables: {given1: \"0123\"}\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := &conformance.Given{Users: map[string]conformance.User{"user1": {Username: "john", Password: "p w", Email: "j@example.com"}}, Variables: map[string]string{"given1": "0123"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	_, err = conformance.LoadGiven("given.yaml", []byte("users:\n  John: {username: john}\nvariable: {}\nvariables: {given1: [hunter2]}\n"))
	const problems = `given.yaml:2:3: users.John: is no name of an exchange file: small letters, digits and underscores
given.yaml:2:9: users.John.password: is missing
given.yaml:3:1: variable: unknown key, want one of users, variables
given.yaml:4:21: variables.given1: want text`
	if err == nil || err.Error() != problems {
		t.Errorf("%v", err)
	}
}

// TestGivenValues replays an exchange that wants a user and a variable that the file does not have.
func TestGivenValues(t *testing.T) {
	file, err := conformance.Load("x.yaml", []byte(`profile: fake
usernames: {max: 30}
exchanges:
  - name: all
    source: s
    variables: {given1: it was there before}
    users: {ann: {password: made-up}, bob: {password: made-up}}
    steps:
      - request: {method: POST, path: "/login?token=${given1}", json: {username: "${ann.username}", password: "${ann.password}", who: "${bob.username}"}}
        response: {status: 400, headers: {Content-Type: <any>}, body: '${bob.username} <token68:more>'}
  - name: never
    source: s
    not_replayable: it was different each time
    steps:
      - request: {method: GET, path: /}
        response: {status: 200, headers: {Content-Type: ~}, empty: true}
`))
	if err != nil {
		t.Fatal(err)
	}
	var sent string
	server := answering(t, &sent, 400, "ben a-token.of~68==")
	users := map[string]conformance.User{"ann": {Username: "anna", Password: "hunter2"}, "bob": {Username: "ben", Password: "x"}}
	for _, test := range []struct {
		name    string
		options conformance.Options
		want    []string
	}{
		{"all", conformance.Options{Users: users, Variables: map[string]string{"given1": "t0k"}}, []string{"never: not replayable: it was different each time"}},
		{"no variable", conformance.Options{Users: users}, []string{"all: not replayable: ${given1} is not given: it was there before", "never: not replayable: it was different each time"}},
		{"no users", conformance.Options{Variables: map[string]string{"given1": "t0k"}}, []string{"all: not replayable: ann is not given (--given, --user), and the exchange file has no way to make users", "never: not replayable: it was different each time"}},
	} {
		got := outcomes(conformance.Run(t.Context(), []*conformance.File{file}, conformance.Target{"fake": server}, test.options))
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s: %s", test.name, diff)
		}
	}
	if sent != `/login?token=t0k {"username":"anna","password":"hunter2","who":"ben"}` {
		t.Errorf("sent %s", sent)
	}
}

// TestGivenPasswordIsMasked has a server repeat the password of a given user.
func TestGivenPasswordIsMasked(t *testing.T) {
	file, err := conformance.Load("x.yaml", []byte(`profile: fake
usernames: {max: 30}
exchanges:
  - name: all
    source: s
    users: {ann: {password: made-up}}
    steps:
      - request: {method: POST, path: /, json: {password: "${ann.password}"}}
        response: {status: 200, headers: {Content-Type: <any>}, body: fine}
`))
	if err != nil {
		t.Fatal(err)
	}
	var sent string
	server := answering(t, &sent, 200, "you said hunter2")
	report := conformance.Run(t.Context(), []*conformance.File{file}, conformance.Target{"fake": server}, conformance.Options{Users: map[string]conformance.User{"ann": {Username: "ann", Password: "hunter2"}}})
	if got := report.Profiles[0].Results[0].Differences; len(got) != 1 || got[0].Got != "you said …" {
		t.Errorf("%+v", got)
	}
}

// answering starts a server that gives one answer, and notes what is sent to it.
func answering(t *testing.T, sent *string, status int, answer string) string {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		*sent = r.URL.RequestURI() + " " + string(body)
		w.WriteHeader(status)
		io.WriteString(w, answer)
	}))
	t.Cleanup(server.Close)
	return server.URL
}
