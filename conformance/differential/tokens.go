package differential

import (
	"regexp"
	"strconv"
	"strings"
)

// tokens are the tokens that the two servers have issued. The generator refers to a pair of them by
// number; each server gets its own.
type tokens struct{ reference, subject []string }

// tokenChanges are ways to change a token.
func tokenChanges() []string {
	return []string{"upper", "upper-tail", "cut", "longer", "first-8", "non-hex"}
}

// tokenUse is how a header refers to a token: {{N}} or {{N change}}.
var tokenUse = regexp.MustCompile(`\{\{([0-9]+)(?: ([a-z0-9-]+))?\}\}`)

// fill returns a header's value for each of the servers.
func (t *tokens) fill(value string) (reference, subject string) {
	reference, subject = value, value
	for _, m := range tokenUse.FindAllStringSubmatch(value, -1) {
		n, err := strconv.Atoi(m[1])
		if err != nil || n >= len(t.reference) {
			continue // not a reference
		}
		g, o := change(m[2], t.reference[n], t.subject[n])
		reference = strings.ReplaceAll(reference, m[0], g)
		subject = strings.ReplaceAll(subject, m[0], o)
	}
	return reference, subject
}

// keyLength is how much of a token knox looks up as text.
const keyLength = 8

// change changes both tokens in the same way.
func change(kind, reference, subject string) (string, string) {
	both := func(f func(string) string) (string, string) { return f(reference), f(subject) }
	switch kind {
	case "upper":
		// Upper case changes a token only if it has letters: both have to change.
		if !strings.ContainsAny(reference[:keyLength], "abcdef") || !strings.ContainsAny(subject[:keyLength], "abcdef") {
			return both(func(s string) string { return "X" + s[1:] })
		}
		return both(strings.ToUpper)
	case "upper-tail":
		return both(func(s string) string { return s[:keyLength] + strings.ToUpper(s[keyLength:]) })
	case "cut":
		return both(func(s string) string { return s[:len(s)-1] })
	case "longer":
		return both(func(s string) string { return s + "ab" })
	case "first-8":
		return both(func(s string) string { return s[:keyLength] })
	case "non-hex":
		return both(func(s string) string { return s[:len(s)-1] + "g" })
	}
	return reference, subject
}

// tokenGiven matches the token in a response.
var tokenGiven = regexp.MustCompile(`token": ?"([0-9a-f]{40,64})"`)

// issued returns the token in a response, empty for none.
func issued(body []byte) string {
	m := tokenGiven.FindSubmatch(body)
	if m == nil {
		return ""
	}
	return string(m[1])
}
