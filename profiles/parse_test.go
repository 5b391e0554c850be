package profiles

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/authcompat/authcompat/profiles/template"
)

func TestProfileProblems(t *testing.T) {
	checkProblems(t, restProfile, []problem{
		{"no name", "name: sixth\n", "", []string{"f.yaml:1:1: name: is missing"}},
		{"name in capitals", "name: sixth", "name: Sixth", []string{`f.yaml:1:7: name: want at most 64 lower-case letters, digits and hyphens, the first no hyphen, not "Sixth"`}},
		{"name with a hyphen first", "name: sixth", "name: -sixth", []string{`f.yaml:1:7: name: want at most 64 lower-case letters, digits and hyphens, the first no hyphen, not "-sixth"`}},
		{"name of 65", "name: sixth", "name: aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggggg", []string{`f.yaml:1:7: name: want at most 64 lower-case letters, digits and hyphens, the first no hyphen, not "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffff…"`}},
		{"name is a number", "name: sixth", "name: 6", []string{"f.yaml:1:7: name: want a text (write it in quotes), not the number 6"}},
		{"name is missing", "name: sixth", "name:", []string{"f.yaml:1:1: name: has no value: want a text"}},
		{"name is a map", "name: sixth", "name: {first: sixth}", []string{"f.yaml:1:7: name: want a text, not a map"}},
		{"title of two lines", "name: sixth", "name: sixth\ntitle: \"a\\nb\"\ndocument: ''", []string{
			`f.yaml:2:8: title: want one line of printable characters, not "a\nb"`,
			"f.yaml:3:11: document: is empty",
		}},
		{"family", "family: drf", "family: dfr", []string{`f.yaml:2:9: family: want drf, formjson or plainjson, not "dfr"`}},
		{"no family", "family: drf\n", "", []string{"f.yaml:1:1: family: is missing"}},
		{"no stack", "stack: drf-3.14\n", "", []string{"f.yaml:1:1: stack: is missing"}},
		{"scheme", "tokens:", "scheme: 'Token:'\ntokens:", []string{"f.yaml:4:9: scheme: want one word of letters, digits and !#$%&'*+-.^_`|~ (RFC 9110, token), not \"Token:\""}},
		{"trailing slash", "tokens:", "trailing_slash: yes\ntokens:", []string{`f.yaml:4:17: trailing_slash: want exact, redirect or optional, not "yes"`}},
		{"other paths", "tokens:", "other_paths: 404\ntokens:", []string{"f.yaml:4:14: other_paths: want open or token, not the number 404"}},
		{"unknown key", "tokens:", "tokens_: {}\ntokens:", []string{"f.yaml:4:1: tokens_: unknown key; did you mean tokens?"}},
		{"throttling", "tokens:", "throttling: 429\ntokens:", []string{"f.yaml:4:13: throttling: want hidden or revealed, not the number 429"}},
		{"unknown key like none", "tokens:", "webhooks: {}\ntokens:", []string{"f.yaml:4:1: webhooks: unknown key; the keys here are name, title, document, family, stack, scheme, authentication, tokens, usernames, emails, attributes, passwords, mails, trailing_slash, other_paths, throttling, headers, preflight_headers, cors, formats, errors, rules, endpoints, messages"}},
		{"preflight headers", "tokens:", "preflight_headers: {A: b}\ntokens:", []string{"f.yaml:4:1: preflight_headers: is of family plainjson alone"}},
		{"few digits", "hex: 40", "hex: 31", []string{"f.yaml:4:15: tokens.hex: want a whole number from 32 to 128, not the number 31"}},
		{"many digits", "hex: 40", "hex: 129", []string{"f.yaml:4:15: tokens.hex: want a whole number from 32 to 128, not the number 129"}},
		{"digits in words", "hex: 40", "hex: forty", []string{`f.yaml:4:15: tokens.hex: want a whole number from 32 to 128, not "forty"`}},
		{"digits in hex", "hex: 40", "hex: 0x28", []string{"f.yaml:4:15: tokens.hex: want a whole number from 32 to 128, not the number 0x28"}},
		{"no ttl", "ttl: 10h, ", "", []string{"f.yaml:4:9: tokens.ttl: is missing"}},
		{"ttl without a unit", "ttl: 10h", "ttl: 10", []string{"f.yaml:4:24: tokens.ttl: want never, or a duration such as 15d, 24h or 1h30m, not the number 10"}},
		{"ttl of nothing", "ttl: 10h", "ttl: 0h", []string{`f.yaml:4:24: tokens.ttl: want never, or a duration from 1s to 36500d, not "0h"`}},
		{"ttl below zero", "ttl: 10h", "ttl: -10h", []string{`f.yaml:4:24: tokens.ttl: want never, or a duration such as 15d, 24h or 1h30m, not "-10h"`}},
		{"ttl with a fraction", "ttl: 10h", "ttl: 1.5h", []string{`f.yaml:4:24: tokens.ttl: want never, or a duration such as 15d, 24h or 1h30m, not "1.5h"`}},
		{"ttl in weeks", "ttl: 10h", "ttl: 2w", []string{`f.yaml:4:24: tokens.ttl: want never, or a duration such as 15d, 24h or 1h30m, not "2w"`}},
		{"ttl of two numbers", "ttl: 10h", "ttl: 1 0h", []string{`f.yaml:4:24: tokens.ttl: want never, or a duration such as 15d, 24h or 1h30m, not "1 0h"`}},
		{"ttl out of order", "ttl: 10h", "ttl: 10m1h", []string{`f.yaml:4:24: tokens.ttl: want never, or a duration such as 15d, 24h or 1h30m, not "10m1h"`}},
		{"ttl of ages", "ttl: 10h", "ttl: 36501d", []string{`f.yaml:4:24: tokens.ttl: want never, or a duration from 1s to 36500d, not "36501d"`}},
		{"ttl past all numbers", "ttl: 10h", "ttl: 4294967295d4294967295h", []string{`f.yaml:4:24: tokens.ttl: want never, or a duration from 1s to 36500d, not "4294967295d4294967295h"`}},
		{"ttl is null", "ttl: 10h", "ttl: ", []string{"f.yaml:4:19: tokens.ttl: has no value: want never, or a duration such as 15d, 24h or 1h30m"}},
		{"ttl is a list", "ttl: 10h", "ttl: [10h]", []string{"f.yaml:4:24: tokens.ttl: want never, or a duration such as 15d, 24h or 1h30m, not a list"}},
		{"per user", "per_user: many", "per_user: two", []string{`f.yaml:4:39: tokens.per_user: want many or one, not "two"`}},
		{"sliding for ever", "ttl: 10h", "ttl: never, sliding: true", []string{"f.yaml:4:40: tokens.sliding: tokens that never expire have no end to move: ttl is never"}},
		{"sliding in a minute", "ttl: 10h", "ttl: 1m, sliding: true", []string{"f.yaml:4:37: tokens.sliding: a token's end is moved once a minute at most: ttl has to be longer"}},
		{"sliding in words", "ttl: 10h", "ttl: 10h, sliding: yes", []string{`f.yaml:4:38: tokens.sliding: want true or false, not "yes"`}},
		{"realm", "ttl: 10h", "ttl: 10h, realm: 'our realm'", []string{`f.yaml:4:36: tokens.realm: want at most 64 lower-case letters, digits and hyphens, the first no hyphen, not "our realm"`}},
		{"match", "ttl: 10h", "ttl: 10h, match: knox", []string{`f.yaml:4:36: tokens.match: want exact or knox-4.2, not "knox"`}},
		{"legacy format", "ttl: 10h", "ttl: 10h, legacy_format: knox", []string{`f.yaml:4:44: tokens.legacy_format: want authtoken, knox-4.1, knox-4.2 or knox-5.x, not "knox"`}},
		{"legacy format of authtoken", "hex: 40", "hex: 41, legacy_format: authtoken", []string{"f.yaml:4:34: tokens.legacy_format: a token of 41 digits does not fit authtoken's column: hex has to be at most 40"}},
		{"legacy format of knox", "hex: 40", "hex: 41, legacy_format: knox-4.2", []string{"f.yaml:4:34: tokens.legacy_format: knox up to 4.2 reads tokens as whole bytes: hex has to be even"}},
		{"scheme is a map", "tokens:", "scheme: {}\ntokens:", []string{"f.yaml:4:9: scheme: want a text, not a map"}},
		{"messages of no family", "family: drf\nstack: drf-3.14", "messages: {anything: 5}", []string{
			"f.yaml:1:1: family: is missing",
			"f.yaml:1:1: stack: is missing",
		}},
		{"ttl of no number", "ttl: 10h", "ttl: ''", []string{`f.yaml:4:24: tokens.ttl: want never, or a duration such as 15d, 24h or 1h30m, not ""`}},
		{"page", "endpoints:", "rules: {page_content_type: [text/html]}\nendpoints:", []string{"f.yaml:5:28: rules.page_content_type: want a text, not a list"}},
		{"tokens is a list", "tokens: {hex: 40, ttl: 10h, per_user: many}", "tokens: [40, 10h, many]", []string{"f.yaml:4:9: tokens: want a map, not a list"}},
		{"status of errors", "endpoints:", "errors: {status: 400, body: a}\nendpoints:", []string{
			"f.yaml:5:10: errors.status: is of family formjson alone",
			"f.yaml:5:23: errors.body: is of families formjson and plainjson; the failures of family drf have the shape of detail",
		}},
		{"rules", "endpoints:", "rules: {blank: accepted, trim: 1, json: compakt, page_content_type: 'text', nulls: a}\nendpoints:", []string{
			`f.yaml:5:16: rules.blank: want refused, refused-unstripped or missing, not "accepted"`,
			"f.yaml:5:32: rules.trim: want true or false, not the number 1",
			`f.yaml:5:41: rules.json: want compact or spaced, not "compakt"`,
			`f.yaml:5:69: rules.page_content_type: want a media type such as text/html; charset=utf-8, not "text"`,
			"f.yaml:5:77: rules.nulls: unknown key; the keys here are blank, trim, coercion, nul, surrogates, constants, null_body, json, json_errors, content_type, negotiation, inactive_login, token_characters, basic_charset, basic_colon, normalize_username, normalize_email, page, page_content_type",
		}},
		{"messages", "endpoints:", "messages: {required: '', blank: 5, max_length: 'at most {mx} {max} {}', throttled: \"{ secs} {s1} {sec\", requird: a, malformed: b}\nendpoints:", []string{
			"f.yaml:5:22: messages.required: is empty",
			"f.yaml:5:33: messages.blank: want a text (write it in quotes), not the number 5",
			"f.yaml:5:48: messages.max_length: unknown placeholder {mx}; this message has {max}",
			"f.yaml:5:105: messages.requird: unknown key; did you mean required?",
			"f.yaml:5:117: messages.malformed: unknown key; the keys here are required, null, blank, not_string, nul, surrogate, max_length, min_length, integer_invalid, boolean_invalid, date_invalid, username_characters, username_taken, email_invalid, email_taken, not_created, mismatch, change_mismatch, username_mismatch, current_password, uid_invalid, link_invalid, link_stale, email_unknown, email_unverified, password_similar, password_short, password_common, password_numeric, not_object, no_data, credentials, incomplete, inactive, token_limit, permission_denied, invalid_user, unsupported, token_missing, token_empty, token_spaces, token_characters, token_invalid, token_expired, token_inactive, basic_empty, basic_spaces, basic_encoding, basic_invalid, basic_inactive, method, media_type, not_acceptable, not_found, parse_error, multipart_error, too_large, throttled, unavailable",
		}},
		{"messages without placeholders", "endpoints:", "messages: {required: 'no {field} {max}', null: }\nendpoints:", []string{
			"f.yaml:5:22: messages.required: unknown placeholder {field}; this message has none",
			"f.yaml:5:22: messages.required: unknown placeholder {max}; this message has none",
			"f.yaml:5:42: messages.null: has no value: want a text",
		}},
	})
}

func TestHeaderProblems(t *testing.T) {
	checkProblems(t, plainProfile, []problem{
		{"names", "endpoints:", "headers: {X-Bad Name: a, 'X:': b, Ünicode: c, '': d}\nendpoints:", []string{
			"f.yaml:5:11: headers.\"X-Bad Name\": a header's name is letters, digits and !#$%&'*+-.^_`|~ (RFC 9110, token)",
			"f.yaml:5:26: headers.\"X:\": a header's name is letters, digits and !#$%&'*+-.^_`|~ (RFC 9110, token)",
			"f.yaml:5:35: headers.Ünicode: a header's name is letters, digits and !#$%&'*+-.^_`|~ (RFC 9110, token)",
			"f.yaml:5:47: headers.\"\": a header's name is letters, digits and !#$%&'*+-.^_`|~ (RFC 9110, token)",
		}},
		{"values", "endpoints:", "headers: {A: \"b\\r\\nC: d\", B: 5, C: ' d', D: , E: [f], F: \"\\0\", G: true}\nendpoints:", []string{
			"f.yaml:5:14: headers.A: a header's value has no line breaks and no control characters",
			"f.yaml:5:30: headers.B: want a text (write it in quotes), not the number 5",
			"f.yaml:5:36: headers.C: a header's value has no white space at its ends",
			"f.yaml:5:42: headers.D: has no value: want a text",
			"f.yaml:5:50: headers.E: want a text, not a list",
			"f.yaml:5:58: headers.F: a header's value has no line breaks and no control characters",
			"f.yaml:5:67: headers.G: want a text (write it in quotes), not true",
		}},
		{"ours", "endpoints:", "headers: {Content-Length: '5', transfer-encoding: chunked, CONNECTION: close, Date: now, Content-Type: a/b, WWW-Authenticate: Basic}\nendpoints:", []string{
			"f.yaml:5:11: headers.Content-Length: the server writes this header itself",
			"f.yaml:5:32: headers.transfer-encoding: the server writes this header itself",
			"f.yaml:5:60: headers.CONNECTION: the server writes this header itself",
			"f.yaml:5:79: headers.Date: the server writes this header itself",
			"f.yaml:5:90: headers.Content-Type: the server writes this header itself",
			"f.yaml:5:109: headers.WWW-Authenticate: the server writes this header itself",
		}},
		{"twice", "endpoints:", "headers: {X-A: '1', x-a: '2'}\nendpoints:", []string{"f.yaml:5:21: headers.x-a: is there twice, in another case of its letters"}},
		{"no map", "endpoints:", "headers: [X-A]\npreflight_headers: X-B\nendpoints:", []string{
			"f.yaml:5:10: headers: want a map, not a list",
			`f.yaml:6:20: preflight_headers: want a map, not "X-B"`,
		}},
	})
}

func TestAllProblemsAtOnce(t *testing.T) {
	checkProblems(t, restProfile, []problem{{"many", restProfile, `nmae: sixth
family: drf
stack: drf-3.14
scheme: two words
tokens: {hex: 8, ttl: soon, sliding: 1}
headers: {Date: today}
rules: {blank: maybe}
endpoints:
  login:
    path: login
    fields: {username: {max_length: 151}, pasword: {}}
    reply: {status: 99, body: {token: $token.kay, at: $user.created|iso}}
  logout:
    path: /a//b
    reply: {status: 204, body: null}
messages:
  method: Method {verb}
`, []string{
		"f.yaml:1:1: name: is missing",
		"f.yaml:1:1: nmae: unknown key; did you mean name?",
		"f.yaml:4:9: scheme: want one word of letters, digits and !#$%&'*+-.^_`|~ (RFC 9110, token), not \"two words\"",
		"f.yaml:5:9: tokens.per_user: is missing",
		"f.yaml:5:15: tokens.hex: want a whole number from 32 to 128, not the number 8",
		`f.yaml:5:23: tokens.ttl: want never, or a duration such as 15d, 24h or 1h30m, not "soon"`,
		"f.yaml:5:38: tokens.sliding: want true or false, not the number 1",
		"f.yaml:6:11: headers.Date: the server writes this header itself",
		`f.yaml:7:16: rules.blank: want refused, refused-unstripped or missing, not "maybe"`,
		"f.yaml:10:11: endpoints.login.path: a path starts with a slash",
		"f.yaml:11:37: endpoints.login.fields.username.max_length: want a whole number from 1 to 150, not the number 151",
		`f.yaml:11:52: endpoints.login.fields.pasword.role: is missing: "pasword" is none of username, password, email, username_or_email, key`,
		"f.yaml:12:21: endpoints.login.reply.status: want a whole number from 200 to 599, not the number 99",
		"f.yaml:12:39: endpoints.login.reply.body.token: unknown value $token.kay; did you mean $token.key?",
		`f.yaml:12:55: endpoints.login.reply.body.at: $user.created takes the format microseconds, milliseconds or day-month-year, not "iso"`,
		"f.yaml:14:11: endpoints.logout.path: a path has no empty segments (//)",
		"f.yaml:15:32: endpoints.logout.reply.body: a reply with status 204 has no body",
		"f.yaml:17:11: messages.method: unknown placeholder {verb}; this message has {method}",
	}}})
}

// A sixth API needs no Go: djoser's token endpoints (djoser 2.1,
// djoser/serializers.py, TokenCreateSerializer: neither field is required).
func TestSixthAPI(t *testing.T) {
	p, err := Parse("djoser.yaml", []byte(`
name: djoser
title: Token endpoints of djoser
family: drf
stack: drf-3.14
tokens: {hex: 40, ttl: never, per_user: one}
trailing_slash: redirect
headers: {X-Frame-Options: DENY}
endpoints:
  token-login:
    action: login
    path: /auth/token/login/
    view: {name: Token Create, description: Use this endpoint to obtain user authentication token., actions: true}
    renderers: [json]
    fields:
      password: {required: false, trim: false}
      username: {required: false}
    reply: {status: 200, body: {auth_token: $token.key, note: "for ${user.username}, US$$ 0"}}
  token-logout: {action: logout, path: /auth/token/logout/, reply: {status: 204}}
messages:
  credentials: Unable to log in with provided credentials.
  max_length: At most {max} characters, in {braces-with-hyphens}.
`))
	if err != nil {
		t.Fatal(err)
	}
	login, _ := p.Endpoint(Login)
	want := Endpoint{
		Name: "token-login", Action: Login, Path: "/auth/token/login/", TrailingSlash: SlashRedirect, Methods: []string{"POST"}, Access: AccessOpen, Authentication: []Authentication{{AuthenticateToken, "Token"}},
		Renderers: []Renderer{RenderJSON},
		Parsers:   []Parser{ParseJSON, ParseForm, ParseMultipart},
		View:      View{Name: "Token Create", Description: "Use this endpoint to obtain user authentication token.", Actions: true},
		Fields: []Field{
			{Name: "password", Role: RolePassword, Characters: CharactersAny},
			{Name: "username", Role: RoleUsername, Trim: true, Characters: CharactersAny},
		},
		Reply: Reply{Status: 200, Body: &template.Template{Members: []template.Member{
			{Key: "auth_token", Value: template.Template{Kind: template.KindValue, Value: template.Value{Name: template.TokenKey}}},
			{Key: "note", Value: template.Template{Kind: template.KindText, Parts: []template.Part{
				{Literal: "for "}, {Value: template.Value{Name: template.UserUsername}}, {Literal: ", US$ 0"},
			}}},
		}}},
	}
	if diff := cmp.Diff(want, login); diff != "" {
		t.Error(diff)
	}
	logout, _ := p.Endpoint(Logout)
	if logout.View.Name != "Token Logout" || logout.Access != AccessToken {
		t.Errorf("logout is %+v", logout)
	}
	if got := p.Messages.Format("max_length", "max", "5"); got != "At most 5 characters, in {braces-with-hyphens}." {
		t.Errorf("max_length is %q", got)
	}
}

func TestDefaults(t *testing.T) {
	p, err := Parse("f.yaml", []byte(restProfile))
	if err != nil {
		t.Fatal(err)
	}
	if p.Messages["token_invalid"] != "Invalid token." || p.Rules.Page != PageHTML5 || p.Errors.Detail == nil {
		t.Error("the stack is not merged in")
	}
	p.Messages, p.Rules, p.Errors = nil, Rules{}, Errors{}
	tokens := []Authentication{{AuthenticateToken, "Token"}}
	view := func(e Endpoint) Endpoint {
		e.Methods, e.TrailingSlash, e.Authentication = []string{"POST"}, SlashExact, tokens
		e.Renderers = []Renderer{RenderJSON, RenderHTML}
		e.Parsers = []Parser{ParseJSON, ParseForm, ParseMultipart}
		return e
	}
	account := view(Endpoint{
		Name: "account", Action: Account, Path: "/users/{username}/", Access: AccessToken, View: View{Name: "Account"},
		Reply: Reply{Status: 200, Body: &template.Template{Members: []template.Member{{Key: "name", Value: template.Template{Kind: template.KindValue, Value: template.Value{Name: template.UserUsername}}}}}},
	})
	account.Methods = []string{"GET"}
	account.Others = OthersVisible
	want := &Profile{
		Name: "sixth", Family: DRF, Stack: "drf-3.14", Scheme: "Token", Authentication: tokens,
		Tokens:    Tokens{Hex: 40, TTL: 10 * time.Hour, PerUser: ManyPerUser, Realm: "default", Match: MatchExact},
		Usernames: Usernames{Case: CaseExact}, Emails: Emails{Case: CaseExact, Verification: VerificationNone},
		TrailingSlash: SlashExact, OtherPaths: AccessOpen, Throttling: Hidden,
		Endpoints: []Endpoint{
			view(Endpoint{
				Name: "register", Action: Register, Path: "/register/", Access: AccessOpen, View: View{Name: "Register"},
				Fields: []Field{
					{Name: "username", Role: RoleUsername, Required: true, Trim: true, MaxLength: 150, Characters: CharactersAny},
					{Name: "email", Role: RoleEmail, Required: true, Trim: true, Characters: CharactersAny},
					{Name: "password", Role: RolePassword, Required: true, Trim: true, Characters: CharactersAny},
				},
				Reply: Reply{Status: 201, Body: &template.Template{Members: []template.Member{{Key: "id", Value: template.Template{Kind: template.KindValue, Value: template.Value{Name: template.UserID}}}}}},
			}),
			view(Endpoint{
				Name: "login", Action: Login, Path: "/login/", Access: AccessOpen, View: View{Name: "Login"},
				Fields: []Field{
					{Name: "username", Role: RoleUsername, Required: true, Trim: true, Characters: CharactersAny},
					{Name: "password", Role: RolePassword, Required: true, Characters: CharactersAny},
				},
				Reply: Reply{Status: 200, Body: &template.Template{Members: []template.Member{{Key: "token", Value: template.Template{Kind: template.KindValue, Value: template.Value{Name: template.TokenKey}}}}}},
			}),
			view(Endpoint{
				Name: "logout", Action: Logout, Path: "/logout/", Access: AccessToken, View: View{Name: "Logout"},
				Reply: Reply{Status: 204},
			}),
			account,
		},
	}
	if diff := cmp.Diff(want, p); diff != "" {
		t.Error(diff)
	}
}
