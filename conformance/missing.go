package conformance

import (
	"fmt"
)

// missing says what an exchange needs that the server cannot give; empty if it can be replayed.
func (p *profileRun) missing(e *Exchange, server *Server) string {
	if server.State != nil {
		return ""
	}
	if e.ours != "" {
		return "only authcompat answers so: " + e.ours
	}
	for _, s := range e.steps {
		if s.advance > 0 {
			return "the clock of a running server cannot be moved"
		}
	}
	var there []user
	for _, u := range e.users {
		switch {
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
	return p.notShared(e, there)
}

// notShared says why the one given user cannot stand for the users of an exchange.
func (p *profileRun) notShared(e *Exchange, there []user) string {
	switch {
	case p.options.User == "":
		return "the API has no way to make a user, and none is given"
	case len(there) > 1:
		return fmt.Sprintf("%d users are needed, and one is given", len(there))
	case there[0].own:
		return "a user of its own is needed, and a shared one is given"
	case e.refersTo(there[0].name, "email"):
		return "the address of the given user is not known"
	}
	return ""
}

// refersTo says whether any template of the exchange names the field of the user.
func (e *Exchange) refersTo(name, field string) bool {
	found := false
	look := func(t template) {
		for _, part := range t.parts {
			if part.reference != nil {
				leaf := part.reference.leaf()
				found = found || leaf.user == name && leaf.field == field
			}
		}
	}
	for _, s := range e.steps {
		s.eachTemplate(func(_ string, t template) { look(t) })
	}
	return found
}

// eachTemplate calls f with every template of the step, in order, and the key it stands under.
func (s step) eachTemplate(f func(key string, t template)) {
	f("request.path", s.request.path)
	for _, h := range s.request.headers {
		f("request.headers."+h.name, h.value)
	}
	s.request.body.each(func(t template) { f("request", t) })
	for _, h := range s.answer.headers {
		for _, v := range h.values {
			f("answer.headers."+h.name, v)
		}
	}
	if s.answer.body.text != nil {
		f("answer.body", *s.answer.body.text)
	}
	if s.answer.body.json != nil {
		s.answer.body.json.each(func(t template) { f("answer.json", t) })
	}
}
