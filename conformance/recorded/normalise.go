package recorded

import (
	"regexp"
	"strings"

	"github.com/authcompat/authcompat/conformance/internal/jsontree"
	"github.com/authcompat/authcompat/conformance/wire"
)

// compared are the headers that a recording keeps.
func compared() []string { return []string{"content-type", "www-authenticate", "allow", "location"} }

// normalise returns a response as a recording has it.
func normalise(r *wire.Response, method string) Response {
	n := Response{Status: r.Status, Headers: map[string]string{}}
	for _, name := range compared() {
		if value, ok := r.Value(name); ok {
			n.Headers[name] = value
		}
	}
	switch {
	case strings.HasPrefix(n.Headers["content-type"], "text/html"):
		n.Body = "<html>"
	case method == "HEAD":
	default:
		n.Body = normaliseBody(strings.ToValidUTF8(string(r.Body), "\uFFFD"))
	}
	return n
}

func normaliseBody(body string) string {
	for _, rule := range []struct{ pattern, with string }{
		{`"[0-9a-f]{64}"`, `"<hex64>"`},
		{`"[0-9a-f]{40}"`, `"<hex40>"`},
		{`"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})?"`, `"<datetime>"`},
		{`"id":( ?)[0-9]+`, `"id":$1<id>`},
	} {
		body = regexp.MustCompile(rule.pattern).ReplaceAllString(body, rule.with)
	}
	return body
}

// findToken returns the token in a response, empty for none.
func findToken(body []byte) string {
	m := regexp.MustCompile(`"token": ?"([0-9a-f]{40,64})"`).FindSubmatch(body)
	if m == nil {
		return ""
	}
	return string(m[1])
}

// sameBody compares bodies byte for byte, or as JSON values with keys in any order.
func sameBody(want, got string, byValue bool) bool {
	if want == "<login>" || want == "<account>" {
		v, err := jsontree.Parse([]byte(got))
		return err == nil && v.Kind == jsontree.Object && (want == "<account>" || hasToken(v))
	}
	if want == got || !byValue {
		return want == got
	}
	w, errWant := jsontree.Parse([]byte(want))
	g, errGot := jsontree.Parse([]byte(got))
	return errWant == nil && errGot == nil && equal(w, g)
}

func hasToken(v jsontree.Value) bool {
	for _, m := range v.Members {
		if m.Key == "token" && strings.HasPrefix(m.Value.Text, "<hex") {
			return true
		}
	}
	return false
}

func equal(a, b jsontree.Value) bool {
	if a.Kind != b.Kind || a.Text != b.Text || len(a.Items) != len(b.Items) || len(a.Members) != len(b.Members) {
		return false
	}
	for i := range a.Items {
		if !equal(a.Items[i], b.Items[i]) {
			return false
		}
	}
	members := map[string]jsontree.Value{}
	for _, m := range a.Members {
		members[m.Key] = m.Value
	}
	for _, m := range b.Members {
		value, ok := members[m.Key]
		if !ok || !equal(value, m.Value) {
			return false
		}
		delete(members, m.Key) // a duplicate key is not found the second time
	}
	return len(members) == 0
}
