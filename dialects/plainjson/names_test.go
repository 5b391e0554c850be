package plainjson_test

import (
	"testing"

	"github.com/authcompat/authcompat/dialects/internal/apitest"
	"github.com/authcompat/authcompat/store/sqlite/sqlitetest"
)

// TestNames asks whom requests are about: bodies are JSON in any of Unicode's encodings,
// whatever they say that they are, and nothing is trimmed.
func TestNames(t *testing.T) {
	const text = "text/plain"
	apitest.RunNames(t, apitest.MustLoad(t, "authtokens"), sqlitetest.MustOpen(t), []apitest.Named{
		{Endpoint: "login", ContentType: text, Body: `{"username": "aNn", "password": "secret"}`, Want: "ann"},
		{Endpoint: "login", ContentType: text, Body: `{"username": "x", "password": "secret", "username": "ann"}`, Want: "ann"},
		{Endpoint: "login", ContentType: text, Body: "\xff\xfe{\x00\"\x00u\x00s\x00e\x00r\x00n\x00a\x00m\x00e\x00\"\x00:\x00\"\x00a\x00n\x00n\x00\"\x00,\x00\"\x00p\x00a\x00s\x00s\x00w\x00o\x00r\x00d\x00\"\x00:\x00\"\x00s\x00e\x00c\x00r\x00e\x00t\x00\"\x00}\x00", Want: "ann"},
		{Endpoint: "login", ContentType: text, Body: `{"username": " ann", "password": "secret"}`, Want: " ann"},
		{Endpoint: "login", ContentType: text, Body: `{"username": 1, "password": "secret"}`},
		{Endpoint: "login", ContentType: text, Body: `{"password": "secret"}`},
		{Endpoint: "login", ContentType: text, Body: `"ann"`},
		{Endpoint: "login", ContentType: text, Body: `{`},
		{Endpoint: "login", ContentType: text},
		{Endpoint: "login", ContentType: text, Body: `{"username": "bob"}`, Method: "OPTIONS", Token: true, Want: "ann"},
		{Endpoint: "register", ContentType: text, Body: `{"username": "ANN"}`, Want: "ann"},
		{Endpoint: "register", ContentType: text, Body: `{"username": "Bob"}`, Want: "Bob"},
		{Endpoint: "logout", Token: true, Body: `{"username": "bob"}`, Want: "ann"},
		{Endpoint: "logout"},
	})
}
