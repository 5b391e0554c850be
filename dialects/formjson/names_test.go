package formjson_test

import (
	"testing"

	"github.com/authcompat/authcompat/dialects/internal/apitest"
	"github.com/authcompat/authcompat/store/sqlite/sqlitetest"
)

// TestNames asks whom requests are about: forms are trimmed and normalized.
func TestNames(t *testing.T) {
	const form = "application/x-www-form-urlencoded"
	apitest.RunNames(t, apitest.MustLoad(t, "form-auth"), sqlitetest.MustOpen(t), []apitest.Named{
		{Endpoint: "login", ContentType: form, Body: "username=+Ann&password=secret", Want: "ann"},
		{Endpoint: "login", ContentType: form, Body: "username=x&username=%EF%BD%81nn&password=secret", Want: "ann"}, // full width
		{Endpoint: "login", ContentType: form + "; charset=latin-1", Body: "username=%E4&password=secret", Want: "ä"},
		{Endpoint: "login", ContentType: "multipart/form-data; boundary=b", Body: "--b\r\nContent-Disposition: form-data; name=\"username\"\r\n\r\nann\r\n--b\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\nsecret\r\n--b--\r\n", Want: "ann"},
		{Endpoint: "login", ContentType: "application/json", Body: `{"username": "ann", "password": "secret"}`},
		{Endpoint: "login", ContentType: form, Body: "password=secret"},
		{Endpoint: "login", ContentType: "multipart/form-data", Body: "x"},
		{Endpoint: "login", ContentType: form, Body: "username=bob", Method: "GET", Token: true, Want: "ann"},
		{Endpoint: "signup", ContentType: form, Body: "username=ANN", Want: "ann"},
		{Endpoint: "signup", ContentType: form, Body: "username=+B%EF%BD%8Fb+", Want: "Bob"},
		{Endpoint: "logout", Token: true, Body: "username=bob", Want: "ann"},
	})
}
