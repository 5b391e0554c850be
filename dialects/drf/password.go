package drf

import (
	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/dialects/internal/newpassword"
	"github.com/authcompat/authcompat/dialects/internal/reply"
	"github.com/authcompat/authcompat/profiles"
)

// setPasswordAction changes the caller's password (djoser/serializers.py 2.1,
// SetPasswordSerializer; dj_rest_auth/serializers.py 5.0, PasswordChangeSerializer). The token of
// the request stays, unless the endpoint ends all of them.
type setPasswordAction struct{}

func (setPasswordAction) do(v *view, c call) result {
	user := c.session.User
	s := serializer{view: v, caller: &user}
	if refusal := s.read(c); refusal != nil {
		return *refusal
	}
	if refusal := v.changedPassword(s.values, &user); refusal != nil {
		return *refusal
	}
	if err := newpassword.Change(c.context(), v.engine, v.policy, user, s.confirmation, s.values[profiles.RolePassword], v.endpoint.Logout); err != nil {
		return *v.accountError(err)
	}
	return v.tell(c, core.MailPasswordChanged, user, v.success(c, &reply.Data{User: user, Token: c.session.Token}))
}
