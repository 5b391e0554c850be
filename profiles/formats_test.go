package profiles

import (
	"slices"
	"testing"

	"github.com/authcompat/authcompat/profiles/template"
)

// timedProfile writes ends of tokens in formats of its own.
const timedProfile = `name: timed
family: plainjson
stack: views-1.6
errors: {body: {error: $message}}
tokens: {hex: 40, ttl: 10h, per_user: many}
formats:
  expiry: {strftime: "%d/%m/%Y %H:%M", zone: Europe/Paris}
  local: {zone: Asia/Kolkata}
endpoints:
  login:
    path: /login
    fields: {username: {}, password: {}}
    reply: {status: 200, body: {a: $token.expiry|expiry, b: "${user.created|local}!", c: $token.expiry}}
`

func TestFormats(t *testing.T) {
	p, err := Parse("f.yaml", []byte(timedProfile))
	if err != nil {
		t.Fatal(err)
	}
	checkRoundTrip(t, p)
	paris, kolkata := template.TimeFormat{Strftime: "%d/%m/%Y %H:%M", Zone: "Europe/Paris"}, template.TimeFormat{Zone: "Asia/Kolkata"}
	if !slices.Equal(p.Formats, []Format{{"expiry", paris}, {"local", kolkata}}) {
		t.Errorf("%+v", p.Formats)
	}
	body := p.Endpoints[0].Reply.Body.Members
	if body[0].Value.Value.Time != paris || body[1].Value.Parts[0].Value.Time != kolkata || body[2].Value.Value.Time != (template.TimeFormat{}) {
		t.Errorf("%+v", body)
	}
}

func TestFormatProblems(t *testing.T) {
	const letters = "%a, %A, %w, %d, %b, %B, %m, %y, %Y, %H, %I, %p, %M, %S, %f, %z, %Z, %j, %U, %W, %c, %x, %X, %G, %u, %V, %e, %F, %T, %D, %R, %%"
	checkProblems(t, timedProfile, []problem{
		{"directive", "%d/%m/%Y", "%-d/%m/%Y", []string{"f.yaml:7:22: formats.expiry.strftime: %- is none of " + letters}},
		{"percent", "%d/%m/%Y %H:%M", "50%", []string{"f.yaml:7:22: formats.expiry.strftime: a percent sign is written %%"}},
		{"zone", "Europe/Paris", "Paris", []string{`f.yaml:7:46: formats.expiry.zone: want a zone of the IANA database, such as Europe/Paris, not "Paris"`}},
		{"this machine", "Europe/Paris", "Local", []string{`f.yaml:7:46: formats.expiry.zone: want a zone of the IANA database, such as Europe/Paris, not "Local"`}},
		{"no zone", ", zone: Europe/Paris", "", nil},
		{"names", "  local:", "  milliseconds: {}\n  Local: {}\n  local:", []string{
			"f.yaml:8:3: formats.milliseconds: is a format that there is already",
			"f.yaml:9:3: formats.Local: a format's name is at most 64 lower-case letters, digits, _ and -, the first a letter",
		}},
		{"unknown", "$token.expiry|expiry", "$token.expiry|expire", []string{
			`f.yaml:13:36: endpoints.login.reply.body.a: $token.expiry takes the format microseconds, milliseconds, day-month-year, expiry or local, not "expire"`,
		}},
		{"no time", "$token.expiry|expiry", "$user.email|expiry", []string{`f.yaml:13:36: endpoints.login.reply.body.a: $user.email takes the format gravatar, not "expiry"`}},
	})
}
