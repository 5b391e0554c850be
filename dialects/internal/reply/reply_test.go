package reply

import (
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/dialects/internal/pyjson"
	"github.com/authcompat/authcompat/profiles"
)

func value(name profiles.ValueName, f profiles.Format) profiles.Template {
	return profiles.Template{Kind: profiles.TemplateValue, Value: profiles.Value{Name: name, Format: f}}
}

func attribute(name string, f profiles.Format) profiles.Template {
	return profiles.Template{Kind: profiles.TemplateValue, Value: profiles.Value{Name: profiles.UserAttribute, Attribute: name, Format: f}}
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
	text := profiles.Template{Kind: profiles.TemplateText, Parts: []profiles.Part{
		{Literal: `"<`}, {Value: profiles.Value{Name: profiles.UserUsername}}, {Literal: "/"},
		{Value: profiles.Value{Name: profiles.UserEmail, Format: profiles.FormatGravatar}},
		{Literal: "/"}, {Value: profiles.Value{Name: profiles.TokenExpiry}}, {Literal: "/"}, {Value: profiles.Value{Name: profiles.UserID}},
	}}
	object := profiles.Template{Kind: profiles.TemplateObject, Members: []profiles.Member{
		{Key: "b", Value: value(profiles.TokenKey, "")},
		{Key: "a", Value: profiles.Template{Kind: profiles.TemplateList, Items: []profiles.Template{
			{Kind: profiles.TemplateLiteral, Literal: nil}, {Kind: profiles.TemplateLiteral, Literal: true},
			{Kind: profiles.TemplateLiteral, Literal: int64(3)}, {Kind: profiles.TemplateLiteral, Literal: "é"},
		}}},
	}}
	tests := []struct {
		name            string
		template        profiles.Template
		compact, spaced string
	}{
		{"object", object, `{"b":"abc","a":[null,true,3,"é"]}`, `{"b": "abc", "a": [null, true, 3, "\u00e9"]}`},
		{"text", text,
			`"\"<jürgen/c1184fefac22e49bbf59e3775ef6e9dd/2014-10-13T21:04:31.171234Z/7"`,
			`"\"<j\u00fcrgen/c1184fefac22e49bbf59e3775ef6e9dd/2014-10-13T21:04:31.171234Z/7"`},
		{"microseconds", value(profiles.TokenExpiry, profiles.FormatMicroseconds), `"2014-10-13T21:04:31.171234Z"`, `"2014-10-13T21:04:31.171234Z"`},
		{"milliseconds", value(profiles.TokenExpiry, profiles.FormatMilliseconds), `"2014-10-13T21:04:31.171Z"`, `"2014-10-13T21:04:31.171Z"`},
		{"no fraction", value(profiles.UserCreated, profiles.FormatMilliseconds), `"2014-06-16T20:51:09Z"`, `"2014-06-16T20:51:09Z"`},
		{"day, month, year", value(profiles.UserCreated, profiles.FormatDayMonthYear), `"16-06-2014 20:51"`, `"16-06-2014 20:51"`},
		{"integer", attribute("followers", profiles.FormatInteger), `12`, `12`},
		{"no integer", attribute("bad", profiles.FormatInteger), `0`, `0`},
		{"absent", attribute("none", ""), `""`, `""`},
		{"message", value(profiles.ErrorMessage, ""), `"a \"quote\"\u2028"`, `"a \"quote\"\u2028"`},
		{"status", value(profiles.ErrorStatus, ""), `401`, `401`},
		{"errors", value(profiles.FieldErrors, ""), `{"username":["taken"]}`, `{"username": ["taken"]}`},
	}
	for _, tt := range tests {
		if got := string(Compile(tt.template, pyjson.Compact()).Append(nil, &data)); got != tt.compact {
			t.Errorf("%s, compact:\n got %s\nwant %s", tt.name, got, tt.compact)
		}
		if got := string(Compile(tt.template, pyjson.Spaced()).Append(nil, &data)); got != tt.spaced {
			t.Errorf("%s, spaced:\n got %s\nwant %s", tt.name, got, tt.spaced)
		}
	}
	never := Compile(value(profiles.TokenExpiry, ""), pyjson.Compact())
	if got := string(never.Append(nil, &Data{})); got != "null" {
		t.Errorf("never expires: %s", got)
	}
}
