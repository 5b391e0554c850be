package drf

import (
	"errors"
	"net/http"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/dialects/internal/django"
	"github.com/authcompat/authcompat/dialects/internal/reply"
	"github.com/authcompat/authcompat/dialects/internal/route"
	"github.com/authcompat/authcompat/profiles"
)

// What users see of accounts, and do with them, as djoser 2.1 has it (djoser/views.py,
// UserViewSet; djoser/permissions.py).

// account gives the user whom a request is about: whom the path names, or the caller.
func (v *view) account(c call) (core.User, *result) {
	caller := c.session.User
	value, isID := route.Variable(v.endpoint.Path, c.request)
	var user core.User
	var err error
	switch {
	case value == "", !isID && value == caller.Username:
		return caller, nil
	case isID:
		id, ok := django.ParseInt(value) // django/db/models/fields/__init__.py 3.2, IntegerField.get_prep_value
		if !ok {
			return core.User{}, v.notFound()
		}
		if id == caller.ID {
			return caller, nil
		}
		if v.endpoint.Others == profiles.OthersHidden && !staff(caller) {
			return core.User{}, v.notFound() // without a look
		}
		user, err = v.engine.UserByID(c.context(), id)
	default:
		user, err = v.engine.User(c.context(), value)
	}
	if err != nil {
		return core.User{}, v.engineError(err)
	}
	return user, v.others(caller, user)
}

// others says what a caller may not do to a user; nil: everything.
func (v *view) others(caller, user core.User) *result {
	switch {
	case user.ID == caller.ID, v.endpoint.Others == profiles.OthersVisible, staff(caller):
		return nil
	case v.endpoint.Others == profiles.OthersForbidden:
		return v.detail(http.StatusForbidden, "forbidden", v.message("permission_denied"))
	}
	return v.notFound()
}

func (v *view) notFound() *result {
	return v.detail(http.StatusNotFound, "not_found", v.message("not_found"))
}

// staff tells whether a user may do with all accounts what others may with their own.
func staff(u core.User) bool {
	is, _ := core.ParseBoolean(u.Attributes[profiles.StaffAttribute])
	return is
}

// accountAction shows the user whom the path names.
type accountAction struct{}

func (accountAction) do(v *view, c call) result {
	user, refusal := v.account(c)
	if refusal != nil {
		return *refusal
	}
	return v.success(c, &reply.Data{User: user, Token: c.session.Token})
}

// listAction shows all users that the caller may see. There are no pages, as without
// DEFAULT_PAGINATION_CLASS.
type listAction struct{}

// usersAtOnce is how many users are read from the store at once.
const usersAtOnce = 500

func (listAction) do(v *view, c call) result {
	if v.endpoint.Others != profiles.OthersVisible && !staff(c.session.User) {
		return v.users(c, []core.User{c.session.User})
	}
	list := userList{view: v, call: c, body: append(c.scratch.body[:0], '[')}
	for after := int64(0); ; {
		some, err := v.engine.Users(c.context(), after, usersAtOnce)
		if err != nil {
			return *v.engineError(err)
		}
		list.add(some)
		more := len(some) == usersAtOnce
		if more && c.scratch.list == nil {
			c.scratch.list = v.lists.hold(c.context(), c.session.User.ID)
		}
		if c.scratch.list != nil {
			if err := c.scratch.list.grow(int64(cap(list.body))); err != nil {
				return *v.engineError(err)
			}
		}
		if !more {
			return list.result()
		}
		after = some[len(some)-1].ID
	}
}

// users shows users, each as the endpoint's reply.
func (v *view) users(c call, all []core.User) result {
	list := userList{view: v, call: c, body: append(c.scratch.body[:0], '[')}
	list.add(all)
	return list.result()
}

// userList is a list that is being written.
type userList struct {
	view *view
	call call
	body []byte
	some bool // there are users in it
}

func (l *userList) add(users []core.User) {
	for _, user := range users {
		if l.some {
			l.body = append(l.body, l.view.style.ItemSeparator...)
		}
		l.body, l.some = l.view.reply.Append(l.body, &reply.Data{User: user, Token: l.call.session.Token}), true
	}
}

func (l *userList) result() result {
	l.call.scratch.body = append(l.body, ']')
	return result{status: l.view.endpoint.Reply.Status, outcome: "ok", body: l.call.scratch.body}
}

// updateAction is UpdateModelMixin: PUT wants the required fields, PATCH none.
type updateAction struct{}

func (updateAction) do(v *view, c call) result {
	user, refusal := v.account(c)
	if refusal != nil {
		return *refusal
	}
	s := serializer{view: v, unique: true, partial: c.method == http.MethodPatch, of: &user}
	if refusal := s.read(c); refusal != nil {
		return *refusal
	}
	update := core.UserUpdate{Attributes: s.attributes}
	if email, sent := s.values[profiles.RoleEmail]; sent {
		update.Email = &email
	}
	if username, sent := s.values[profiles.RoleUsername]; sent {
		update.Username = &username
	}
	update.Still = v.still(c, &user)
	update.DeactivateMoved = v.profile.Mails.Sends(profiles.SendActivation)
	if update.DeactivateMoved && !v.sendsLinks() {
		return *v.noMail() // nobody could activate the user again
	}
	updated, err := v.engine.UpdateUser(c.context(), v.policy, user.ID, update)
	if err != nil {
		return *v.accountError(err)
	}
	user = updated
	shown := v.success(c, &reply.Data{User: user, Token: c.session.Token})
	if user.Active { // there, a mail at each update (djoser/views.py 2.1, perform_update); this one would not be sent
		return shown
	}
	return v.tell(c, core.MailActivation, user, shown)
}

// deleteAction removes a user and all tokens. The password is the caller's, whoever is removed
// (djoser/serializers.py 2.1, UserDeleteSerializer).
type deleteAction struct{}

func (deleteAction) do(v *view, c call) result {
	user, refusal := v.account(c)
	if refusal != nil {
		return *refusal
	}
	confirmation, refusal := v.confirmed(c)
	if refusal != nil {
		return *refusal
	}
	confirmed, err := v.engine.Confirmed(c.context(), c.session.User, user, confirmation, v.still(c, &user))
	if err != nil {
		return *v.engineError(err)
	}
	if err := v.engine.DeleteAccount(c.context(), v.policy, confirmed); err != nil {
		return *v.accountError(err)
	}
	return v.success(c, &reply.Data{})
}

// confirmed reads a body that has nothing but the caller's password; nil: the endpoint asks for
// none.
func (v *view) confirmed(c call) (*core.Confirmation, *result) {
	if len(v.endpoint.Fields) == 0 {
		return nil, nil
	}
	s := serializer{view: v, caller: &c.session.User}
	refusal := s.read(c)
	return s.confirmation, refusal
}

// setUsernameAction renames the caller (djoser/serializers.py 2.1, SetUsernameSerializer). The
// caller's own name is taken, too, as there.
type setUsernameAction struct{}

func (setUsernameAction) do(v *view, c call) result {
	s := serializer{view: v, unique: true, caller: &c.session.User}
	if refusal := s.read(c); refusal != nil {
		return *refusal
	}
	username := s.values[profiles.RoleUsername]
	if refusal := v.usernameAgain(s.values); refusal != nil {
		return *refusal
	}
	user, err := v.engine.UpdateUser(c.context(), v.policy, c.session.User.ID, core.UserUpdate{Username: &username, Still: v.still(c, nil)})
	if err != nil {
		return *v.accountError(err)
	}
	return v.tell(c, core.MailUsernameChanged, user, v.success(c, &reply.Data{User: user, Token: c.session.Token}))
}

// usernameAgain compares a new username with the one that was typed again.
func (v *view) usernameAgain(values validated) *result {
	again, sent := values[profiles.RoleUsernameAgain]
	if sent && again != values[profiles.RoleUsername] {
		return fieldError(v.profile.Errors.NonField, v.message("username_mismatch"))
	}
	return nil
}

// accountError answers a failure of what changes a user.
func (v *view) accountError(err error) *result {
	var refusal *refused
	if errors.As(err, &refusal) {
		return &refusal.answer
	}
	switch core.KindOf(err) {
	case core.KindInvalidCredentials: // the password has been changed since it was confirmed
		if f, ok := v.endpoint.Field(profiles.RoleCurrentPassword); ok {
			return fieldError(f.Name, v.message("current_password"))
		}
	case core.KindUserUnknown: // since the token was looked up
		return v.unauthorized("token_unknown", v.message("token_invalid"))
	}
	return v.engineError(err)
}
