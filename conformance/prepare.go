package conformance

import (
	"context"
	"maps"
	"slices"

	"github.com/authcompat/authcompat/conformance/internal/template"
)

// anyAddress is the e-mail address of a user made through the API where the exchange does not care.
const anyAddress = "conformance@example.com"

// prepare gives every user of the exchange a name and makes those who have to be there. It returns
// whether the exchange can begin.
func (x *replay) prepare(ctx context.Context, e *Exchange) bool {
	names := x.run.names
	if x.server.Isolated {
		names = &naming{}
	}
	for _, u := range e.users {
		made := User{
			Username: names.username(u), Password: u.password, Email: u.email,
			Inactive: u.inactive, Attributes: maps.Clone(u.attributes),
		}
		shared := !u.isNew && x.server.State == nil && x.run.file.createUser == nil
		if shared {
			made.Username, made.Password = x.run.options.User, x.run.options.Password
		}
		x.scope.Users[u.name] = made.inTemplates()
		if !shared && !u.isNew && !x.create(ctx, made) {
			return false
		}
	}
	return true
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
	// What registering shows is kept for the report's mask, out of the exchange's way.
	inner := &template.Scope{Users: map[string]template.User{"user": u.inTemplates()}, Captures: map[string]string{}}
	ok := x.step(ctx, 0, *x.run.file.createUser, inner)
	x.hidden = slices.AppendSeq(x.hidden, maps.Values(inner.Captures))
	return ok
}

func (u User) inTemplates() template.User {
	return template.User{Username: u.Username, Password: u.Password, Email: u.Email}
}
