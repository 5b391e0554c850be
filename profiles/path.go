package profiles

import (
	"strings"

	"github.com/authcompat/authcompat/profiles/internal/yamlvalue"
)

// usernameVariable is the one variable of a path.
const usernameVariable = "{username}"

// path reads the path of an endpoint: the characters that RFC 3986 allows without
// percent-encoding, and {username} as a segment in the path of an account.
func (a Action) path(v yamlvalue.Value) (string, bool) {
	s, ok := yamlvalue.Text(v)
	if !ok {
		return "", false
	}
	segments := strings.Split(s, "/")
	variables := 0
	for i, segment := range segments {
		reason := ""
		switch {
		case segment == usernameVariable:
			variables++
		case strings.ContainsAny(segment, "{}"):
			reason = "the only variable of a path is {username}, a whole segment"
		case strings.ContainsAny(segment, "?#"):
			reason = "a path has no query and no fragment"
		case segment == "." || segment == "..":
			reason = "a path has no . and .. segments, which clients take out"
		case i > 0 && i < len(segments)-1 && segment == "":
			reason = "a path has no empty segments (//)"
		case strings.ContainsFunc(segment, notInPath):
			reason = "a path is ASCII letters, digits and -._~!$&'()*+,;=:@ between slashes"
		}
		if reason != "" {
			v.Refuse("%s", reason)
			return "", false
		}
	}
	switch {
	case !strings.HasPrefix(s, "/"):
		v.Refuse("a path starts with a slash")
	case variables > 0 && !a.oneOf(Account):
		v.Refuse("only the path of an account has {username}")
	case variables != 1 && a == Account:
		v.Refuse("the path of an account has {username} once")
	default:
		return s, true
	}
	return "", false
}

func notInPath(c rune) bool {
	return !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune("-._~!$&'()*+,;=:@", c))
}

// hides says why requests for e never reach it because of an endpoint before it, or
// gives "". Paths are matched in the order of the file, whatever the method.
func (p *Profile) hides(before, e Endpoint) string {
	if before.Path == "" || e.Path == "" {
		return "" // reported where they were read
	}
	a, b := before.Path, e.Path
	if p.TrailingSlash == SlashOptional {
		a, b = strings.TrimSuffix(a, "/"), strings.TrimSuffix(b, "/")
	}
	if a == b {
		return "is the path of " + before.Name + " already"
	}
	first, second := strings.Split(a, "/"), strings.Split(b, "/")
	if len(first) != len(second) {
		return ""
	}
	for i, segment := range first {
		if segment != second[i] && (segment != usernameVariable || second[i] == "") {
			return ""
		}
	}
	return "is matched by the path of " + before.Name + " above; put this endpoint first"
}
