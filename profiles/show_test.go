package profiles

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/authcompat/authcompat/profiles/template"
)

// checkRoundTrip shows a profile and reads it again.
func checkRoundTrip(t *testing.T, p *Profile) {
	t.Helper()
	shown, err := p.YAML()
	if err != nil {
		t.Fatal(err)
	}
	again, err := Parse("shown.yaml", shown)
	if err != nil {
		t.Fatalf("%v in\n%s", err, shown)
	}
	if diff := cmp.Diff(p, again); diff != "" {
		t.Errorf("%s\nin %s", diff, shown)
	}
	twice, err := again.YAML()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(shown), string(twice)); diff != "" {
		t.Error(diff)
	}
}

func TestRoundTrip(t *testing.T) {
	for _, name := range Builtin() {
		t.Run(name, func(t *testing.T) {
			p, err := Load(name)
			if err != nil {
				t.Fatal(err)
			}
			checkRoundTrip(t, p)
		})
	}
}

// oddTexts are texts that YAML or a template would misread.
func oddTexts() []string {
	return []string{
		"", " ", "null", "~", "true", "yes", "5", "0x1F", "1e3", ".inf", "2014-06-16", "<<", "=", "-", "- a", "? a", "a: b", "a #b",
		"#a", "[a]", "{a}", "*a", "&a", "!a", "%a", "@a", "`a`", "'", "\"", "\\", "a\nb", "\na", "a\n", "\r\n", "\t", "\x00", "\x7f",
		"\u0085", "\u00a0", "\u2028", "\ufeff", "\ufffe", "é", "日本", "😀", "US$", "$token.key", "${user.id}", "$$", "---", "...", "|", ">",
	}
}

// checkOddText shows a profile that has the text in every place that allows one.
func checkOddText(t *testing.T, text string) {
	t.Helper()
	p, err := Parse("f.yaml", []byte(plainProfile))
	if err != nil {
		t.Fatal(err)
	}
	literal := template.Template{Kind: template.KindLiteral, Literal: text}
	p.Endpoints[0].Reply.Body = &template.Template{Members: []template.Member{
		{Key: "." + text, Value: literal},
		{Key: text, Value: template.Template{Kind: template.KindList, Items: []template.Template{literal}}},
		{Key: "parts" + text, Value: template.Template{Kind: template.KindText, Parts: []template.Part{
			{Literal: "a" + text}, {Value: template.Value{Name: template.UserID}}, {Literal: text + "b"},
		}}},
	}}
	p.Messages["not_found"] = "(" + strings.NewReplacer("{", "", "}", "").Replace(text) + ")"
	checkRoundTrip(t, p)
}

func TestRoundTripOfOddTexts(t *testing.T) {
	for _, text := range oddTexts() {
		t.Run(text, func(t *testing.T) { checkOddText(t, text) })
	}
}

func TestYAML(t *testing.T) {
	p, err := Parse("f.yaml", []byte(`
name: plain
title: "Plain: an API"
family: plainjson
stack: views-1.6
tokens: {hex: 40, ttl: 48h, per_user: one}
headers: {X-A: "1", X-B: b}
endpoints:
  login:
    path: /login
    fields: {username: {max_length: 30}, password: {}}
    reply:
      status: 200
      body:
        token: $token.key
        until: ${token.expiry|milliseconds} UTC
        price: US$$ 5
        user: {id: $user.id, name: $user.username, created: $user.created|day-month-year, followers: $user.attributes.followers|integer}
        list: [1, null, true, "2"]
messages: {required: "{field}?"}
`))
	if err != nil {
		t.Fatal(err)
	}
	shown, err := p.YAML()
	if err != nil {
		t.Fatal(err)
	}
	const want = `# effective profile: plain
name: plain
title: 'Plain: an API'
family: plainjson
stack: views-1.6
scheme: Token
tokens: {hex: 40, ttl: 2d, sliding: false, per_user: one, realm: default, match: exact}
trailing_slash: exact
other_paths: open
throttling: hidden

headers:
  X-A: "1"
  X-B: b

errors:
  body: {error: $message}

rules:
  json: spaced
  normalize_username: none
  normalize_email: domain

endpoints:
  login:
    action: login
    path: /login
    method: POST
    access: open
    fields:
      username: {role: username, required: true, blank: false, trim: false, max_length: 30, characters: any}
      password: {role: password, required: true, blank: false, trim: false}
    reply:
      status: 200
      body:
        token: $token.key
        until: ${token.expiry|milliseconds} UTC
        price: US$$ 5
        user:
          id: $user.id
          name: $user.username
          created: $user.created|day-month-year
          followers: $user.attributes.followers|integer
        list: [1, null, true, "2"]

messages:
  required: '{field}?'
`
	head, _, _ := strings.Cut(string(shown), "  not_string:")
	if diff := cmp.Diff(want, head); diff != "" {
		t.Error(diff)
	}
}
