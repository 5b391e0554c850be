package reply

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/dialects/internal/pyjson"
	"github.com/authcompat/authcompat/profiles/template"
)

func value(name template.ValueName, f template.Format) template.Template {
	return template.Template{Kind: template.KindValue, Value: template.Value{Name: name, Format: f}}
}

func timed(format, zone string) template.Template {
	t := value(template.TokenExpiry, "mine")
	t.Value.Time = template.TimeFormat{Strftime: format, Zone: zone}
	return t
}

func attribute(name string, f template.Format) template.Template {
	return template.Template{Kind: template.KindValue, Value: template.Value{Name: template.UserAttribute, Attribute: name, Format: f}}
}

func TestAppend(t *testing.T) {
	data := Data{
		User: core.User{
			ID: 7, Username: "jürgen", Email: " Bahattincinic@Gmail.com ",
			Attributes: map[string]string{"followers": " 12 ", "bad": "x"},
			CreatedAt:  time.Date(2014, 6, 16, 20, 51, 9, 0, time.UTC),
		},
		Token:   core.Token{ExpiresAt: time.Date(2014, 10, 13, 21, 4, 31, 171234000, time.UTC)},
		Key:     "abc",
		Message: "a \"quote\"\u2028",
		Status:  401,
		Errors:  new(pyjson.Object).Set("username", []any{"taken"}),
	}
	text := template.Template{Kind: template.KindText, Parts: []template.Part{
		{Literal: `"<`}, {Value: template.Value{Name: template.UserUsername}}, {Literal: "/"},
		{Value: template.Value{Name: template.UserEmail, Format: template.FormatGravatar}},
		{Literal: "/"}, {Value: template.Value{Name: template.TokenExpiry}}, {Literal: "/"}, {Value: template.Value{Name: template.UserID}},
	}}
	object := template.Template{Kind: template.KindObject, Members: []template.Member{
		{Key: "b", Value: value(template.TokenKey, "")},
		{Key: "a", Value: template.Template{Kind: template.KindList, Items: []template.Template{
			{Kind: template.KindLiteral, Literal: nil}, {Kind: template.KindLiteral, Literal: true},
			{Kind: template.KindLiteral, Literal: int64(3)}, {Kind: template.KindLiteral, Literal: "é"},
		}}},
	}}
	tests := []struct {
		name            string
		template        template.Template
		compact, spaced string
	}{
		{"object", object, `{"b":"abc","a":[null,true,3,"é"]}`, `{"b": "abc", "a": [null, true, 3, "\u00e9"]}`},
		{"text", text,
			`"\"<jürgen/c1184fefac22e49bbf59e3775ef6e9dd/2014-10-13T21:04:31.171234Z/7"`,
			`"\"<j\u00fcrgen/c1184fefac22e49bbf59e3775ef6e9dd/2014-10-13T21:04:31.171234Z/7"`},
		{"microseconds", value(template.TokenExpiry, template.FormatMicroseconds), `"2014-10-13T21:04:31.171234Z"`, `"2014-10-13T21:04:31.171234Z"`},
		{"milliseconds", value(template.TokenExpiry, template.FormatMilliseconds), `"2014-10-13T21:04:31.171Z"`, `"2014-10-13T21:04:31.171Z"`},
		{"no fraction", value(template.UserCreated, template.FormatMilliseconds), `"2014-06-16T20:51:09Z"`, `"2014-06-16T20:51:09Z"`},
		{"the profile's", timed(`"%H:%M" %d/%m/%y`, "Europe/Paris"), `"\"23:04\" 13/10/14"`, `"\"23:04\" 13/10/14"`},
		{"isoformat in a zone", timed("", "Asia/Kolkata"), `"2014-10-14T02:34:31.171234+05:30"`, `"2014-10-14T02:34:31.171234+05:30"`},
		{"day, month, year", value(template.UserCreated, template.FormatDayMonthYear), `"16-06-2014 20:51"`, `"16-06-2014 20:51"`},
		{"integer", attribute("followers", template.FormatInteger), `12`, `12`},
		{"no integer", attribute("bad", template.FormatInteger), `0`, `0`},
		{"absent", attribute("none", ""), `""`, `""`},
		{"message", value(template.ErrorMessage, ""), `"a \"quote\"\u2028"`, `"a \"quote\"\u2028"`},
		{"status", value(template.ErrorStatus, ""), `401`, `401`},
		{"errors", value(template.FieldErrors, ""), `{"username":["taken"]}`, `{"username": ["taken"]}`},
	}
	for _, tt := range tests {
		if got := string(Compile(tt.template, pyjson.Compact()).Append(nil, &data)); got != tt.compact {
			t.Errorf("%s, compact:\n got %s\nwant %s", tt.name, got, tt.compact)
		}
		if got := string(Compile(tt.template, pyjson.Spaced()).Append(nil, &data)); got != tt.spaced {
			t.Errorf("%s, spaced:\n got %s\nwant %s", tt.name, got, tt.spaced)
		}
	}
	never := Compile(value(template.TokenExpiry, ""), pyjson.Compact())
	if got := string(never.Append(nil, &Data{})); got != "null" {
		t.Errorf("never expires: %s", got)
	}
}

// TestDayMonthYear writes times as time.Format does, in years of any length.
func TestDayMonthYear(t *testing.T) {
	body := Compile(value(template.UserCreated, template.FormatDayMonthYear), pyjson.Compact())
	random := rand.New(rand.NewPCG(1, 2))
	at := []time.Time{
		time.Date(999, 12, 31, 23, 59, 59, 0, time.UTC), time.Date(1000, 1, 1, 0, 0, 0, 0, time.UTC),
		time.Date(9999, 12, 31, 23, 59, 59, 999999999, time.UTC), time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC),
		time.Date(2024, 2, 29, 9, 5, 0, 0, time.FixedZone("", 5*60*60)),
	}
	for range 10_000 {
		at = append(at, time.Unix(random.Int64N(250_000_000_000)-20_000_000_000, 0))
	}
	for _, at := range at {
		want := at.UTC().Format(`"02-01-2006 15:04"`)
		if got := string(body.Append(nil, &Data{User: core.User{CreatedAt: at}})); got != want {
			t.Fatalf("%v: %s, want %s", at, got, want)
		}
	}
}
