package conformance

import (
	"time"
	"unicode/utf8"

	"github.com/authcompat/authcompat/conformance/internal/template"
)

func loadExchange(v value) Exchange {
	e := Exchange{Position: v.Position}
	v.mapping(
		field{name: "name", required: true, read: func(v value) { e.Name = v.filled() }},
		field{name: "source", required: true, read: func(v value) { e.Source = v.filled() }},
		field{name: "authcompat_only", read: func(v value) { e.authcompatOnly = v.filled() }},
		field{name: "ours", now: "authcompat_only", read: func(v value) { e.authcompatOnly = v.filled() }},
		field{name: "not_replayable", read: func(v value) { e.notReplayable = v.filled() }},
		field{name: "variables", read: func(v value) {
			for entry := range v.entries() {
				if !template.IsName(entry.Name) {
					entry.Refuse("is no name: want small letters, digits and underscores")
				}
				e.variables = append(e.variables, variable{name: entry.Name, why: value{entry.Value}.filled()})
			}
		}},
		field{name: "users", read: func(v value) {
			for entry := range v.entries() {
				if !template.IsName(entry.Name) {
					entry.Refuse("is no name: want small letters, digits and underscores")
				}
				e.users = append(e.users, loadUser(entry.Name, value{entry.Value}))
			}
		}},
		field{name: "steps", required: true, read: func(v value) {
			for _, step := range v.items() {
				e.steps = append(e.steps, loadStep(step, true))
			}
			if len(e.steps) == 0 {
				v.Refuse("want one step or more")
			}
		}},
	)
	return e
}

func loadUser(name string, v value) user {
	u := user{name: name, username: name, position: v.Position}
	v.mapping(
		field{name: "username", read: func(v value) { u.username = v.filled() }},
		field{name: "length", read: func(v value) { u.length = v.number(suffixLength+1, 1000) }},
		field{name: "password", read: func(v value) { u.password = v.userPassword() }},
		field{name: "email", read: func(v value) { u.email = v.filled() }},
		field{name: "inactive", read: func(v value) { u.inactive = v.yes() }},
		field{name: "new", read: func(v value) { u.isNew = v.yes() }},
		field{name: "dedicated", read: func(v value) { u.dedicated = v.yes() }},
		field{name: "own", now: "dedicated", read: func(v value) { u.dedicated = v.yes() }},
		field{name: "attributes", read: func(v value) {
			u.attributes = map[string]string{}
			for e := range v.entries() {
				u.attributes[e.Name] = value{e.Value}.text()
			}
		}},
	)
	if u.isNew && (u.inactive || u.attributes != nil || u.dedicated) {
		v.Refuse("a user that is new has only a username, length, password and email")
	}
	if !u.isNew && u.password == "" {
		v.Refuse("a user that is there before the exchange has a password")
	}
	if u.length > 0 && utf8.RuneCountInString(u.username) > u.length {
		v.Refuse("the username is longer than its length")
	}
	return u
}

// userPassword reads a password. It may use repeat(…) and bytes(…), but refer to nothing.
func (v value) userPassword() string {
	t := v.template(false)
	for _, part := range t.Parts {
		if part.Reference != nil && !part.Reference.IsFunction() {
			v.Refuse("only repeat(…) and bytes(…) can stand in a password")
		}
	}
	return t.Expand(&template.Scope{})
}

func loadStep(v value, moves bool) step {
	s := step{position: v.Position}
	fields := []field{
		{name: "request", required: true, read: func(v value) { s.request = loadRequest(v) }},
		{name: "response", required: true, read: func(v value) { s.response = loadResponse(v) }},
		{name: "answer", now: "response", read: func(v value) { s.response = loadResponse(v) }},
	}
	if moves {
		fields = append(fields,
			field{name: "advance", read: func(v value) { s.advance = v.span() }},
			field{name: "link", read: func(v value) { s.link = loadLink(v) }},
			field{name: "email_key", read: func(v value) { s.emailKey = loadEmailKey(v) }})
	}
	v.mapping(fields...)
	return s
}

func loadLink(v value) *link {
	var l link
	v.mapping(
		field{name: "user", required: true, read: nameInto(&l.user)},
		field{name: "uid", required: true, read: nameInto(&l.uid)},
		field{name: "token", required: true, read: nameInto(&l.token)},
	)
	if l.user == "" || l.uid == "" || l.token == "" {
		return nil // which is a problem by now
	}
	return &l
}

func loadEmailKey(v value) *emailKey {
	var k emailKey
	v.mapping(
		field{name: "user", required: true, read: nameInto(&k.user)},
		field{name: "key", required: true, read: nameInto(&k.key)},
	)
	if k.user == "" || k.key == "" {
		return nil // which is a problem by now
	}
	return &k
}

// nameInto reads a name.
func nameInto(into *string) func(value) {
	return func(v value) {
		if *into = v.filled(); *into != "" && !template.IsName(*into) {
			v.Refuse("is no name: want small letters, digits and underscores")
		}
	}
}

func (v value) span() time.Duration {
	span, err := template.ParseDuration(v.text())
	if err != nil {
		v.Refuse("%v", err)
	}
	return span
}
