package record_test

import (
	"strings"
	"testing"

	"github.com/authcompat/authcompat/conformance/record"
)

// TestSecretsOfOddClients has bodies as clients send them that are no longer maintained, and addresses in headers: what is
// secret there must not be in the file, whether the exchange is or not.
func TestSecretsOfOddClients(t *testing.T) {
	const asJSON, asForm, parts = "application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=B"
	good := call("POST", "/login", `{"username":"ann","password":"an0ther w0rd"}`, 200, `{"ok": true}`, "Content-Type", asJSON)
	for name, bad := range map[string]record.Call{
		"JSON in Latin-1":             call("POST", "/x", "{\"username\": \"ben\", \"password\": \"Stra\xdfe-geheim99\"}", 400, `{}`, "Content-Type", asJSON),
		"JSON in Latin-1, first byte": call("POST", "/x", "{\"username\": \"ben\", \"password\": \"\xe4Stra-geheim99\"}", 400, `{}`, "Content-Type", asJSON),
		"broken JSON in Latin-1":      call("POST", "/x", "{\"username\": \"ben\", \"password\": \"Stra\xdfe-geheim99\"", 400, `{}`, "Content-Type", asJSON),
		"a form in Latin-1":           call("POST", "/x", "username=ben&password=Stra%DFe-geheim99", 200, `{}`, "Content-Type", asForm),
		"a form in Latin-1, small":    call("POST", "/x", "username=ben&password=Stra%dfe-geheim99", 200, `{}`, "Content-Type", asForm),
		"a form of bytes":             call("POST", "/x", "username=ben&password=Stra\xdfe-geheim99", 200, `{}`, "Content-Type", asForm),
		"a query in Latin-1":          call("GET", "/x?password=Stra%DFe-geheim99", "", 200, `{}`),
		"parts in Latin-1":            call("POST", "/x", "--B\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\nStra\xdfe-geheim99\r\n--B--\r\n", 200, `{}`, "Content-Type", parts),
		"parts without an end":        call("POST", "/x", "--B\r\nContent-Disposition: form-data; name=\"username\"\r\n\r\nben\r\n--B\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\nStrasse-geheim99\r\n", 200, `{}`, "Content-Type", parts),
		"parts with a bare end":       call("POST", "/x", "--B\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\nStrasse-geheim99\r\n--B", 200, `{}`, "Content-Type", parts),
		"parts of another boundary":   call("POST", "/x", "--C\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\nStrasse-geheim99\r\n--C--\r\n", 400, `{}`, "Content-Type", parts),
		"parts of no boundary":        call("POST", "/x", "--B\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\nStrasse-geheim99\r\n--B--\r\n", 400, `{}`, "Content-Type", "multipart/form-data"),
		"parts as text":               call("POST", "/x", "--B\r\nContent-Disposition: form-data; name=password\r\n\r\nStrasse-geheim99\r\n--B--\r\n", 400, `{}`, "Content-Type", "text/plain"),
		"parts with bare newlines":    call("POST", "/x", "--B\nContent-Disposition: form-data; name=\"password\"\n\nStrasse-geheim99\n--B--\n", 400, `{}`, "Content-Type", parts),
		"parts, a broken one first":   call("POST", "/x", "--B\r\nbroken\r\n\r\nben\r\n--B\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\nStrasse-geheim99\r\n--B--\r\n", 400, `{}`, "Content-Type", parts),
		"a part of another kind":      call("POST", "/x", "--B\r\nContent-Disposition: x; name=\"password\"\r\n\r\nStrasse-geheim99\r\n--B--\r\n", 200, `{}`, "Content-Type", parts),
		"a file":                      call("POST", "/x", "--B\r\nContent-Disposition: form-data; name=\"password\"; filename=\"f\"\r\n\r\nStrasse-geheim99\r\n--B--\r\n", 400, `{}`, "Content-Type", parts),
		"a referer":                   call("GET", "/x", "", 200, `{}`, "Referer", "https://www.example.org/reset?uid=MQ&token=Strasse-geheim99"),
		"a referer in Latin-1":        call("GET", "/x", "", 200, `{}`, "Referer", "/reset?uid=MQ&token=Stra%DFe-geheim99#top"),
		"a referer's fragment":        call("GET", "/x", "", 200, `{}`, "Referer", "https://www.example.org/#token=Strasse-geheim99&state=1"),
		"a referer's password":        call("GET", "/x", "", 200, `{}`, "Referer", "https://ben:Strasse-geheim99@www.example.org/"),
		"a referer's path":            call("GET", "/x", "", 200, `{}`, "Referer", "https://www.example.org/confirm/MQ/3geheim99-99geheim99geheim99/"),
		"another address":             call("GET", "/x", "", 200, `{}`, "X-Original-Uri", "/x?a=1&api_key=Strasse-geheim99"),
		"a request's last segment":    call("GET", "/confirm/3geheim99-99geheim99geheim99?a=1", "", 200, `{}`),
		"an answer's fragment":        answered(call("GET", "/x", "", 302, `{}`), "Location", "https://www.example.org/#access_token=Strasse-geheim99&state=1"),
		"an answer's relative query":  answered(call("GET", "/x", "", 302, `{}`), "Location", "?token=Strasse-geheim99"),
		"an answer's path":            answered(call("GET", "/x", "", 302, `{}`), "Location", "/confirm/MQ/3geheim99-99geheim99geheim99"),
		"an answer's password":        answered(call("GET", "/x", "", 302, `{}`), "Content-Location", "https://ben:Strasse-geheim99@www.example.org/"),
		"an answer's links":           answered(call("GET", "/x", "", 200, `{}`), "Link", `<https://www.example.org/?a=1>; rel=prev, <https://www.example.org/?token=Strasse-geheim99>; rel=next`),
	} {
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
