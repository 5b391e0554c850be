package record_test

import (
	"strings"
	"testing"

	"github.com/authcompat/authcompat/conformance/internal/fields/fieldstest"
	"github.com/authcompat/authcompat/conformance/record"
)

// TestSecretsOfOddClients has bodies as clients send them that are no longer maintained, and addresses in headers: what is
// secret there must not be in the file, whether the exchange is or not.
func TestSecretsOfOddClients(t *testing.T) {
	good := call("POST", "/login", `{"username":"ann","password":"an0ther w0rd"}`, 200, `{"ok": true}`, "Content-Type", "application/json")
	for name, e := range fieldstest.OddClients() {
		bad := record.Call{Request: e.Request, Response: e.Response}
		t.Run(name, func(t *testing.T) {
			for _, calls := range [][]record.Call{{good, bad}, {bad, good}} {
				text, summary := written(t, calls...)
				if summary.Exchanges != 2 {
					t.Errorf("%+v", summary)
				}
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
