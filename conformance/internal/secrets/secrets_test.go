package secrets_test

import (
	"encoding/base64"
	"encoding/json"
	"html"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/authcompat/authcompat/conformance/internal/fields/fieldstest"
	"github.com/authcompat/authcompat/conformance/internal/secrets"
	"github.com/authcompat/authcompat/conformance/wire"
)

const hex40 = "0123456789abcdef0123456789abcdef01234567"

// What is known is hidden wherever it is, and so is what looks like a secret.
func TestText(t *testing.T) {
	s := secrets.New()
	s.Add(secrets.Token, "abcd0123456789abcdef")
	s.Add(secrets.Token, "hidden-token")
	s.Add(secrets.Password, "a password")
	s.Add(secrets.Password, "not a password")
	s.Add(secrets.Password, "password") // an ordinary word, see below
	s.Add(secrets.Password, `é🔑 "&=%'`)
	s.Add(secrets.Password, "ab") // too short for that
	s.Word("password1")
	h := s.Hider(secrets.Ellipsis)
	for text, want := range map[string]string{
		`{"a": "abcd0123456789abcdef"}`:             `{"a": "abcd…"}`,
		"hidden-token":                              "hidd…",
		"Token " + hex40:                            "Token 0123…",
		"Token " + hex40 + hex40[:24]:               "Token 0123…",
		"X" + strings.ToUpper(hex40[4:]) + "ABCDEF": "X4567…",
		"a password, twice: a password":             "…, twice: …",
		"is not a password":                         "is …",
		hex40[:39]:                                  hex40[:39],
		"password and grab":                         "password and grab",
		`é🔑 "&=%'`:                                  "…",
		`{"a":"é🔑 \"&=%'"}`:                         `{"a":"…"}`,
		`{"a": "\u00e9\ud83d\udd11 \"&=%'"}`:        `{"a": "…"}`,
		"a=%C3%A9%F0%9F%94%91+%22%26%3D%25%27":      "a=…",
		"/%c3%a9%f0%9f%94%91%20%22%26%3d%25%27/":    "/…/",
		"a=%25C3%25A9%25F0%259F%2594%2591%2B%2522%2526%253D%2525%2527":                    "a=…",
		"<p>é🔑 &#34;&amp;=%&#39;":                                                         "<p>…",
		`{"a": "<p>é🔑 \u0026#34;\u0026amp;=%\u0026#39;"}`:                                 `{"a": "<p>…"}`,
		"<p>é🔑 &#34;&amp;=%&#x27;":                                                        "<p>…",
		"hex 612070617373776f7264":                                                        "hex …",
		"pbkdf2_sha256$600000$c2FsdA$aGFzaGhhc2hoYXNoaGFzaA==, md5$salt$0123456789abcdef": "…, …",
		"argon2$argon2id$v=19$m=102400,t=2,p=8$c2FsdA$aGFzaGhhc2g; !":                     "…; !",
		"$2b$12$abcdefghijklmnopqrstuv and $6$salt$aaaaaaaaaaaa/":                         "… and …",
		"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl":                               "eyJh…",
		"at $.a it differs; at $.user.name[0] it differs":                                 "at $.a it differs; at $.user.name[0] it differs",
		"nothing": "nothing",
	} {
		if got := h.Text(text); got != want {
			t.Errorf("%q is shown as %q, want %q", text, got, want)
		}
	}
}

// In base64 a secret has three forms, by what comes before it.
func TestBase64(t *testing.T) {
	s := secrets.New()
	s.Add(secrets.Password, "correct horse>>>???")
	h := s.Hider(secrets.Ellipsis)
	for _, before := range []string{"", "u:", "me:", "anna:"} {
		for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.RawURLEncoding} {
			text := encoding.EncodeToString([]byte(before + "correct horse>>>???" + ";"))
			got := h.Text(text)
			if !strings.Contains(got, "…") {
				t.Errorf("after %q: %q is shown as it is", before, text)
			}
			if left := strings.ReplaceAll(got, "…", ""); len(left) > 12 {
				t.Errorf("after %q: %q is left", before, left)
			}
		}
	}
}

// What is in the places for secrets is hidden there, and then everywhere.
func TestPlaces(t *testing.T) {
	s := secrets.New()
	request := wire.Request{
		Method: "POST", Path: "/a?token=tok%65n-in-a-query&page=2",
		Headers: []wire.Header{
			{Name: "Authorization", Value: "Basic " + base64.StdEncoding.EncodeToString([]byte("anna:of basic"))},
			{Name: "cookie", Value: "sessionid=session-value; theme=dark"},
			{Name: "X-Api-Key", Value: "a-key-of-an-api"},
		},
		Body: []byte(`{"username": "anna", "password": "p\"w 1", "new_password1" : 98765, "re_password": "", "key": "k", "broken_secret": "unended`),
	}
	s.Request(request)
	s.Request(wire.Request{Headers: []wire.Header{{Name: "Authorization", Value: "Bearer opaque.value"}}, Body: []byte("username=anna&password=p%26w+2&page=1")})
	response := &wire.Response{
		Headers: []wire.Header{{Name: "Set-Cookie", Value: "csrftoken=csrf-value-1; Path=/; HttpOnly"}},
		Body:    []byte(`{"auth_token":"made-up-by-the-server","password":["This field is required."],"token":"This field is required."}`),
	}
	s.Response(response)
	h := s.Hider(secrets.Ellipsis)
	for _, test := range []struct{ got, want string }{
		{h.Request(request.Path), "/a?token=…&page=2"},
		{h.Request(string(request.Body)), `{"username": "anna", "password": "…", "new_password1" : …, "re_password": "", "key": "…", "broken_secret": "…"`},
		{h.Request("username=anna&password=x&page=1"), "username=anna&password=…&page=1"},
		{h.Header(request.Headers[0]), "Basic …"},
		{h.Header(request.Headers[1]), "sessionid=…; theme=…"},
		{h.Header(request.Headers[2]), "a-ke…"},
		{h.Header(wire.Header{Name: "Authorization", Value: "Token short"}), "Token …"},
		{h.Header(wire.Header{Name: "Authorization", Value: "Token"}), "Token"},
		{h.Header(wire.Header{Name: "Authorization", Value: "Basic" + hex40}), "Basic012…"},
		{h.Header(wire.Header{Name: "Authorization", Value: "notascheme"}), "…"},
		{h.Header(wire.Header{Name: "Cookie", Value: ""}), ""},
		{h.Header(response.Headers[0]), "csrftoken=…; Path=/; HttpOnly"},
		{h.Header(wire.Header{Name: "WWW-Authenticate", Value: `Basic realm="api"`}), `Basic realm="api"`},
		{h.Response(string(response.Body)), `{"auth_token":"made…","password":["This field is required."],"token":"This field is required."}`},
		{h.Text(`p"w 1, of basic, session-value, csrf-value-1, opaque.value, p&w 2, token-in-a-query, 98765`), "…, …, …, …, opaq…, …, toke…, …"},
	} {
		if test.got != test.want {
			t.Errorf("shown as %q, want %q", test.got, test.want)
		}
	}
}

// Whatever a request has, nothing of its password is left, and what is ordinary stays.
func FuzzRequest(f *testing.F) {
	f.Add("correct horse", "x")
	f.Add(`"\`, "\xff&password=")
	f.Fuzz(func(t *testing.T, password, around string) {
		s := secrets.New()
		s.Add(secrets.Password, password)
		got := s.Hider(secrets.Ellipsis).Request(around + password + around)
		if len(password) >= 3 && !strings.Contains("…", password) && strings.Contains(strings.ReplaceAll(got, "…", "\x01\x02\x03"), password) {
			t.Errorf("%q is in %q", password, got)
		}
	})
}

// TestRepeatedPasswords has answers that repeat a request whose password has characters at which nobody can tell whether it
// ends there: no part of it is left.
func TestRepeatedPasswords(t *testing.T) {
	for _, password := range []string{"correct horse battery", "Sommer&Sonne<3 geheim", `it's"me"2024\geheim`, "äöü geheim", "a;b=c'geheim"} {
		s := secrets.New()
		s.Add(secrets.Password, password)
		h := s.Hider(secrets.Ellipsis)
		inJSON := func(v any) string {
			raw, err := json.Marshal(v)
			if err != nil {
				t.Fatal(err)
			}
			return string(raw)
		}
		body := inJSON(map[string]string{"username": "ann", "password": password})
		plain := `{"username": "ann", "password": "` + password + `"}`
		for name, answer := range map[string]string{
			"its own": body, "in a string": inJSON(map[string]string{"raw": body}), "plain, in a string": inJSON(map[string]string{"raw": plain}), "in HTML": html.EscapeString(body), "plain": plain,
			"a form": "username=ann&password=" + url.QueryEscape(password), "a form in a string": inJSON("username=ann&password=" + url.QueryEscape(password)), "a decoded form": inJSON("username=ann&password=" + password),
		} {
			hidden := h.Response(answer)
			for _, part := range []string{"horse", "battery", "geheim", "2024", "Sonne"} {
				if strings.Contains(hidden, part) {
					t.Errorf("%q, %s: %s", password, name, hidden)
					break
				}
			}
		}
	}
}

// TestTokensOfAnswers has tokens that servers show behind a word, and in addresses of headers.
func TestTokensOfAnswers(t *testing.T) {
	const token = "Zq7Leak-kLmNoPqRsTuV.wX"
	for name, r := range map[string]wire.Response{
		"behind a word":            {Body: []byte(`{"token": "Bearer ` + token + `"}`)},
		"behind a word, no spaces": {Body: []byte(`{"access":"JWT ` + token + `","token":"This field is required."}`)},
		"in a fragment":            {Headers: []wire.Header{{Name: "Location", Value: "https://app.example/#access_token=" + token + "&state=1"}}},
		"in a query":               {Headers: []wire.Header{{Name: "Refresh", Value: "0; url=/x?a=1;session=" + token}}},
		"in a parameter":           {Headers: []wire.Header{{Name: "Location", Value: "/login?next=%2Fx%3Ftoken%3D" + token}}},
		"in a link":                {Headers: []wire.Header{{Name: "Link", Value: "<?token=" + token + ">; rel=next"}}},
	} {
		s := secrets.New()
		s.Response(&r)
		h := s.Hider(secrets.Ellipsis)
		shown := h.Response(string(r.Body)) + h.Response(`{"again": "`+token+`"}`)
		for _, header := range r.Headers {
			shown += h.Header(header)
		}
		if strings.Contains(shown, "kLmNoPq") {
			t.Errorf("%s: %s", name, shown)
		}
		if strings.Contains(string(r.Body), "This field") && !strings.Contains(shown, "This field is required.") {
			t.Errorf("%s: a sentence is hidden: %s", name, shown)
		}
	}
}

// TestSecretsWithinOthers shows all of exchanges with secrets that stand within something else, and what repeats them.
func TestSecretsWithinOthers(t *testing.T) {
	all := fieldstest.Secrets()
	maps.Copy(all, fieldstest.OddClients())
	for name, e := range all {
		s := secrets.New()
		s.Request(e.Request)
		s.Response(&e.Response)
		h := s.Hider(func(secrets.Kind, string) string { return "…" })
		shown := []string{h.Request(e.Request.Path), h.Request(string(e.Request.Body)), h.Response(string(e.Response.Body)), h.Text(string(e.Request.Body))}
		for _, header := range slices.Concat(e.Request.Headers, e.Response.Headers) {
			shown = append(shown, h.Header(header))
		}
		for _, text := range shown {
			if strings.Contains(text, "geheim") || strings.Contains(text, "Stra") {
				t.Errorf("%s: %s", name, text)
			}
		}
	}
}
