package record_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/authcompat/authcompat/conformance/internal/fields/fieldstest"
	"github.com/authcompat/authcompat/conformance/record"
)

// TestSecretsWithinOthers has secrets that stand within something else. None must be in the file.
func TestSecretsWithinOthers(t *testing.T) {
	good := call("POST", "/login", `{"username":"ann","password":"an0ther w0rd"}`, 200, `{"ok": true}`, "Content-Type", "application/json")
	all := fieldstest.Secrets()
	maps.Copy(all, fieldstest.Unnamed())
	for name, e := range all {
		bad := record.Call{Request: e.Request, Response: e.Response}
		t.Run(name, func(t *testing.T) {
			for _, calls := range [][]record.Call{{good, bad}, {bad, good}} {
				text, _ := written(t, calls...)
				for _, part := range []string{"geheim", "Stra"} {
					if at := strings.Index(text, part); at >= 0 {
						t.Errorf("%q is left: …%s", part, text[max(0, at-120):min(len(text), at+60)])
					}
				}
				if !strings.Contains(text, "POST /login 200") {
					t.Error("the other exchange is not written")
				}
			}
		})
	}
}

// TestWhatIsNoSecretWithinOthers has what stands beside secrets, and has to stay as it was recorded.
func TestWhatIsNoSecretWithinOthers(t *testing.T) {
	for want, c := range map[string]record.Call{
		`next: "/items?page=2&sort=name"`: call("POST", "/x", "next=%2Fitems%3Fpage%3D2%26sort%3Dname&password=an0ther+w0rd", 200, `{}`, "Content-Type", "application/x-www-form-urlencoded"),
		`<city>Berlin, Mitte</city>`:      call("POST", "/x", "<a><city>Berlin, Mitte</city><password>an0ther w0rd</password></a>", 200, `{}`, "Content-Type", "application/xml"),
		`[\"This field is required.\"]`:   call("POST", "/x", `{"a":1}`, 400, `{"password":["This field is required."],"token":["Not a token."]}`, "Content-Type", "application/json"),
		`\"active\": true`:                call("POST", "/x", `{"a":1}`, 200, `{"active": true, "next": "/x?token=true"}`, "Content-Type", "application/json"),
	} {
		if text, _ := written(t, c); !strings.Contains(text, want) || strings.Contains(text, "w0rd") {
			t.Errorf("want %s in:\n%s", want, text)
		}
	}
}

// TestManyShortSecrets has a body with as many secrets as it has lines, of one sender.
func TestManyShortSecrets(t *testing.T) {
	text, _ := written(t, call("POST", "/x", strings.Repeat("password: ab\n", 40_000), 200, `{}`, "Content-Type", "text/plain"))
	if strings.Contains(text, "password: ab") {
		t.Error("a password is left")
	}
}
