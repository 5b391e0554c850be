package drf_test

import (
	"testing"
	"unicode/utf16"

	"github.com/authcompat/authcompat/dialects/internal/apitest"
	"github.com/authcompat/authcompat/profiles"
	"github.com/authcompat/authcompat/store/sqlite/sqlitetest"
)

const (
	asJSON = "application/json"
	asForm = "application/x-www-form-urlencoded"
)

// utf16le returns a text in UTF-16.
func utf16le(s string) string {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = append(b, byte(u), byte(u>>8))
	}
	return string(b)
}

// TestNames asks whom requests are about, in all the forms that views read.
func TestNames(t *testing.T) {
	const parts = "--b\r\nContent-Disposition: form-data; name=\"username\"\r\n\r\n Ann\r\n--b\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\nsecret\r\n--b--\r\n"
	apitest.RunNames(t, apitest.MustLoad(t, "ocd-users"), sqlitetest.MustOpen(t), []apitest.Named{
		{Endpoint: "login", ContentType: asJSON, Body: `{"username": "ann", "password": "secret"}`, Want: "ann"},
		{Endpoint: "login", ContentType: asJSON, Body: `{"username": "\u0041nN ", "password": "secret"}`, Want: "ann"},
		{Endpoint: "login", ContentType: asJSON, Body: `{"username": "x", "username": "ann", "password": "secret"}`, Want: "ann"},
		{Endpoint: "login", ContentType: asJSON + "; charset=utf-16le", Body: utf16le(`{"username": "ANN", "password": "secret"}`), Want: "ann"},
		{Endpoint: "login", ContentType: asForm, Body: "username=%20a%6e%6E+&password=secret", Want: "ann"},
		{Endpoint: "login", ContentType: asForm, Body: "username=x&password=secret&username=Ann", Want: "ann"},
		{Endpoint: "login", ContentType: "multipart/form-data; boundary=b", Body: parts, Want: "ann"},
		{Endpoint: "login", ContentType: asJSON, Body: `{"username": "BOB", "password": "secret"}`, Want: "bob"},
		{Endpoint: "login", ContentType: asJSON, Body: `{"username": 17, "password": "secret"}`, Want: "17"},
		{Endpoint: "login", ContentType: asJSON, Body: `{"username": "ann\u0000", "password": "secret"}`},
		{Endpoint: "login", ContentType: asJSON, Body: `{"username": "\ud800", "password": "secret"}`},
		{Endpoint: "login", ContentType: asJSON, Body: `{"Username": "ann", "password": "secret"}`},
		{Endpoint: "login", ContentType: asJSON, Body: `{"username": ["ann"], "password": "secret"}`},
		{Endpoint: "login", ContentType: asJSON, Body: `{"username": null}`},
		{Endpoint: "login", ContentType: asJSON, Body: `{"username": " "}`},
		{Endpoint: "login", ContentType: asJSON, Body: `["ann"]`},
		{Endpoint: "login", ContentType: asJSON, Body: `{"username": "ann"`},
		{Endpoint: "login", ContentType: asJSON, Body: `null`},
		{Endpoint: "login", ContentType: asJSON},
		{Endpoint: "login", ContentType: "text/plain", Body: `{"username": "ann", "password": "secret"}`},
		{Endpoint: "login", ContentType: asJSON, Body: `{"username": "bob"}`, Method: "GET"},
		{Endpoint: "login", ContentType: asJSON, Body: `{"username": "bob"}`, Method: "OPTIONS", Token: true, Want: "ann"},
		{Endpoint: "login", ContentType: asJSON, Body: `{"username": "bob"}`, Method: "post", Token: true, Want: "bob"},
		{Endpoint: "register", ContentType: asJSON, Body: `{"username": "Ann"}`, Want: "ann"},      // taken
		{Endpoint: "register", ContentType: asJSON, Body: `{"username": " Bob"}`, Want: "Bob"},     // as it will be stored,
		{Endpoint: "register", ContentType: asJSON, Body: `{"username": "B\uff4fb"}`, Want: "Bob"}, // normalized
		{Endpoint: "logout", Token: true, Body: `{"username": "bob"}`, Want: "ann"},
		{Endpoint: "logout", Body: `{"username": "bob"}`},
		{Endpoint: "logoutall", Token: true, Want: "ann"},
	})
	apitest.RunNames(t, apitest.MustLoad(t, "snippit"), sqlitetest.MustOpen(t), []apitest.Named{
		{Endpoint: "login", ContentType: asForm, Body: "username=Ann&password=secret", Want: "ann"},
		{Endpoint: "login", ContentType: asJSON, Body: `{"username": "ann", "password": "secret"}`, Want: "ann"},
		{Endpoint: "login", ContentType: asForm, Body: "username=+ann&password=secret", Want: " ann"}, // 2.4 trims nothing
		{Endpoint: "login", ContentType: asJSON, Body: `{"username": true}`, Want: "true"},
		{Endpoint: "account", Token: true, Want: "ann"}, // not the one whom the path names
	})
	lower := apitest.MustLoad(t, "knox-auth")
	for i, e := range lower.Endpoints {
		for j, f := range e.Fields {
			lower.Endpoints[i].Fields[j].Lower = f.Role == profiles.RoleUsername
		}
	}
	apitest.RunNames(t, lower, sqlitetest.MustOpen(t), []apitest.Named{
		{Endpoint: "login", ContentType: asJSON, Body: `{"username": "ANN", "password": "secret"}`, Want: "ann"},
		{Endpoint: "login", ContentType: asJSON, Body: `{"username": "ÄB", "password": "secret"}`, Want: "äb"},
	})
}
