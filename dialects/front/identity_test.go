package front_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/authcompat/authcompat/dialects/front"
	"github.com/authcompat/authcompat/dialects/identity"
)

// TestIdentity tells the application whose token was checked, and nothing that the client
// says of that, whoever it is.
func TestIdentity(t *testing.T) {
	keys, err := identity.ParseKeys("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Unix(1764470400, 0)
	app := &recorder{answer: ok}
	rules := front.NewRules([]front.Rule{{Path: "/open/", Token: front.Pass}, {Path: "/pages/", Token: front.Checked}, {Path: "/", Token: front.Needed}})
	everybody := func(netip.Addr) bool { return true }
	options := func(i *front.Identity) front.Options {
		return front.Options{Old: front.Application{URL: serveConns(t, app.serve)}, Rules: rules, Trusted: everybody, Identity: i}
	}
	clock := func() time.Time { return now }
	keep, drop, off := start(t, &gate{}, options(&front.Identity{Keys: keys, Now: clock})), start(t, &gate{}, options(&front.Identity{Keys: keys, DropAuthorization: true, Now: clock})), start(t, &gate{}, options(nil))
	const good = "Authorization: Token good\r\n"
	for name, test := range map[string]struct {
		address, path, headers    string
		identified, authorization bool
	}{
		"needed":                        {keep, "/x", good, true, true},
		"checked":                       {keep, "/pages/", good, true, true},
		"checked, without a token":      {keep, "/pages/", "", false, false},
		"passed":                        {keep, "/open/", good, false, true},
		"ambiguous, with the strictest": {keep, "/open//", good, true, true},
		"dropped":                       {drop, "/x", good, true, false},
		"nobody's":                      {drop, "/x", "Authorization: Token nobodys\r\n", false, true},
		"not dropped where it passes":   {drop, "/open/", good, false, true},
		"no identities":                 {off, "/x", good, false, true},
		"another by the client":         {keep, "/x", good + "X-Authcompat-Identity: v1;id=1\r\nx_authcompat.identity: 2\r\nREMOTE-USER: root\r\nX-Authcompat-Identity2: 3\r\nX-AuthCompat-Identity: 4\r\n", true, true},
		"the same, passed":              {keep, "/open/", "X-Authcompat-Identity: v1;id=1\r\nX_Authcompat_Identity: 2\r\nRemote_User: root\r\n", false, false},
		"the same, without identities":  {off, "/open/", "X-Authcompat-Identity: v1;id=1\r\nX_Authcompat_Identity: 2\r\nRemote_User: root\r\n", false, false},
		"ours as hop-by-hop":            {keep, "/x", good + "Connection: close, X-Authcompat-Identity, Authorization-X\r\nX-Authcompat-Identity: 1\r\n", true, true},
	} {
		request := "GET " + test.path + " HTTP/1.1\r\nHost: x\r\n" + test.headers
		if !strings.Contains(test.headers, "Connection:") {
			request += "Connection: close\r\n"
		}
		if answer := exchange(t, test.address, request+"\r\n"); !strings.HasPrefix(answer, "HTTP/1.1 200 ") {
			t.Errorf("%s: %q", name, answer)
			continue
		}
		var about []string
		for line := range strings.SplitSeq(app.last(), "\r\n") {
			if field, _, ok := strings.Cut(line, ":"); ok && identity.Reserved(field) {
				about = append(about, line)
			}
		}
		want := "X-Authcompat-Identity: " + identity.Sign(keys, identity.Identity{UserID: 7, Name: "ann", Time: now})
		if !test.identified && len(about) > 0 || test.identified && (len(about) != 1 || about[0] != want) {
			t.Errorf("%s: %q", name, about)
		}
		if got := strings.Contains(app.last(), "Authorization: Token "); got != test.authorization {
			t.Errorf("%s: Authorization is there: %t", name, got)
		}
	}
	exchange(t, keep, "POST /open/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum, X-Authcompat-Identity, Remote_User\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 1\r\nX-Authcompat-Identity: v1\r\nRemote_User: root\r\nRemote-User: root\r\n\r\n")
	if head := strings.ToLower(app.last()); strings.Contains(head, "trailer") || strings.Contains(head, "authcompat") || strings.Contains(head, "remote") {
		t.Errorf("trailers: %q", head)
	}
}
