package conformance

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/authcompat/authcompat/conformance/internal/template"
	"github.com/authcompat/authcompat/profiles/yamlfile"
)

// checkNames checks that the names of exchanges are unique, and that every reference and every
// "not NAME" is defined by a user or an earlier step.
func (f *File) checkNames(r *yamlfile.Reader) {
	names := map[string]bool{}
	for i, e := range f.Exchanges {
		key := fmt.Sprintf("exchanges[%d]", i)
		if names[e.Name] {
			r.Add(e.Position, key+".name", "%q is the name of an earlier exchange", e.Name)
		}
		names[e.Name] = true
		f.checkUsernames(r, key, e)
		d := defined{users: e.users, captures: map[string]bool{}}
		for _, v := range e.variables {
			d.captures[v.name] = true
		}
		for k, s := range e.steps {
			checkStep(r, fmt.Sprintf("%s.steps[%d]", key, k), s, d)
		}
	}
	if f.createUser != nil {
		one := user{name: "user", username: "u", password: "p", email: "e"}
		checkStep(r, "create_user", *f.createUser, defined{users: []user{one}, captures: map[string]bool{}})
	}
}

// checkUsernames checks that the suffix that makes a name unique fits into the maximal length.
func (f *File) checkUsernames(r *yamlfile.Reader, key string, e Exchange) {
	for _, u := range e.users {
		if room := f.usernameMax - suffixLength; u.length == 0 && utf8.RuneCountInString(u.username) > room {
			r.Add(u.position, key+".users."+u.name, "the username has over %d characters: no room for what makes it unique", room)
		}
	}
}

// defined is what references can name at some point of an exchange.
type defined struct {
	users    []user
	captures map[string]bool
}

func checkStep(r *yamlfile.Reader, key string, s step, d defined) {
	captured := map[string]bool{}
	if s.link != nil {
		d.checkMail(r, key+".link", s, s.link.user, s.link.uid, s.link.token)
	}
	if s.emailKey != nil {
		d.checkMail(r, key+".email_key", s, s.emailKey.user, s.emailKey.key)
	}
	s.eachTemplate(func(at string, t template.Template) {
		for _, text := range d.check(at, t, captured) {
			r.Add(s.position, key+"."+at, "%s", text)
		}
	})
	for name := range captured {
		d.captures[name] = true
	}
}

// checkMail checks whose mail it is, and adds what is captured of it: the step's own request has it already.
func (d defined) checkMail(r *yamlfile.Reader, key string, s step, whose string, captured ...string) {
	switch i := slices.IndexFunc(d.users, func(u user) bool { return u.name == whose }); {
	case i < 0:
		r.Add(s.position, key+".user", "there is no user %s", whose)
	case d.users[i].isNew:
		r.Add(s.position, key+".user", "user %s does not exist when the exchange begins", whose)
	}
	for _, name := range captured {
		if d.captures[name] {
			r.Add(s.position, key, "%s is captured already", name)
		}
		d.captures[name] = true
	}
}

// check returns what the template names without a definition, and adds what it captures.
func (d defined) check(at string, t template.Template, captured map[string]bool) []string {
	var problems []string
	for _, part := range t.Parts {
		switch {
		case part.Reference != nil:
			leaf := part.Reference.Leaf()
			if text := d.checkReference(leaf); text != "" {
				problems = append(problems, text)
			}
			if leaf.Field == "password" && strings.HasPrefix(at, "response") {
				problems = append(problems, "a password does not belong in a response")
			}
		case part.Placeholder != nil:
			for _, name := range part.Placeholder.Not {
				if !d.captures[name] {
					problems = append(problems, fmt.Sprintf("no earlier step captures %s", name))
				}
			}
			name := part.Placeholder.Capture
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

func (d defined) checkReference(r *template.Reference) string {
	switch {
	case r.Capture != "" && !d.captures[r.Capture]:
		return fmt.Sprintf("no earlier step captures %s", r.Capture)
	case r.User == "":
		return ""
	}
	for _, u := range d.users {
		if u.name != r.User {
			continue
		}
		if r.Field == "password" && u.password == "" || r.Field == "email" && u.email == "" {
			return fmt.Sprintf("user %s has no %s", u.name, r.Field)
		}
		return ""
	}
	return fmt.Sprintf("there is no user %s", r.User)
}

func (b body) each(f func(template.Template)) {
	if b.text != nil {
		f(*b.text)
	}
	if b.json != nil {
		b.json.Each(f)
	}
	for _, pair := range b.form {
		f(pair.value)
	}
}
