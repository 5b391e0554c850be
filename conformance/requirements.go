package conformance

import (
	"fmt"

	"github.com/authcompat/authcompat/conformance/internal/template"
)

// unmetRequirement returns what an exchange needs that the server cannot give, empty if it can be
// replayed.
func (p *profileRun) unmetRequirement(e *Exchange, server *Server) string {
	if e.notReplayable != "" {
		return e.notReplayable
	}
	for _, v := range e.variables {
		if p.options.Variables[v.name] == "" {
			return "${" + v.name + "} is not given: " + v.why
		}
	}
	if server.State != nil {
		return ""
	}
	if e.authcompatOnly != "" {
		return "only authcompat answers so: " + e.authcompatOnly
	}
	for _, s := range e.steps {
		if s.advance > 0 {
			return "the clock of a running server cannot be moved"
		}
		if s.link != nil || s.emailKey != nil {
			return "the mails of a running server cannot be read"
		}
	}
	var there []user
	for _, u := range e.users {
		_, given := p.options.Users[u.name]
		switch {
		case given && !u.isNew:
		case u.inactive:
			return "an inactive user cannot be made through the API"
		case u.attributes != nil:
			return "a user's attributes cannot be set through the API"
		case !u.isNew:
			there = append(there, u)
		}
	}
	if len(there) == 0 || p.file.createUser != nil {
		return ""
	}
	return p.unmetBySharedUser(e, there)
}

// unmetBySharedUser returns why the one given user cannot be that of the exchange, empty if it can.
func (p *profileRun) unmetBySharedUser(e *Exchange, there []user) string {
	switch {
	case p.options.User == "":
		return there[0].name + " is not given (--given, --user), and the exchange file has no way to make users"
	case len(there) > 1:
		return fmt.Sprintf("%d users are needed, and one is given", len(there))
	case there[0].dedicated:
		return "a dedicated user is needed, and a shared one is given"
	case e.refersTo(there[0].name, "email"):
		return "the address of the given user is not known"
	}
	return ""
}

// refersTo reports whether any template of the exchange refers to the field of the user.
func (e *Exchange) refersTo(name, field string) bool {
	found := false
	look := func(t template.Template) {
		for _, part := range t.Parts {
			if part.Reference != nil {
				leaf := part.Reference.Leaf()
				found = found || leaf.User == name && leaf.Field == field
			}
		}
	}
	for _, s := range e.steps {
		s.eachTemplate(func(_ string, t template.Template) { look(t) })
	}
	return found
}

// eachTemplate calls f with every template of the step, in order, and the key it is the value of.
func (s step) eachTemplate(f func(key string, t template.Template)) {
	s.eachRequestTemplate(f)
	for _, h := range s.response.headers {
		for _, v := range h.values {
			f("response.headers."+h.name, v)
		}
	}
	if s.response.body.text != nil {
		f("response.body", *s.response.body.text)
	}
	if s.response.body.json != nil {
		s.response.body.json.Each(func(t template.Template) { f("response.json", t) })
	}
}

// eachRequestTemplate is eachTemplate for those of the request.
func (s step) eachRequestTemplate(f func(key string, t template.Template)) {
	f("request.path", s.request.path)
	for _, h := range s.request.headers {
		f("request.headers."+h.name, h.value)
	}
	s.request.body.each(func(t template.Template) { f("request", t) })
}
