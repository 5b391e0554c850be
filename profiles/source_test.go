package profiles

import (
	"strings"
	"testing"
)

func TestFileProblems(t *testing.T) {
	checkProblems(t, plainProfile, []problem{
		{"empty", plainProfile, "", []string{"f.yaml:1:1: the file is empty"}},
		{"comments alone", plainProfile, "# nothing\n\n", []string{"f.yaml:1:1: the file is empty"}},
		{"null", plainProfile, "---\n...\n", []string{"f.yaml:2:1: the file is empty"}},
		{"a list", plainProfile, "- a\n", []string{"f.yaml:1:1: want a map, not a list"}},
		{"a text", plainProfile, "plain\n", []string{`f.yaml:1:1: want a map, not "plain"`}},
		{"two documents", "endpoints:", "---\nendpoints:", []string{
			"f.yaml:1:1: endpoints: is missing",
			"f.yaml:5:1: a second document begins here: a file holds one profile",
		}},
		{"an empty second document", "    reply: {status: 200, body: {token: $token.key}}\n", "    reply: {status: 200, body: {token: $token.key}}\n---\n", []string{"f.yaml:10:1: a second document begins here: a file holds one profile"}},
		{"broken second document", "    reply: {status: 200, body: {token: $token.key}}\n", "    reply: {status: 200, body: {token: $token.key}}\n---\na: [b\n", []string{"f.yaml:11:1: did not find expected ',' or ']'"}},
		{"too large", "name: plain", "name: plain #" + strings.Repeat("x", MaxFile), []string{"f.yaml:1:1: the file is larger than 1 MiB"}},
		{"not UTF-8", "path: /login", "path: /é\xff", []string{"f.yaml:7:13: byte 0xff is not UTF-8"}},
		{"UTF-16", plainProfile, "\xff\xfen\x00:\x00", []string{"f.yaml:1:1: byte 0xff is not UTF-8"}},
		{"NUL", "path: /login", "path: /\x00", []string{"f.yaml:7:12: NUL is not a character of YAML"}},
		{"control character", "path: /login", "path: /\x1b[31m", []string{"f.yaml:7:12: control character U+001B is not a character of YAML"}},
		{"C1 control character", "path: /login", "path: /\u0080", []string{"f.yaml:7:12: control character U+0080 is not a character of YAML"}},
		{"tab", "    path: /login", "\tpath: /login", []string{"f.yaml:7:1: a tab can't indent YAML: use spaces"}},
		{"half indented", "    path: /login", "  path: /login", []string{"f.yaml:8:5: mapping values are not allowed in this context"}},
		{"open brace", "fields: {username: {}, password: {}}", "fields: {username: {}, password: {}", []string{"f.yaml:8:5: did not find expected ',' or '}'"}},
		{"open quote", "path: /login", "path: '/login", []string{"f.yaml:7:5: found unexpected end of stream"}},
		{"colon in text", "name: plain", "name: plain: text", []string{"f.yaml:1:1: mapping values are not allowed in this context"}},
		{"unknown anchor", "path: /login", "path: *login # *login", []string{"f.yaml:7:11: alias *login has no anchor &login before it"}},
		{"alias in itself", "fields: {username: {}, password: {}}", "fields: &f {username: {}, password: *f}", []string{"f.yaml:8:41: alias *f stands inside of its own anchor"}},
		{"merge key", "fields: {username: {}, password: {}}", "fields: &f {username: {}, password: {}, <<: {a: {}}}", []string{"f.yaml:8:45: endpoints.login.fields: merge keys (<<) are not read: write the entries out, or alias a whole value"}},
		{"tag", "name: plain", "name: !!str plain", []string{`f.yaml:1:7: name: the tag "!!str" is not used here`}},
		{"own tag", "fields: {username: {}", "fields: {username: !user {}", []string{`f.yaml:8:24: endpoints.login.fields.username: the tag "!user" is not used here`}},
		{"tagged key", "name: plain", "!!str name: plain", []string{
			"f.yaml:1:1: a key has to be a text",
			"f.yaml:1:1: name: is missing",
		}},
		{"key that is a list", "name: plain", "? [name]\n: plain", []string{
			"f.yaml:1:1: name: is missing",
			"f.yaml:1:3: a key has to be a text",
		}},
		{"key that is empty", "{username: {}, password: {}}", "{: {}, username: {}, password: {}}", []string{"f.yaml:8:5: did not find expected node content"}},
		{"key that is null", "name: plain", "?\n: plain", []string{
			"f.yaml:1:1: name: is missing",
			"f.yaml:1:2: a key is missing before the colon",
		}},
		{"no key", "name: plain", "name: plain\n: plain", []string{"f.yaml:2:1: did not find expected key"}},
		{"text behind a map", "{username: {}, password: {}}", "{username: {}, password: {}} here", []string{"f.yaml:8:5: did not find expected key"}},
		{"key twice", "name: plain", "name: plain\nname: other", []string{"f.yaml:2:1: name: is there twice, first on line 1"}},
		{"unreadable key", "name: plain", "name: plain\n\"a.b\\n\": other\n\"\": 1", []string{
			`f.yaml:2:1: "a.b\n": unknown key; the keys here are name, title, document, family, stack, scheme, authentication, tokens, usernames, emails, attributes, passwords, mails, trailing_slash, other_paths, throttling, headers, preflight_headers, cors, formats, errors, rules, endpoints, messages`,
			`f.yaml:3:1: "": unknown key; the keys here are name, title, document, family, stack, scheme, authentication, tokens, usernames, emails, attributes, passwords, mails, trailing_slash, other_paths, throttling, headers, preflight_headers, cors, formats, errors, rules, endpoints, messages`,
		}},
		{"too deep", "{token: $token.key}", strings.Repeat("[", 45) + strings.Repeat("]", 45), []string{"f.yaml:9:69: the file is nested more than 40 deep"}},
		{"too many values", "{token: $token.key}", "[" + strings.Repeat("1,", maxValues) + "]", []string{"f.yaml:9:39967: the file holds more than 20000 values, aliases counted as what they stand for"}},
	})
}

// An alias bomb expands a few hundred bytes to 10^9 values.
func TestAliasBomb(t *testing.T) {
	bomb := "reply: &a [x, x, x, x, x, x, x, x, x, x]\n"
	for i := 'b'; i < 'k'; i++ {
		bomb += string(i) + ": &" + string(i) + " [" + strings.Repeat("*"+string(i-1)+", ", 10) + "]\n"
	}
	_, err := Parse("f.yaml", []byte(bomb))
	const want = "f.yaml:1:39: the file holds more than 20000 values, aliases counted as what they stand for"
	if err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
}

func TestAlias(t *testing.T) {
	p, err := Parse("f.yaml", []byte(strings.NewReplacer(
		"{username: {}, password: {}}", "&fields {username: {}, password: {}}",
		"{status: 200, body: {token: $token.key}}\n", "&reply {status: 200, body: {token: $token.key}}\n"+
			"  again: {action: login, path: /again, fields: *fields, reply: *reply}\n",
	).Replace(plainProfile)))
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Endpoints[1].Fields) != 2 || p.Endpoints[1].Reply.Body == nil {
		t.Errorf("got %+v", p.Endpoints[1])
	}
}

// If an alias brings a mistake to two places, it is reported once; a mistake in only one
// of the places is reported there.
func TestAliasProblems(t *testing.T) {
	checkProblems(t, restProfile, []problem{
		{"bad in both", "{status: 200, body: {token: $token.key}}", "&r {status: 999, body: {token: $token.kex}}\n  again:\n    action: login\n    path: /again/\n    fields: {username: {}, password: {}}\n    reply: *r", []string{
			"f.yaml:13:24: endpoints.login.reply.status: want a whole number from 200 to 599, not the number 999",
			"f.yaml:13:43: endpoints.login.reply.body.token: unknown value $token.kex; did you mean $token.key?",
		}},
		{"bad in one", "{status: 201, body: {id: $user.id}}", "{status: 201, body: &b {id: $user.id, key: $token.key}}\n  me: {action: account, path: '/me/{username}/', reply: {status: 200, body: *b}}", []string{"f.yaml:9:55: endpoints.me.reply.body.key: $token.key is not known in the reply of account; known here are $token.expiry, $user.id, $user.username, $user.email, $user.created, $user.attributes"}},
		{"bad kind", "{status: 201, body: {id: $user.id}}", "&r {status: 201, body: {id: $user.id}}\n  me: {action: account, path: *r, reply: *r}", []string{"f.yaml:10:31: endpoints.me.path: want a text, not a map"}},
	})
}
