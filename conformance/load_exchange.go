package conformance

import (
	"time"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"github.com/authcompat/authcompat/conformance/internal/template"
)

func (l *loader) loadExchange(key string, n *yaml.Node) Exchange {
	e := Exchange{Position: l.position(n)}
	l.mapping(key, n,
		field{name: "name", required: true, read: func(key string, n *yaml.Node) { e.Name = l.filled(key, n) }},
		field{name: "source", required: true, read: func(key string, n *yaml.Node) { e.Source = l.filled(key, n) }},
		field{name: "authcompat_only", read: func(key string, n *yaml.Node) { e.authcompatOnly = l.filled(key, n) }},
		field{name: "ours", now: "authcompat_only", read: func(key string, n *yaml.Node) { e.authcompatOnly = l.filled(key, n) }},
		field{name: "users", read: func(key string, n *yaml.Node) {
			l.entries(key, n, func(name, at string, k, v *yaml.Node) {
				if !template.IsName(name) {
					l.problem(k, at, "is no name: want small letters, digits and underscores")
				}
				e.users = append(e.users, l.loadUser(name, at, v))
			})
		}},
		field{name: "steps", required: true, read: func(key string, n *yaml.Node) {
			l.items(key, n, func(at string, item *yaml.Node) { e.steps = append(e.steps, l.loadStep(at, item, true)) })
			if len(e.steps) == 0 {
				l.problem(n, key, "want one step or more")
			}
		}},
	)
	return e
}

func (l *loader) loadUser(name, key string, n *yaml.Node) user {
	u := user{name: name, username: name, position: l.position(n)}
	l.mapping(key, n,
		field{name: "username", read: func(key string, n *yaml.Node) { u.username = l.filled(key, n) }},
		field{name: "length", read: func(key string, n *yaml.Node) { u.length = l.number(key, n, suffixLength+1, 1000) }},
		field{name: "password", read: func(key string, n *yaml.Node) { u.password = l.userPassword(key, n) }},
		field{name: "email", read: func(key string, n *yaml.Node) { u.email = l.filled(key, n) }},
		field{name: "inactive", read: func(key string, n *yaml.Node) { u.inactive = l.yes(key, n) }},
		field{name: "new", read: func(key string, n *yaml.Node) { u.isNew = l.yes(key, n) }},
		field{name: "dedicated", read: func(key string, n *yaml.Node) { u.dedicated = l.yes(key, n) }},
		field{name: "own", now: "dedicated", read: func(key string, n *yaml.Node) { u.dedicated = l.yes(key, n) }},
		field{name: "attributes", read: func(key string, n *yaml.Node) {
			u.attributes = map[string]string{}
			l.entries(key, n, func(name, at string, _, v *yaml.Node) { u.attributes[name] = l.text(at, v) })
		}},
	)
	if u.isNew && (u.inactive || u.attributes != nil || u.dedicated) {
		l.problem(n, key, "a user that is new has only a username, length, password and email")
	}
	if !u.isNew && u.password == "" {
		l.problem(n, key, "a user that is there before the exchange has a password")
	}
	if u.length > 0 && utf8.RuneCountInString(u.username) > u.length {
		l.problem(n, key, "the username is longer than its length")
	}
	return u
}

// userPassword reads a password. It may use repeat(…) and bytes(…), but refer to nothing.
func (l *loader) userPassword(key string, n *yaml.Node) string {
	t := l.template(key, n, false)
	for _, part := range t.Parts {
		if part.Reference != nil && !part.Reference.IsFunction() {
			l.problem(n, key, "only repeat(…) and bytes(…) can stand in a password")
		}
	}
	return t.Expand(&template.Scope{})
}

func (l *loader) loadStep(key string, n *yaml.Node, moves bool) step {
	s := step{position: l.position(n)}
	fields := []field{
		{name: "request", required: true, read: func(key string, n *yaml.Node) { s.request = l.loadRequest(key, n) }},
		{name: "response", required: true, read: func(key string, n *yaml.Node) { s.response = l.loadResponse(key, n) }},
		{name: "answer", now: "response", read: func(key string, n *yaml.Node) { s.response = l.loadResponse(key, n) }},
	}
	if moves {
		fields = append(fields, field{name: "advance", read: func(key string, n *yaml.Node) { s.advance = l.span(key, n) }})
	}
	l.mapping(key, n, fields...)
	return s
}

func (l *loader) span(key string, n *yaml.Node) time.Duration {
	span, err := template.ParseDuration(l.text(key, n))
	if err != nil {
		l.problem(n, key, "%v", err)
	}
	return span
}
