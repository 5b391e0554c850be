package schema_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"gopkg.in/yaml.v3"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/schema"
)

var update = flag.Bool("update", false, "write docs/schema and the tables of the docs")

const root = "../../../../"

func of(t testing.TB, k schema.Kind) *schema.File {
	t.Helper()
	f, err := schema.Of(k)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// compiled returns a schema for a validator that is not ours.
func compiled(t testing.TB, k schema.Kind) *jsonschema.Schema {
	t.Helper()
	text, err := of(t, k).JSON()
	if err != nil {
		t.Fatal(err)
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	if err := c.AddResource("schema.json", document); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// asJSON returns what an editor makes of a YAML node: the values of JSON.
func asJSON(n *yaml.Node) any {
	switch n.Kind {
	case yaml.AliasNode:
		return asJSON(n.Alias)
	case yaml.MappingNode:
		m := map[string]any{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			m[n.Content[i].Value] = asJSON(n.Content[i+1])
		}
		return m
	case yaml.SequenceNode:
		list := []any{}
		for _, item := range n.Content {
			list = append(list, asJSON(item))
		}
		return list
	}
	switch n.ShortTag() {
	case "!!null":
		return nil
	case "!!bool":
		return strings.EqualFold(n.Value, "true")
	case "!!int", "!!float":
		if _, err := strconv.ParseFloat(n.Value, 64); err == nil && json.Valid([]byte(n.Value)) {
			return json.Number(n.Value)
		}
		var number float64
		if n.Decode(&number) == nil {
			return json.Number(strconv.FormatFloat(number, 'f', -1, 64))
		}
	}
	return n.Value
}

func parsed(t testing.TB, data []byte) *yaml.Node {
	t.Helper()
	var n yaml.Node
	if err := yaml.Unmarshal(data, &n); err != nil {
		t.Fatal(err)
	}
	return n.Content[0]
}

// files returns the built-in files of a kind, examples included, by their paths in the repository.
func files(t testing.TB, k schema.Kind) map[string][]byte {
	t.Helper()
	patterns := map[schema.Kind][]string{
		schema.Profile:   {"profiles/*.yaml"},
		schema.Exchanges: {"conformance/exchanges/*.yaml"},
		schema.Config:    {"cmd/authcompat/internal/schema/testdata/config*.yaml"},
	}
	found := map[string][]byte{}
	for _, pattern := range patterns[k] {
		names, err := filepath.Glob(root + pattern)
		if err != nil || len(names) == 0 {
			t.Fatalf("%s: %v, %v", pattern, names, err)
		}
		for _, name := range names {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			found[strings.TrimPrefix(name, root)] = data
		}
	}
	return found
}

// TestBuiltinFiles has a validator that is not ours find every built-in file good, and each of them names its schema
// in its first line, for editors.
func TestBuiltinFiles(t *testing.T) {
	for _, k := range schema.Kinds() {
		s := compiled(t, k)
		for name, data := range files(t, k) {
			if err := s.Validate(asJSON(parsed(t, data))); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if k == schema.Config {
				continue
			}
			first, _, _ := strings.Cut(string(data), "\n")
			at, hinted := strings.CutPrefix(first, "# yaml-language-server: $schema=")
			want := filepath.Join(root, "docs/schema", string(k)+".json")
			if !hinted || filepath.Join(root, filepath.Dir(name), at) != want {
				t.Errorf("%s begins with %q, and not with its schema, %s", name, first, want)
			}
		}
	}
}

// TestMistakes has the schema find what editors are to show.
func TestMistakes(t *testing.T) {
	schemas := make(map[schema.Kind]*jsonschema.Schema)
	for _, k := range schema.Kinds() {
		schemas[k] = compiled(t, k)
	}
	for _, test := range []struct {
		kind          schema.Kind
		text, problem string
	}{
		{schema.Profile, "naem: x", "'naem' not allowed"},
		{schema.Profile, "name: x", "'family', 'stack', 'tokens', 'endpoints'"},
		{schema.Profile, "family: flask", "'drf', 'formjson', 'plainjson'"},
		{schema.Profile, "tokens: {hex: 31}", "minimum: got 31, want 32"},
		{schema.Profile, "tokens: {ttl: 10 hours}", "does not match pattern"},
		{schema.Profile, "endpoints: {login: {fields: {username: {requird: true}}}}", "'requird' not allowed"},
		{schema.Profile, "title: 5", "got number, want string"},
		{schema.Exchanges, "exchanges: [{steps: [{request: {method: GET}}]}]", "'path'"},
		{schema.Exchanges, "exchanges: [{steps: [{response: {status: 99}}]}]", "minimum: got 99, want 200"},
		{schema.Exchanges, "usernames: {most: 5}", "'most' not allowed"},
		{schema.Config, "listeners: [{profil: x}]", "'profil' not allowed"},
		{schema.Config, "log: {format: xml}", "'auto', 'text', 'json'"},
		{schema.Config, "limits: {connections: many}", "does not match pattern"},
	} {
		err := schemas[test.kind].Validate(asJSON(parsed(t, []byte(test.text))))
		if err == nil || !strings.Contains(err.Error(), test.problem) {
			t.Errorf("%s %s: %v, want …%s…", test.kind, test.text, err, test.problem)
		}
	}
}

// TestNotes has every key described, and no note for a key that is not read.
func TestNotes(t *testing.T) {
	for _, k := range schema.Kinds() {
		paths, unused := of(t, k).Undescribed()
		if len(paths)+len(unused) > 0 {
			t.Errorf("%s: nothing is said of %q; notes for no key: %q", k, paths, unused)
		}
	}
}

// TestExamples has every example be YAML that begins at its key or above, with no key that is not read.
func TestExamples(t *testing.T) {
	for _, k := range schema.Kinds() {
		n := 0
		for key, example := range of(t, k).Examples() {
			n++
			var value map[string]any
			if err := yaml.Unmarshal([]byte(example), &value); err != nil || len(value) != 1 {
				t.Errorf("%s: the example %s is no map of one key: %v", key, example, err)
				continue
			}
			for first := range value {
				if name := strings.TrimSuffix(key, "[]"); !slices.Contains(strings.Split(strings.ReplaceAll(name, "[]", ""), "."), first) && !strings.HasSuffix(key, "*") {
					t.Errorf("%s: the example begins with %s", key, first)
				}
			}
		}
		if n < 25 {
			t.Errorf("%s has %d examples", k, n)
		}
	}
}

// TestDocs holds docs/schema and the tables of the docs to what the readers ask for; make docs writes them.
func TestDocs(t *testing.T) {
	pages := map[schema.Kind]string{schema.Profile: "docs/profiles.md", schema.Exchanges: "docs/exchanges.md", schema.Config: "docs/configuration.md"}
	for _, k := range schema.Kinds() {
		f := of(t, k)
		text, err := f.JSON()
		if err != nil {
			t.Fatal(err)
		}
		hold(t, root+"docs/schema/"+string(k)+".json", string(text))
		page, err := os.ReadFile(root + pages[k])
		if err != nil {
			t.Fatal(err)
		}
		before, rest, begun := strings.Cut(string(page), "<!-- keys -->\n")
		_, after, ended := strings.Cut(rest, "<!-- end of keys -->")
		if !begun || !ended {
			t.Fatalf("%s has no place for the table: <!-- keys --> and <!-- end of keys -->", pages[k])
		}
		hold(t, root+pages[k], before+"<!-- keys -->\n\n"+f.Reference()+"\n<!-- end of keys -->"+after)
	}
}

func hold(t *testing.T, path, want string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Error(err)
	}
	if d := cmp.Diff(want, string(got)); d != "" {
		t.Errorf("%s is old: run make docs (-want +got):\n%s", path, d)
	}
}

// TestExplain shows a key with all that is known of it.
func TestExplain(t *testing.T) {
	file := of(t, schema.Profile)
	for key, want := range map[string]string{
		"tokens.ttl": `tokens.ttl: how long a token lives, 1s to 36500d, or never (TOKEN_TTL of knox)
values: text
default: none, the key is required
example: tokens: {hex: 64, ttl: 1h30m, per_user: many}
`,
		"endpoints.login.fields.email.validate": `endpoints.*.fields.*.validate: false: an address at login need not look like one
values: true, false
default: true
example: fields: {email: {validate: false}}
`,
		"endpoints.signin.update_last_login": `endpoints.*.update_last_login: a login sets when the user last logged in, which ends links in mails that were sent before
values: true, false
default: false
only: of login
example: update_last_login: true
`,
		"tokens.per_user": `tokens.per_user: many: a new token at each login; one: the live one is shown again
values: many, one
default: none, the key is required
example: tokens: {hex: 40, ttl: never, per_user: one}
`,
		"usernames": `usernames: how usernames are compared
values: map
example: usernames: {case: insensitive}
keys:
  usernames.case
  usernames.email
`,
	} {
		got, err := file.Explain(key)
		if err != nil {
			t.Errorf("%s: %v", key, err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", key, d)
		}
	}
	for key, want := range map[string]string{
		"tokens.tl":      `there is no key "tl" in tokens; did you mean ttl?`,
		"tokens.ttl.x":   `there are no keys in tokens.ttl`,
		"quite.else":     `there is no key "quite" in a profile; the keys there are name, title, document, family, `,
		"cors.origins.x": `there are no keys in cors.origins[]`,
	} {
		_, err := file.Explain(key)
		if !strings.HasPrefix(fmt.Sprint(err), want) {
			t.Errorf("%s: %v, want %s", key, err, want)
		}
	}
}
