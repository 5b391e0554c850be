package profiles

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/authcompat/authcompat/profiles/template"
)

func TestBodyProblems(t *testing.T) {
	checkProblems(t, restProfile, []problem{
		{"null", "{token: $token.key}", "null", []string{"f.yaml:13:32: endpoints.login.reply.body: has no value: want a body, or no such key for a reply without one"}},
		{"nothing", "body: {token: $token.key}", "body: ", []string{"f.yaml:13:26: endpoints.login.reply.body: has no value: want a body, or no such key for a reply without one"}},
		{"unknown value", "$token.key", "$token.kye", []string{"f.yaml:13:40: endpoints.login.reply.body.token: unknown value $token.kye; did you mean $token.key?"}},
		{"unlike any value", "$token.key", "$now", []string{"f.yaml:13:40: endpoints.login.reply.body.token: unknown value $now; known here are $token.key, $token.expiry, $user.id, $user.username, $user.email, $user.created, $user.attributes"}},
		{"attribute without a name", "$token.key", "$user.attributes", []string{"f.yaml:13:40: endpoints.login.reply.body.token: $user.attributes wants the attribute's name: $user.attributes.location"}},
		{"attribute with an empty name", "$token.key", "$user.attributes.", []string{"f.yaml:13:40: endpoints.login.reply.body.token: the attribute's name in $user.attributes. has to be letters, digits, _ and -"}},
		{"attribute with dots", "$token.key", "$user.attributes.a.b", []string{"f.yaml:13:40: endpoints.login.reply.body.token: the attribute's name in $user.attributes.a.b has to be letters, digits, _ and -"}},
		{"value of errors", "$token.key", "$message", []string{"f.yaml:13:40: endpoints.login.reply.body.token: $message is not known in the reply of login; known here are $token.key, $token.expiry, $user.id, $user.username, $user.email, $user.created, $user.attributes"}},
		{"key of account", "$user.username", "$token.key", []string{"f.yaml:19:39: endpoints.account.reply.body.name: $token.key is not known in the reply of account; known here are $token.expiry, $user.id, $user.username, $user.email, $user.created, $user.attributes"}},
		{"values of logout", "{status: 204}", "{status: 200, body: [$token.key, $token.expiry, $user.id, $user.attributes.a]}", []string{
			"f.yaml:16:33: endpoints.logout.reply.body[0]: $token.key is not known in the reply of logout; no value is known here",
			"f.yaml:16:45: endpoints.logout.reply.body[1]: $token.expiry is not known in the reply of logout; no value is known here",
			"f.yaml:16:60: endpoints.logout.reply.body[2]: $user.id is not known in the reply of logout; no value is known here",
			"f.yaml:16:70: endpoints.logout.reply.body[3]: $user.attributes.a is not known in the reply of logout; no value is known here",
		}},
		{"format of key", "$token.key", "$token.key|milliseconds", []string{"f.yaml:13:40: endpoints.login.reply.body.token: $token.key takes no format"}},
		{"format of time", "$token.key", "$token.expiry|unix", []string{`f.yaml:13:40: endpoints.login.reply.body.token: $token.expiry takes the format microseconds, milliseconds or day-month-year, not "unix"`}},
		{"no format", "$token.key", "$token.expiry|", []string{`f.yaml:13:40: endpoints.login.reply.body.token: $token.expiry takes the format microseconds, milliseconds or day-month-year, not ""`}},
		{"two formats", "$token.key", "$token.expiry|milliseconds|milliseconds", []string{`f.yaml:13:40: endpoints.login.reply.body.token: $token.expiry takes the format microseconds, milliseconds or day-month-year, not "milliseconds|milliseconds"`}},
		{"format of attribute", "$token.key", "$user.attributes.a|gravatar", []string{`f.yaml:13:40: endpoints.login.reply.body.token: $user.attributes.a takes the format integer, not "gravatar"`}},
		{"format of email", "$token.key", "$user.email|integer", []string{`f.yaml:13:40: endpoints.login.reply.body.token: $user.email takes the format gravatar, not "integer"`}},
		{"dollar alone", "$token.key", "$", []string{"f.yaml:13:40: endpoints.login.reply.body.token: a value inside of a text is written ${…}, a dollar sign $$"}},
		{"dollar at the end", "$token.key", "US$", []string{"f.yaml:13:40: endpoints.login.reply.body.token: a value inside of a text is written ${…}, a dollar sign $$"}},
		{"value in a text", "$token.key", "Token $token.key", []string{"f.yaml:13:40: endpoints.login.reply.body.token: a value inside of a text is written ${…}, a dollar sign $$"}},
		{"text after a value", "$token.key", "$token.key is it", []string{"f.yaml:13:40: endpoints.login.reply.body.token: a value inside of a text is written ${…}, a dollar sign $$"}},
		{"open brace", "$token.key", "'${token.key'", []string{"f.yaml:13:40: endpoints.login.reply.body.token: a value inside of a text is written ${…}, a dollar sign $$"}},
		{"unknown in a text", "$token.key", "'a ${token.kay} b ${user name}'", []string{
			"f.yaml:13:40: endpoints.login.reply.body.token: unknown value $token.kay; did you mean $token.key?",
			`f.yaml:13:40: endpoints.login.reply.body.token: unknown value "${user name}"; known here are $token.key, $token.expiry, $user.id, $user.username, $user.email, $user.created, $user.attributes`,
		}},
		{"number with a fraction", "$token.key", "1.5", []string{"f.yaml:13:40: endpoints.login.reply.body.token: want a map, a list, a text, a whole number in decimal, true, false or null, not the number 1.5"}},
		{"number past 64 bits", "$token.key", "9223372036854775808", []string{"f.yaml:13:40: endpoints.login.reply.body.token: want a map, a list, a text, a whole number in decimal, true, false or null, not the number 9223372036854775808"}},
		{"octal number", "$token.key", "0o17", []string{"f.yaml:13:40: endpoints.login.reply.body.token: want a map, a list, a text, a whole number in decimal, true, false or null, not the number 0o17"}},
		{"key twice", "{token: $token.key}", "{a: {b: 1, b: 2}}", []string{"f.yaml:13:43: endpoints.login.reply.body.a.b: is there twice, first on line 13"}},
	})
	checkProblems(t, restProfile, []problem{
		{"errors in detail", "endpoints:", "errors: {detail: {a: $errors, b: $user.id}}\nendpoints:", []string{
			"f.yaml:5:22: errors.detail.a: $errors is not known in the detail of errors; known here are $message, $status",
			"f.yaml:5:34: errors.detail.b: $user.id is not known in the detail of errors; known here are $message, $status",
		}},
		{"null detail", "endpoints:", "errors: {detail: }\nendpoints:", []string{"f.yaml:5:10: errors.detail: has no value: want a body, or no such key for a reply without one"}},
		{"unknown shape", "endpoints:", "errors: {details: a}\nendpoints:", []string{"f.yaml:5:10: errors.details: unknown key; did you mean detail?"}},
	})
}

func TestTemplate(t *testing.T) {
	value := func(v template.Value) template.Template { return template.Template{Kind: template.KindValue, Value: v} }
	literal := func(l any) template.Template { return template.Template{Kind: template.KindLiteral, Literal: l} }
	for _, c := range []struct {
		name, yaml string
		want       template.Template
	}{
		{"text", "success", literal("success")},
		{"empty text", "''", literal("")},
		{"number", "-5", literal(int64(-5))},
		{"quoted number", "'5'", literal("5")},
		{"true", "true", literal(true)},
		{"date", "2014-06-16", literal("2014-06-16")},
		{"dollar sign", "US$$ $${user.id}", literal("US$ ${user.id}")},
		{"dollar sign first", "$$5", literal("$5")},
		{"value", "$token.expiry|milliseconds", value(template.Value{Name: template.TokenExpiry, Format: template.FormatMilliseconds})},
		{"attribute", "$user.attributes.first_name", value(template.Value{Name: template.UserAttribute, Attribute: "first_name"})},
		{"attribute as a number", "$user.attributes.n|integer", value(template.Value{Name: template.UserAttribute, Attribute: "n", Format: template.FormatInteger})},
		{"text of one value", "${user.id}", template.Template{Kind: template.KindText, Parts: []template.Part{{Value: template.Value{Name: template.UserID}}}}},
		{"text of parts", "a$$${user.id}b${user.email|gravatar}", template.Template{Kind: template.KindText, Parts: []template.Part{
			{Literal: "a$"}, {Value: template.Value{Name: template.UserID}}, {Literal: "b"}, {Value: template.Value{Name: template.UserEmail, Format: template.FormatGravatar}},
		}}},
		{"list", "[a, null, [], {}]", template.Template{Kind: template.KindList, Items: []template.Template{
			literal("a"), literal(nil), {Kind: template.KindList}, {Kind: template.KindObject},
		}}},
		{"object", "{b: 1, a: {c: $user.id}, 404: x, null: y}", template.Template{Kind: template.KindObject, Members: []template.Member{
			{Key: "b", Value: literal(int64(1))},
			{Key: "a", Value: template.Template{Kind: template.KindObject, Members: []template.Member{{Key: "c", Value: value(template.Value{Name: template.UserID})}}}},
			{Key: "404", Value: literal("x")}, {Key: "null", Value: literal("y")},
		}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			file := strings.Replace(plainProfile, "reply: {status: 200, body: {token: $token.key}}",
				"reply:\n      status: 200\n      body: "+c.yaml, 1)
			p, err := Parse("f.yaml", []byte(file))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, *p.Endpoints[0].Reply.Body); diff != "" {
				t.Error(diff)
			}
		})
	}
}
