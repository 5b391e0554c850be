package adopt

import (
	"encoding/binary"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/authcompat/authcompat/profiles"
	"github.com/authcompat/authcompat/profiles/template"
)

func numbered(n int) (d digest) {
	binary.BigEndian.PutUint64(d[:], uint64(n))
	return d
}

// TestMemoryIsBounded remembers no more tokens than there is room for, and no bad one drives
// a good one out.
func TestMemoryIsBounded(t *testing.T) {
	now := time.Now()
	m := newTokens(func() time.Time { return now })
	say := func(n int, good bool) {
		if _, c, mine := m.recall(numbered(n)); mine {
			m.settle(numbered(n), c, now, verdict{good: good}, nil)
		}
	}
	say(-1, true)
	for n := range maxBad + 1000 {
		say(n, false)
	}
	if v, _, _ := m.recall(numbered(-1)); !v.good {
		t.Error("the good one is forgotten")
	}
	if len(m.bad.values) != maxBad || m.bad.order.Len() != maxBad || len(m.calls) != 0 {
		t.Errorf("%d bad ones, %d calls", len(m.bad.values), len(m.calls))
	}
	for n := range maxGood + 10 {
		say(1<<32+n, true)
		m.learn(numbered(n), "ann")
	}
	if len(m.good.values) != maxGood || len(m.owners.values) != maxOwned {
		t.Errorf("%d good ones, %d owners", len(m.good.values), len(m.owners.values))
	}
}

// TestShownAt finds where a probe shows whose the token is, and trusts no path that names a user.
func TestShownAt(t *testing.T) {
	for _, test := range []struct {
		profile, path, body, want string
	}{
		{"authtokens", "/me/", `{"username": "ann"}`, "ann"},
		{"authtokens", "/me/", `{"user": {"username": "ann"}}`, ""},
		{"authtokens", "/me/", `[]`, ""},
		{"authtokens", "/me/", `{"username": 1}`, ""},
		{"authtokens", "/me/", `<html>`, ""},
		{"ocd-users", "/me/", `{"username": "ann"}`, ""},
		{"snippit", "/me/", `{"username": "ann", "user": {"username": "bob"}}`, "ann"},
		{"snippit", "/me/", `{"user": {"username": "ann"}}`, "ann"},
		{"snippit", "/api/account/bob/", `{"username": "bob"}`, ""},
		{"snippit", "/api/account/bob", `{"username": "bob"}`, ""},
	} {
		p, err := profiles.Load(test.profile)
		if err != nil {
			t.Fatal(err)
		}
		if got := usernameAt(shownAt(p, &url.URL{Path: test.path}), []byte(test.body)); got != test.want {
			t.Errorf("%s %s %s: %q, want %q", test.profile, test.path, test.body, got, test.want)
		}
	}
}

// TestReadReply reads replies that have the shape of a template, and no others.
func TestReadReply(t *testing.T) {
	value := func(name template.ValueName, f template.Format) template.Template {
		return template.Template{Kind: template.KindValue, Value: template.Value{Name: name, Format: f, Attribute: "a"}}
	}
	object := func(t template.Template) *template.Template {
		return &template.Template{Kind: template.KindObject, Members: []template.Member{{Key: "x", Value: t}}}
	}
	literal := func(v any) template.Template {
		return template.Template{Kind: template.KindLiteral, Literal: v}
	}
	text := template.Template{Kind: template.KindText, Parts: []template.Part{{Literal: "Token "}, {Value: template.Value{Name: template.TokenKey}}, {Literal: "!"}}}
	for i, test := range []struct {
		template *template.Template
		body     string
		ok       bool
		token    string
	}{
		{nil, "", true, ""},
		{nil, "x", false, ""},
		{object(value(template.TokenKey, "")), `{"x": "abc"}`, true, "abc"},
		{object(value(template.TokenKey, "")), `{"x": "a b"}`, false, ""},
		{object(value(template.TokenKey, "")), `{"x": "ä"}`, false, ""},
		{object(value(template.TokenKey, "")), `{"x": 1}`, false, ""},
		{object(value(template.TokenKey, "")), `{"y": "abc"}`, false, ""},
		{object(value(template.TokenKey, "")), `{"x": "abc", "y": 1}`, false, ""},
		{object(value(template.TokenKey, "")), `[{"x": "abc"}]`, false, ""},
		{object(text), `{"x": "Token abc!"}`, true, "abc"},
		{object(text), `{"x": "abc!"}`, false, ""},
		{object(text), `{"x": "Token !"}`, false, ""},
		{object(value(template.UserID, "")), `{"x": 7}`, true, ""},
		{object(value(template.UserID, "")), `{"x": "7"}`, false, ""},
		{object(value(template.UserUsername, "")), `{"x": ""}`, false, ""},
		{object(value(template.TokenExpiry, "")), `{"x": null}`, true, ""},
		{object(value(template.TokenExpiry, "")), `{"x": 1}`, false, ""},
		{object(value(template.UserAttribute, "")), `{"x": 1}`, false, ""},
		{object(value(template.UserAttribute, template.FormatInteger)), `{"x": 1}`, true, ""},
		{object(literal(true)), `{"x": true}`, true, ""},
		{object(literal(true)), `{"x": 1}`, false, ""},
		{object(literal(int64(1))), `{"x": 1}`, true, ""},
		{object(literal(nil)), `{"x": null}`, true, ""},
		{object(template.Template{Kind: template.KindObject}), `{"x": {}}`, true, ""},
		{object(template.Template{Kind: template.KindObject}), `{"x": {"y": 1}}`, false, ""},
		{&template.Template{Kind: template.KindList, Items: []template.Template{value(template.TokenKey, "")}}, `["abc"]`, true, "abc"},
		{&template.Template{Kind: template.KindList, Items: []template.Template{value(template.TokenKey, "")}}, `["abc", 1]`, false, ""},
	} {
		if got, ok := readReply(test.template, []byte(test.body)); ok != test.ok || ok && got.token != test.token {
			t.Errorf("%d: %s: %+v, %t", i, test.body, got, ok)
		}
	}
}

// TestNearest takes of an X-Forwarded-For what the nearest proxies have written.
func TestNearest(t *testing.T) {
	long := strings.Repeat("x", 300)
	for i, test := range []struct {
		values []string
		want   string
	}{
		{nil, ""}, {[]string{"192.0.2.1"}, "192.0.2.1"}, {[]string{"192.0.2.1, 192.0.2.2", "192.0.2.3"}, "192.0.2.1, 192.0.2.2,192.0.2.3"},
		{[]string{long}, ""}, {[]string{long + ", 192.0.2.1, 192.0.2.2"}, "192.0.2.1, 192.0.2.2"}, {[]string{"\xe4, 192.0.2.1"}, "192.0.2.1"},
	} {
		if got := nearest(test.values); got != test.want {
			t.Errorf("%d: %q, want %q", i, got, test.want)
		}
	}
}
