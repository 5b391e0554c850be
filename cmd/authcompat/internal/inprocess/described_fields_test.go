package inprocess

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/authcompat/authcompat/conformance"
	"github.com/authcompat/authcompat/conformance/wire"
	"github.com/authcompat/authcompat/dialects"
	"github.com/authcompat/authcompat/profiles"
	"github.com/authcompat/authcompat/store"
)

// A fieldProbe sends bodies of which one field is wrong.
type fieldProbe struct {
	client *wire.Client
	p      *profiles.Profile
	token  string // with its keyword
}

// wrong are values of a field that are wrong, by the key of the message that says so.
func wrong(f profiles.Field, when string) map[string]any {
	return map[string]any{
		"required": missingValue{}, "null": nil, "blank": "", "not_string": []any{}, "nul": "a\x00b", "surrogate": json.RawMessage(`"\ud800"`), "max_length": longText(f, when),
	}
}

var limit = regexp.MustCompile(`more than ([0-9]+) characters`)

// longText returns a text that is one character longer than it may be: of an address, one that otherwise is good.
func longText(f profiles.Field, when string) string {
	most := 0
	if m := limit.FindStringSubmatch(when); m != nil {
		most, _ = strconv.Atoi(m[1]) // digits
	}
	if f.Role != profiles.RoleEmail {
		return strings.Repeat("a", most+1)
	}
	text := "@example.com"
	for len(text) < most {
		text = "@" + strings.Repeat("b", min(50, most-len(text))) + "." + text[1:]
	}
	return "a" + text
}

// missingValue stands for a field that is not sent.
type missingValue struct{}

// body makes a body of good values but for one field's.
func (b *fieldProbe) body(t *testing.T, e profiles.Endpoint, name string, value any) (mediaType string, body []byte) {
	t.Helper()
	values := map[string]any{}
	for _, f := range e.Fields {
		values[f.Name] = "x1y2z3w4"
		if f.Role == profiles.RoleEmail {
			values[f.Name] = "new@example.com"
		}
	}
	values[name] = value
	if _, left := value.(missingValue); left {
		delete(values, name)
	}
	if b.p.Family == profiles.FormJSON {
		form := url.Values{}
		for name, value := range values {
			if text, isText := value.(string); isText {
				form.Set(name, text)
			}
		}
		return "application/x-www-form-urlencoded", []byte(form.Encode())
	}
	body, err := json.Marshal(values)
	if err != nil {
		t.Fatal(err)
	}
	return "application/json", body
}

func (b *fieldProbe) send(t *testing.T, e profiles.Endpoint, mediaType string, body []byte) *wire.Response {
	t.Helper()
	headers := []wire.Header{{Name: "Content-Type", Value: mediaType}}
	if e.Access == profiles.AccessToken {
		headers = append(headers, wire.Header{Name: "Authorization", Value: b.token})
	}
	path := strings.NewReplacer("{id}", "1", "{username}", "john").Replace(e.Path)
	got, err := b.client.Do(t.Context(), wire.Request{Method: e.Methods[0], Path: path, Headers: headers, Body: body})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// logIn gets a token.
func (b *fieldProbe) logIn(t *testing.T) {
	t.Helper()
	e, _ := b.p.Endpoint(profiles.Login)
	if len(e.Fields) == 0 {
		return // no endpoint of the profile that wants a token reads fields
	}
	mediaType, body := b.body(t, e, "", nil)
	text := strings.NewReplacer("new@example.com", "john@example.com").Replace(string(body))
	for _, f := range e.Fields {
		if f.Role == profiles.RoleUsername {
			text = strings.NewReplacer(`"`+f.Name+`":"x1y2z3w4"`, `"`+f.Name+`":"john"`, f.Name+"=x1y2z3w4", f.Name+"=john").Replace(text)
		}
	}
	got := b.send(t, e, mediaType, []byte(text))
	key := regexp.MustCompile(regexp.QuoteMeta(b.p.Tokens.Prefix) + `[0-9a-f]{32,}`).FindString(string(got.Body))
	if key == "" {
		t.Fatalf("%s: no token in %d %s", b.p.Name, got.Status, got.Body)
	}
	b.token = b.p.Scheme + " " + key
}

// TestDescribedFieldErrorsHappen has described errors of fields be those of bodies that have them: what a description says of a field
// is not only possible words.
func TestDescribedFieldErrorsHappen(t *testing.T) {
	total := 0
	for _, name := range profiles.Builtin() {
		p, err := profiles.Load(name)
		if err != nil {
			t.Fatal(err)
		}
		described, err := dialects.Describe(p)
		if err != nil {
			t.Fatal(err)
		}
		server, err := NewLauncher([]*profiles.Profile{p}, store.NewTemps("")).Launch(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := server.Close(); err != nil {
				t.Error(err)
			}
		})
		if err := server.State.CreateUser(t.Context(), conformance.User{Username: "john", Password: "x1y2z3w4", Email: "john@example.com"}); err != nil {
			t.Fatal(err)
		}
		client, err := wire.NewClient(server.URL, time.Minute, nil)
		if err != nil {
			t.Fatal(err)
		}
		b := &fieldProbe{client: client, p: p}
		b.logIn(t)
		for _, e := range p.Endpoints {
			for _, f := range e.Fields {
				total += b.try(t, e, f, described.Endpoints[e.Name].Refusals)
			}
		}
	}
	if t.Logf("%d errors", total); total < 150 {
		t.Errorf("only %d errors were tried", total)
	}
}

// try has a field be wrong in each way that is described, and returns how many there are.
func (b *fieldProbe) try(t *testing.T, e profiles.Endpoint, f profiles.Field, refusals []dialects.Answer) (tried int) {
	t.Helper()
	for _, a := range refusals {
		keys := a.Body.Messages()
		if a.Field != f.Name || a.Stage != dialects.StageField || len(keys) != 1 {
			continue
		}
		value, known := wrong(f, a.When[0])[keys[0]]
		if !known || f.Role == profiles.RoleAccept {
			continue
		}
		tried++
		mediaType, body := b.body(t, e, f.Name, value)
		got := b.send(t, e, mediaType, body)
		exact, ok := dialects.ExactAnswer(refusals, got.Status, string(got.Body))
		found := dialects.AnswersBySentence(refusals, got.Status, string(got.Body))
		is := func(x dialects.Answer) bool {
			return x.Status == a.Status && x.Field == a.Field && x.Body.String() == a.Body.String()
		}
		if !(ok && is(exact)) && !slices.ContainsFunc(found, is) {
			t.Errorf("%s, %s: %q gets %d %.200q, and not %d %s", b.p.Name, e.Name, a.When, got.Status, got.Body, a.Status, a.Body)
		}
		if got.Status == http.StatusUnauthorized {
			t.Fatalf("%s, %s: the token is no good: %s", b.p.Name, e.Name, got.Body)
		}
	}
	return tried
}
