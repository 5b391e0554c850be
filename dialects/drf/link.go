package drf

import (
	"net/http"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/maillink"
	"github.com/authcompat/authcompat/dialects/internal/django"
	"github.com/authcompat/authcompat/dialects/internal/reply"
	"github.com/authcompat/authcompat/profiles"
)

// confirmLink finds whose link was followed (djoser/serializers.py 2.1, UidAndTokenSerializer;
// dj_rest_auth/serializers.py 5.0, PasswordResetConfirmSerializer).
func (v *view) confirmLink(c call, values validated) (core.Confirmation, *result) {
	if v.links == nil {
		return core.Confirmation{}, v.noMail()
	}
	id, err := v.decodeUID(values)
	if err != nil {
		return core.Confirmation{}, v.linkError(&core.Error{Kind: core.KindUserUnknown})
	}
	confirmed, err := v.engine.ConfirmLink(c.context(), v.links, id, values[profiles.RoleToken])
	if err != nil {
		return core.Confirmation{}, v.linkError(err)
	}
	return confirmed, nil
}

// decodeUID gives the id that a link's uid stands for.
func (v *view) decodeUID(values validated) (int64, error) {
	form, _ := LinkForm(v.profile)
	if form == maillink.Base36 {
		return maillink.DecodeUID(form, values[profiles.RoleUID])
	}
	id, ok := django.DecodeUID(values[profiles.RoleUID])
	if !ok {
		return 0, maillink.ErrUID
	}
	return id, nil
}

// linkError answers a failure of what a link is for.
func (v *view) linkError(err error) *result {
	role, key := profiles.RoleToken, "link_invalid"
	switch core.KindOf(err) {
	case core.KindUserUnknown:
		role, key = profiles.RoleUID, "uid_invalid"
	case core.KindInvalidCredentials:
	default:
		return v.engineError(err)
	}
	field, _ := v.endpoint.Field(role)
	return fieldError(field.Name, v.message(key))
}

// confirmPasswordAction gives whoever has the link another password (djoser/views.py 2.1,
// reset_password_confirm; dj_rest_auth/views.py 5.0, PasswordResetConfirmView).
type confirmPasswordAction struct{}

func (confirmPasswordAction) do(v *view, c call) result {
	s := serializer{view: v}
	if refusal := s.read(c); refusal != nil {
		return *refusal
	}
	// djoser looks at the password before the link, as one of whoever is logged in: as a rule nobody.
	form := v.profile.Passwords.Stage == profiles.StageField
	if !form {
		var caller *core.User
		if c.session != nil {
			caller = &c.session.User
		}
		if refusal := v.changedPassword(s.values, caller); refusal != nil {
			return *refusal
		}
	}
	confirmed, refusal := v.confirmLink(c, s.values)
	if refusal != nil {
		return *refusal
	}
	if form {
		user := confirmed.User()
		if refusal := v.changedPassword(s.values, &user); refusal != nil {
			return *refusal
		}
	}
	if _, err := v.engine.ChangePassword(c.context(), v.policy, confirmed, s.values[profiles.RolePassword], false); err != nil {
		return *v.linkError(err)
	}
	return v.tell(c, core.MailPasswordChanged, confirmed.User(), v.success(c, &reply.Data{}))
}

// confirmUsernameAction gives whoever has the link another username (djoser/views.py 2.1, reset_username_confirm).
type confirmUsernameAction struct{}

func (confirmUsernameAction) do(v *view, c call) result {
	s := serializer{view: v, unique: true}
	if refusal := s.read(c); refusal != nil {
		return *refusal
	}
	if refusal := v.usernameAgain(s.values); refusal != nil {
		return *refusal
	}
	username := s.values[profiles.RoleUsername]
	confirmed, refusal := v.confirmLink(c, s.values)
	if refusal != nil {
		return *refusal
	}
	user, err := v.engine.UpdateByLink(c.context(), v.policy, confirmed, core.UserUpdate{Username: &username})
	if err != nil {
		return *v.linkError(err)
	}
	return v.tell(c, core.MailUsernameChanged, user, v.success(c, &reply.Data{User: user}))
}

// activateAction makes whoever has the link active (djoser/views.py 2.1, activation). Where the profile
// sends no activations, the link is one of another kind, and who is inactive was made so: djoser makes them
// active again, we do not.
type activateAction struct{}

func (activateAction) do(v *view, c call) result {
	s := serializer{view: v}
	if refusal := s.read(c); refusal != nil {
		return *refusal
	}
	confirmed, refusal := v.confirmLink(c, s.values)
	if refusal != nil {
		return v.notActivated(c, s.values, *refusal)
	}
	done := false
	if !confirmed.User().Active && v.profile.Mails.Sends(profiles.SendActivation) {
		var err error
		if done, err = v.engine.Activate(c.context(), v.policy, confirmed); err != nil {
			return *v.engineError(err)
		}
	}
	if !done {
		return *v.detail(http.StatusForbidden, "link_stale", v.message("link_stale"))
	}
	return v.tell(c, core.MailConfirmation, confirmed.User(), v.success(c, &reply.Data{}))
}

// notActivated is the refusal of a link or, where it has activated its user, djoser's answer to that:
// there the link would still be good.
func (v *view) notActivated(c call, values validated, refusal result) result {
	if v.links == nil || !v.profile.Mails.Sends(profiles.SendActivation) {
		return refusal
	}
	id, err := v.decodeUID(values)
	if err != nil {
		return refusal
	}
	if done, err := v.engine.Activated(c.context(), v.links, id, values[profiles.RoleToken]); err != nil || !done {
		return refusal
	}
	return *v.detail(http.StatusForbidden, "link_stale", v.message("link_stale"))
}

// verifyEmailAction makes the address verified that a key is of (dj_rest_auth/registration/views.py 5.0,
// VerifyEmailView; allauth/account/views.py 0.57, ConfirmEmailView.get_object). Any other key is 404, and so is
// one that was used.
type verifyEmailAction struct{}

func (verifyEmailAction) do(v *view, c call) result {
	s := serializer{view: v}
	if refusal := s.read(c); refusal != nil {
		return *refusal
	}
	if v.links == nil {
		return *v.noMail()
	}
	err := v.engine.VerifyEmail(c.context(), v.policy, v.links, s.values[profiles.RoleToken])
	switch {
	case err == nil:
		return v.success(c, &reply.Data{})
	case core.KindOf(err) == core.KindInvalidCredentials:
		return *v.notFound()
	}
	return *v.engineError(err)
}
