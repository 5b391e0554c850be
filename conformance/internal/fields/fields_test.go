package fields_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/authcompat/authcompat/conformance/internal/fields"
	"github.com/authcompat/authcompat/conformance/internal/fields/fieldstest"
	"github.com/authcompat/authcompat/conformance/wire"
)

// TestSecrets finds the secret of each exchange, whatever it stands within.
func TestSecrets(t *testing.T) {
	all := fieldstest.Secrets()
	maps.Copy(all, fieldstest.OddClients())
	for name, e := range all {
		found := slices.Concat(fields.Secrets(e.Request), fields.Answered(e.Response))
		for _, h := range slices.Concat(e.Request.Headers, e.Response.Headers) {
			switch {
			case fields.IsCredentials(h.Name):
				_, credentials := fields.SplitCredentials(h.Value)
				_, password, _ := fields.BasicCredentials(credentials)
				found = append(found, fields.Field{Value: credentials + password})
			case fields.IsCookie(h.Name):
				found = append(found, fields.Field{Value: h.Value})
			}
		}
		if !slices.ContainsFunc(found, func(f fields.Field) bool {
			return strings.Contains(f.Value, "geheim") && !strings.Contains(f.Value, "\uFFFD")
		}) {
			t.Errorf("%s: found %+v", name, found)
		}
	}
}

// TestNames has names of secrets, and names that are none.
func TestNames(t *testing.T) {
	for _, name := range strings.Fields(`password Password1 new_password passwd pass userPass pwd pw pw2 pin kennwort user[password] user%5Bpassword%5D`) {
		if !fields.IsPassword(name) || !fields.IsSecret(name) || fields.IsToken(name) {
			t.Errorf("%s is no name of a password", name)
		}
	}
	for _, name := range strings.Fields(`token accessToken refresh_token access refresh key code api_key apiKey X-Api-Key Authorization oauth auth x_auth authcode secret
		client_secret sessionid JSESSIONID csrftoken jwt otp activation_key backup-codes access_key hash token_hash signature sid credentials`) {
		if !fields.IsToken(name) || !fields.IsSecret(name) || fields.IsPassword(name) {
			t.Errorf("%s is no name of a token", name)
		}
	}
	for _, name := range strings.Fields(`author authors author_id authority username email keys keyword monkey access_level accessible refreshed postcode zip_code codec side spin pink hashtag commit_hash`) {
		if fields.IsSecret(name) {
			t.Errorf("%s is a name of a secret", name)
		}
	}
	for name, want := range map[string]bool{"X-Api-Key": true, "Api-Key": true, "X-Key": true, "X-Auth-Token": true, "X-CSRFToken": true,
		"WWW-Authenticate": false, "Access-Control-Allow-Credentials": false, "Refresh": false, "X-Request-Id": false, "Content-Type": false} {
		if fields.IsSecretHeader(name) != want {
			t.Errorf("header %s: %t, want %t", name, !want, want)
		}
	}
}

// FuzzSecrets reads anything, and finds a password in JSON, a form and lines beside it.
func FuzzSecrets(f *testing.F) {
	f.Add("application/json", []byte(`{"a": [`))
	f.Add("multipart/form-data; boundary=B", []byte("--B\r\nContent-Disposition: form-data; name=\"data\"\r\n\r\n{"))
	f.Add("text/xml", []byte(`<a b="c">&lt;`))
	f.Fuzz(func(t *testing.T, kind string, body []byte) {
		headers := []wire.Header{{Name: "Content-Type", Value: kind}}
		fields.Secrets(wire.Request{Path: "/?" + string(body), Headers: headers, Body: body})
		fields.Answered(wire.Response{Headers: headers, Body: body})
	})
}
