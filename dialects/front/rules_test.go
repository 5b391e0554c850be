package front_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/authcompat/authcompat/dialects/front"
)

// TestRules asks for paths under rules, ambiguous ones among them.
func TestRules(t *testing.T) {
	app := &recorder{answer: ok}
	rules := front.NewRules([]front.Rule{{"/public/", front.Pass}, {"/pages/", front.Checked}, {"/private/", front.Needed}, {"/exact", front.Needed}, {"/gone/", front.Refuse}, {"/caf\u00e9/", front.Needed}})
	strict := front.NewRules([]front.Rule{{"/private/", front.Needed}})
	application := serveConns(t, app.serve)
	for _, test := range []struct {
		rules           front.Rules
		target          string
		none, bad, good int
	}{
		{rules, "/", 200, 200, 200},
		{rules, "/public/x", 200, 200, 200},
		{rules, "/pages/x", 200, 401, 200},
		{rules, "/private/", 401, 401, 200},
		{rules, "/private", 200, 200, 200},
		{rules, "/pr%69vate/x", 401, 401, 200},
		{rules, "/caf%C3%A9/", 401, 401, 200},
		{rules, "/exact?x=/public/", 401, 401, 200},
		{rules, "/exact/", 200, 200, 200},
		{rules, "/gone/x", 404, 404, 404},
		{rules, "/public//x", 404, 404, 404}, // the strictest of all
		{strict, "/public/../private/", 401, 401, 200},
		{strict, "//private/", 401, 401, 200},
		{strict, "/x%2f..%2fprivate/", 401, 401, 200},
		{strict, "/x;/private/", 401, 401, 200},
		{strict, "/x\\..\\private/", 401, 401, 200},
		{strict, "/x%5cprivate/", 401, 401, 200},
		{strict, "/private%00/", 401, 401, 200},
		{strict, "/private%0a", 401, 401, 200},
		{strict, "/%2e%2e/private/", 401, 401, 200},
		{strict, "/x%2fy", 401, 401, 200},
		{strict, "/x%25", 401, 401, 200},
		{strict, "/x%3f", 401, 401, 200},
		{strict, "/x%23", 401, 401, 200},
		{strict, "/x%3b", 401, 401, 200},
		{strict, "/x%ff", 401, 401, 200},
		{strict, "/x#y", 401, 401, 200},
		{strict, "http://x/public/", 401, 401, 200},
		{strict, "*", 401, 401, 200},
		{strict, "/x%20y", 200, 200, 200},
	} {
		address := start(t, &gate{}, front.Options{Old: front.Application{URL: application}, Rules: test.rules})
		for token, want := range map[string]int{"": test.none, "Authorization: Token bad\r\n": test.bad, "Authorization: Token good\r\n": test.good} {
			answer := exchange(t, address, "GET "+test.target+" HTTP/1.1\r\nHost: x\r\n"+token+"Connection: close\r\n\r\n")
			if !strings.HasPrefix(answer, fmt.Sprintf("HTTP/1.1 %d ", want)) {
				t.Errorf("%s with %q: %q, want %d", test.target, token, answer, want)
			}
			if want == 200 && !strings.HasPrefix(app.last(), "GET "+test.target+" ") {
				t.Errorf("%s: the application got %q", test.target, app.last())
			}
		}
	}
}

// TestCheckRules names what is wrong with rules.
func TestCheckRules(t *testing.T) {
	got := front.CheckRules([]front.Rule{
		{"/a/", front.Pass}, {"/a/b", front.Needed}, {"/a/", front.Pass}, {"a", front.Pass}, {"/x//y", front.Pass},
		{"/x/../y", front.Pass}, {"/x%41", front.Pass}, {"/x?y", front.Pass}, {"/b", front.Pass}, {"/b/", front.Pass},
	})
	var indexes []int
	for _, p := range got {
		indexes = append(indexes, p.Index)
	}
	if d := cmp.Diff([]int{1, 2, 3, 4, 5, 6, 7}, indexes); d != "" {
		t.Errorf("%v (-want +got):\n%s", got, d)
	}
	if want := "/a/b (needed) contradicts /a/ (pass), which comes first"; got[0].Text != want || got[0].Other != 0 {
		t.Errorf("%v", got[0])
	}
}
