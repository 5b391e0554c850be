package conformance

import (
	"context"
	"maps"
	"slices"

	"github.com/authcompat/authcompat/conformance/internal/template"
)

// anyAddress is the e-mail address of a user created through the API if the exchange gives none.
const anyAddress = "conformance@example.com"

// prepare names the users of the exchange and creates those that have to exist. It reports whether
// the exchange can begin.
func (x *replay) prepare(ctx context.Context, e *Exchange) bool {
	for _, v := range e.variables {
		given := x.run.options.Variables[v.name]
		x.scope.Captures[v.name] = given
		x.hidden = append(x.hidden, given)
	}
	for _, missing := range x.nameUsers(e) {
		if !x.create(ctx, missing) {
			return false
		}
	}
	return true
}

// nameUsers names the users of the exchange, and returns those that have to be created.
func (x *replay) nameUsers(e *Exchange) []User {
	names := x.run.names
	if x.server.Isolated {
		names = &naming{}
	}
	var missing []User
	for _, u := range e.users {
		made := User{
			Username: names.username(u), Password: u.password, Email: u.email,
			Inactive: u.inactive, Attributes: maps.Clone(u.attributes),
		}
		shared := !u.isNew && x.server.State == nil && x.run.file.createUser == nil
		if shared {
			made.Username, made.Password = x.run.options.User, x.run.options.Password
		}
		given, isGiven := x.run.options.Users[u.name]
		if isGiven = isGiven && !u.isNew && x.server.State == nil; isGiven {
			made = given
		}
		x.scope.Users[u.name] = made.inTemplates()
		if !shared && !isGiven && !u.isNew {
			missing = append(missing, made)
		}
	}
	return missing
}

func (x *replay) create(ctx context.Context, u User) bool {
	if x.server.State != nil {
		if err := x.server.State.CreateUser(ctx, u); err != nil {
			x.result.Outcome, x.result.Reason = CouldNotRun, "creating a user: "+err.Error()
			return false
		}
		return true
	}
	if u.Email == "" {
		u.Email = anyAddress
	}
	// The exchange cannot refer to what registering captures, but reports must not show it.
	inner := &template.Scope{Users: map[string]template.User{"user": u.inTemplates()}, Captures: map[string]string{}}
	ok := x.step(ctx, 0, *x.run.file.createUser, inner)
	x.hidden = slices.AppendSeq(x.hidden, maps.Values(inner.Captures))
	return ok
}

func (u User) inTemplates() template.User {
	return template.User{Username: u.Username, Password: u.Password, Email: u.Email}
}
