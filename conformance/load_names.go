package conformance

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// checkNames sees to it that every exchange has a name of its own, and that every reference and
// every "not NAME" is defined by a user or by an earlier step.
func (l *loader) checkNames(f *File) {
	names := map[string]bool{}
	for i, e := range f.Exchanges {
		key := fmt.Sprintf("exchanges[%d]", i)
		if names[e.Name] {
			l.problems = append(l.problems, Problem{e.Position, key + ".name", fmt.Sprintf("%q is the name of an earlier exchange", e.Name)})
		}
		names[e.Name] = true
		l.checkUsernames(key, f, e)
		d := defined{users: e.users, captures: map[string]bool{}}
		for k, s := range e.steps {
			l.checkStep(fmt.Sprintf("%s.steps[%d]", key, k), s, d)
		}
	}
	if f.createUser != nil {
		one := user{name: "user", username: "u", password: "p", email: "e"}
		l.checkStep("create_user", *f.createUser, defined{users: []user{one}, captures: map[string]bool{}})
	}
}

// checkUsernames leaves room for the suffix that makes a name unique to a run.
func (l *loader) checkUsernames(key string, f *File, e Exchange) {
	for _, u := range e.users {
		if room := f.usernameMax - suffixLength; u.length == 0 && utf8.RuneCountInString(u.username) > room {
			l.problems = append(l.problems, Problem{u.position, key + ".users." + u.name,
				fmt.Sprintf("the username has over %d characters: no room for what makes it unique", room)})
		}
	}
}

// defined is what references may name at some place of an exchange.
type defined struct {
	users    []user
	captures map[string]bool
}

func (l *loader) checkStep(key string, s step, d defined) {
	captured := map[string]bool{}
	s.eachTemplate(func(at string, t template) {
		for _, text := range d.check(at, t, captured) {
			l.problems = append(l.problems, Problem{s.position, key + "." + at, text})
		}
	})
	for name := range captured {
		d.captures[name] = true
	}
}

// check returns what the template names without a definition, and adds what it captures.
func (d defined) check(at string, t template, captured map[string]bool) []string {
	var problems []string
	for _, part := range t.parts {
		switch {
		case part.reference != nil:
			leaf := part.reference.leaf()
			if text := d.checkReference(leaf); text != "" {
				problems = append(problems, text)
			}
			if leaf.field == "password" && strings.HasPrefix(at, "response") {
				problems = append(problems, "a password does not belong into a response")
			}
		case part.placeholder != nil:
			for _, name := range part.placeholder.not {
				if !d.captures[name] {
					problems = append(problems, fmt.Sprintf("no earlier step captures %s", name))
				}
			}
			name := part.placeholder.capture
			if name == "" {
				continue
			}
			if d.captures[name] || captured[name] {
				problems = append(problems, fmt.Sprintf("%s is captured already", name))
			}
			captured[name] = true
		}
	}
	return problems
}

func (d defined) checkReference(r *reference) string {
	switch {
	case r.capture != "" && !d.captures[r.capture]:
		return fmt.Sprintf("no earlier step captures %s", r.capture)
	case r.user == "":
		return ""
	}
	for _, u := range d.users {
		if u.name != r.user {
			continue
		}
		if r.field == "password" && u.password == "" || r.field == "email" && u.email == "" {
			return fmt.Sprintf("user %s has no %s", u.name, r.field)
		}
		return ""
	}
	return fmt.Sprintf("there is no user %s", r.user)
}

func (b body) each(f func(template)) {
	if b.text != nil {
		f(*b.text)
	}
	if b.json != nil {
		b.json.each(f)
	}
	for _, pair := range b.form {
		f(pair.value)
	}
}

func (w jsonWant) each(f func(template)) {
	f(w.string)
	for _, item := range w.items {
		item.each(f)
	}
	for _, member := range w.members {
		member.value.each(f)
	}
}
