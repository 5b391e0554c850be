package openapi_test

import (
	"encoding/json"
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/openapi"
	"github.com/authcompat/authcompat/conformance"
	"github.com/authcompat/authcompat/profiles"
)

// load returns a profile and its exchange file; nil: it has none.
func load(t *testing.T, name string) (*profiles.Profile, *conformance.File) {
	t.Helper()
	p, err := profiles.Load(name)
	if err != nil {
		t.Fatal(err)
	}
	exchanges, err := conformance.Builtin(name)
	if err != nil && !errors.Is(err, conformance.ErrNoExchanges) {
		t.Fatal(err)
	}
	return p, exchanges
}

// all gives the names of the built-in profiles.
func all() []string { return profiles.Builtin() }

// document returns the description of a profile as its reader has it.
func document(t *testing.T, name string) (*openapi3.T, []byte) {
	t.Helper()
	described, err := openapi.Document(load(t, name))
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(described)
	if err != nil {
		t.Fatal(err)
	}
	read, err := openapi3.NewLoader().LoadFromData(text)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return read, text
}

// TestDocuments has every description be valid OpenAPI 3.1, examples included, with every endpoint of its profile.
func TestDocuments(t *testing.T) {
	for _, name := range all() {
		p, exchanges := load(t, name)
		read, text := document(t, name)
		if err := read.Validate(t.Context(), openapi3.EnableExamplesValidation()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if read.OpenAPI != openapi.Version {
			t.Errorf("%s: OpenAPI %s", name, read.OpenAPI)
		}
		for _, e := range p.Endpoints {
			for _, method := range e.Methods {
				o := read.Paths.Value(e.Path).GetOperation(method)
				if o == nil || o.Responses.Status(e.Reply.Status) == nil {
					t.Errorf("%s: %s %s is not described", name, method, e.Path)
				}
			}
		}
		if exchanges != nil && strings.Count(string(text), `"summary":"`) < 5 {
			t.Errorf("%s has no examples", name)
		}
	}
}

// TestExamplesOfTheirEndpoint has no path with a variable take the examples of another that it could stand for.
func TestExamplesOfTheirEndpoint(t *testing.T) {
	read, _ := document(t, "djoser")
	for path, want := range map[string]bool{"/auth/users/{id}/": false, "/auth/users/me/": true} {
		var summaries []string
		for _, content := range read.Paths.Value(path).Patch.Responses.Status(200).Value.Content {
			for _, example := range content.Examples {
				summaries = append(summaries, example.Value.Summary)
			}
		}
		if got := slices.Contains(summaries, "me: the caller's account"); got != want || len(summaries) == 0 {
			t.Errorf("%s has the examples %q", path, summaries)
		}
	}
}

// TestShapes has descriptions say what the profiles do.
func TestShapes(t *testing.T) {
	read, _ := document(t, "ocd-users")
	login := read.Paths.Value("/api/login/")
	if login == nil {
		t.Fatalf("the paths are %v", read.Paths.InMatchingOrder())
	}
	body := login.Post.Responses.Status(200).Value.Content["application/json"].Schema.Value
	token := body.Properties["token"].Value
	if token.Pattern != "^[0-9a-f]{64}$" || !slices.Contains(body.Required, "token") {
		t.Errorf("the token is %q of %v", token.Pattern, body.Required)
	}
	expiry := body.Properties["expiry"].Value
	if !regexp.MustCompile(expiry.Pattern).MatchString("2024-05-03T20:15:00.123456Z") || regexp.MustCompile(expiry.Pattern).MatchString("2024-05-03") {
		t.Errorf("the expiry is %q", expiry.Pattern)
	}
	fields := login.Post.RequestBody.Value.Content["application/json"].Schema.Value
	if !slices.Contains(fields.Required, "username") || fields.Properties["password"].Value.Format != "password" {
		t.Errorf("the fields are %v of %v", fields.Required, fields.Properties)
	}
	for _, example := range login.Post.Responses.Status(200).Value.Content["application/json"].Examples {
		if value, ok := example.Value.Value.(map[string]any); !ok || len(value["token"].(string)) != 64 {
			t.Errorf("an example is %v", example.Value.Value)
		}
	}
	logout := read.Paths.Value("/api/logout/")
	if logout == nil || logout.Post.Responses.Status(401) == nil || len(*logout.Post.Security) != 1 {
		t.Errorf("logout: %+v", logout)
	}
	// The statuses are those that the family gives, not a guess.
	for status, want := range map[int]bool{400: true, 405: true, 406: true, 413: true, 415: true, 429: true, 500: true, 503: true, 409: false} {
		if got := login.Post.Responses.Status(status) != nil; got != want {
			t.Errorf("login answers %d: %v", status, got)
		}
	}
	if r := logout.Post.Responses.Status(415); r != nil {
		t.Errorf("logout reads no body, and answers %+v", r.Value)
	}
	never, _ := document(t, "knox-auth")
	if text, _ := never.MarshalJSON(); !strings.Contains(string(text), `"expiry":{"type":"null"}`) {
		t.Error("knox-auth's tokens never expire, and their expiry is not null")
	}
}
