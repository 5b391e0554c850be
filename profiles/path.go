package profiles

import (
	"strings"

	"github.com/authcompat/authcompat/profiles/internal/yamlvalue"
)

// The variables of a path: whole segments.
const (
	usernameVariable = "{username}" // any segment
	idVariable       = "{id}"       // a segment without a dot, as of REST framework's routers
)

// path reads the path of an endpoint: the characters that RFC 3986 allows without
// percent-encoding, and a variable as a segment where the action is about one user.
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
		case segment == usernameVariable || segment == idVariable:
			variables++
		case strings.ContainsAny(segment, "{}"):
			reason = "the only variables of a path are {username} and {id}, whole segments"
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
	case variables > 0 && !a.rule().named:
		v.Refuse("only the path of an account has {username} or {id}")
	case variables > 1:
		v.Refuse("a path has {username} or {id} once")
	default:
		return s, true
	}
	return "", false
}

func notInPath(c rune) bool {
	return !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune("-._~!$&'()*+,;=:@", c))
}

// slash reads how the path without its trailing slash is answered.
func (p *Profile) slash(m *yamlvalue.Map, e, first *Endpoint) {
	e.TrailingSlash = p.TrailingSlash
	if first != nil {
		e.TrailingSlash = first.TrailingSlash
	}
	yamlvalue.Optional(m, "trailing_slash", &e.TrailingSlash, slashRule)
	if v, _ := m.Get("trailing_slash"); first != nil && e.TrailingSlash != first.TrailingSlash {
		contradicts(v, first)
	}
}

// slashRule reads a TrailingSlash.
func slashRule(v yamlvalue.Value) (TrailingSlash, bool) {
	return yamlvalue.Word(SlashExact, SlashRedirect, SlashOptional)(v)
}

// firstOf gives the first endpoint that has a path; nil: none has it.
func (p *Profile) firstOf(path string, endpoints []Endpoint) *Endpoint {
	for i := range endpoints {
		if endpoints[i].Path == path && path != "" {
			return &endpoints[i]
		}
	}
	return nil
}

// reachable checks that requests for an endpoint reach it, and not one before it.
func (p *Profile) reachable(m *yamlvalue.Map, e Endpoint, before []Endpoint) {
	at, _ := m.Get("path")
	for _, b := range before {
		if b.Path == "" || e.Path == "" {
			continue // reported where they were read
		}
		if b.Path == e.Path {
			if p.shares(m, b, e) {
				continue
			}
			return
		}
		if reason := hides(b, e); reason != "" {
			at.Refuse("%s", reason)
			return
		}
	}
}

// shares checks that an endpoint can be a view together with one before it.
func (p *Profile) shares(m *yamlvalue.Map, before, e Endpoint) bool {
	at, _ := m.Get("path")
	for _, key := range []string{"method", "methods"} {
		if v, ok := m.Get(key); ok {
			at = v
		}
	}
	for _, method := range e.Methods {
		if before.Takes(method) {
			at.Refuse("%s %s is %s above already", method, e.Path, before.Name)
			return false
		}
	}
	if p.Family == FormJSON && !(isView(p.Family, before.Action) && isView(p.Family, e.Action)) {
		at.Refuse("is the path of %s already, and a form has its path for itself", before.Name)
		return false
	}
	return true
}

// hides says why requests for e never reach it because of an endpoint before it at another
// path, or gives "". Paths are matched in the order of the file, whatever the method.
func hides(before, e Endpoint) string {
	for _, a := range before.forms() {
		for _, b := range e.forms() {
			if a == b {
				return "is the path of " + before.Name + " already"
			}
			if matches(strings.Split(a, "/"), strings.Split(b, "/")) {
				return "is matched by the path of " + before.Name + " above; put this endpoint first"
			}
		}
	}
	return ""
}

// forms gives the paths that an endpoint answers.
func (e Endpoint) forms() []string {
	if without, ok := strings.CutSuffix(e.Path, "/"); ok && e.TrailingSlash == SlashOptional {
		return []string{e.Path, without}
	}
	return []string{e.Path}
}

// matches tells whether the segments of a path stand for all that those of another do, or, where
// both have a variable, for nearly all.
func matches(first, second []string) bool {
	if len(first) != len(second) {
		return false
	}
	for i, segment := range first {
		other := second[i]
		variable := other == usernameVariable || other == idVariable
		switch {
		case segment == other:
		case segment == usernameVariable && other != "":
		case segment == idVariable && (variable || other != "" && !strings.Contains(other, ".")):
		default:
			return false
		}
	}
	return true
}
