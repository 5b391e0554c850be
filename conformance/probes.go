package conformance

import (
	"slices"

	"github.com/authcompat/authcompat/conformance/internal/template"
)

// The requests of a file by which Look looks.

// maxProbes is how many requests probe sends at most.
const maxProbes = 3

// probes returns requests that need no user. They go to where users register or log in, if there are
// such, which hardly another API has at the same path; and a response that says that nothing is there
// is documented of none of them.
func (f *File) probes() []step {
	var doors, others []step
	atDoor := map[string]bool{}
	if f.createUser != nil {
		atDoor[f.createUser.endpoint()] = true
	}
	for _, e := range f.Exchanges {
		for _, s := range e.steps {
			if s.response.status/100 == 2 && s.namesUser() {
				atDoor[s.endpoint()] = true
			}
		}
	}
	for _, e := range f.Exchanges {
		s := e.steps[0]
		switch {
		case e.authcompatOnly != "" || s.advance > 0 || s.response.status == 404 || s.namesUser():
		case atDoor[s.endpoint()]:
			doors = append(doors, s)
		default:
			others = append(others, s)
		}
	}
	if len(doors) == 0 {
		doors = others
	}
	return doors[:min(maxProbes, len(doors))]
}

// sharedLogin returns the first request that logs in with the name and password of a user, for whom a
// given one can stand.
func (f *File) sharedLogin() (name string, login step, ok bool) {
	for _, e := range f.Exchanges {
		s := e.steps[0]
		for _, u := range e.users {
			asGiven := !u.isNew && !u.inactive && !u.dedicated && u.attributes == nil && !e.refersTo(u.name, "email")
			if asGiven && s.response.status/100 == 2 && s.sendsPassword(u.name) {
				return u.name, s, true
			}
		}
	}
	return "", step{}, false
}

// loginOf returns the first request that logs in with the name and password of a user, and that needs
// nothing else that a run is given.
func (f *File) loginOf(name string) (login step, ok bool) {
	for _, e := range f.Exchanges {
		s := e.steps[0]
		isThere := slices.ContainsFunc(e.users, func(u user) bool { return u.name == name && !u.isNew })
		if isThere && e.notReplayable == "" && len(e.variables) == 0 && s.response.status/100 == 2 && s.sendsPassword(name) && s.namesOnly(name) {
			return s, true
		}
	}
	return step{}, false
}

// endpoint is what a request goes to, as it is written in the file.
func (s step) endpoint() string { return s.request.method + " " + s.request.path.Source }

// namesUser reports whether the request has the name, password or address of a user in it.
func (s step) namesUser() bool {
	found := false
	s.eachRequestTemplate(func(_ string, t template.Template) {
		found = found || slices.ContainsFunc(t.Parts, func(p template.Part) bool { return p.Reference != nil && p.Reference.Leaf().User != "" })
	})
	return found
}

// namesOnly reports whether neither the request nor the documented response refers to another user.
func (s step) namesOnly(name string) bool {
	only := true
	s.eachTemplate(func(_ string, t template.Template) {
		only = only && !slices.ContainsFunc(t.Parts, func(p template.Part) bool {
			return p.Reference != nil && p.Reference.Leaf().User != "" && p.Reference.Leaf().User != name
		})
	})
	return only
}

// sendsPassword reports whether the request sends the user's password as it is: alone in a field, or as
// HTTP Basic does.
func (s step) sendsPassword(name string) bool {
	found := false
	s.eachRequestTemplate(func(key string, t template.Template) {
		for _, part := range t.Parts {
			isPassword := part.Reference != nil && part.Reference.User == name && part.Reference.Field == "password"
			found = found || isPassword && (len(t.Parts) == 1 || key == "request.headers.Authorization")
		}
	})
	return found
}
