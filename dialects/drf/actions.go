package drf

import (
	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/dialects/adopt"
	"github.com/authcompat/authcompat/dialects/internal/reply"
	"github.com/authcompat/authcompat/profiles"
)

// actions gives what endpoints do.
func actions() map[profiles.Action]action {
	return map[profiles.Action]action{
		profiles.Register:    registerAction{},
		profiles.Login:       loginAction{},
		profiles.Logout:      logoutAction{},
		profiles.LogoutAll:   logoutAllAction{},
		profiles.Account:     accountAction{},
		profiles.Update:      updateAction{},
		profiles.Delete:      deleteAction{},
		profiles.List:        listAction{},
		profiles.SetUsername: setUsernameAction{},
		profiles.SetPassword: setPasswordAction{},

		profiles.ResetPassword:        askAction{core.MailPasswordReset},
		profiles.ResetUsername:        askAction{core.MailUsernameReset},
		profiles.ResendActivation:     askAction{core.MailActivation},
		profiles.ResetPasswordConfirm: confirmPasswordAction{},
		profiles.ResetUsernameConfirm: confirmUsernameAction{},
		profiles.Activate:             activateAction{},
		profiles.ResendVerification:   resendVerificationAction{},
		profiles.VerifyEmail:          verifyEmailAction{},
	}
}

// loginAction is ObtainAuthToken.post, or knox's LoginView with
// AuthTokenSerializer (rest_framework/authtoken/serializers.py).
type loginAction struct{}

func (loginAction) do(v *view, c call) result {
	s := serializer{view: v}
	if refusal := s.read(c); refusal != nil {
		return *refusal
	}
	username, policy := v.named(s.values)
	password := s.values[profiles.RolePassword]
	if username == "" || password == "" {
		return *fieldError(v.profile.Errors.NonField, v.message("incomplete"))
	}
	session, adopted, err := adopt.Login(c.context(), v.engine, policy, v.endpoint, username, password)
	switch {
	case err != nil:
		return *v.loginError(err)
	case adopted != nil:
		return result{adopted: adopted}
	}
	data := reply.OfSession(session)
	return v.success(c, &data)
}

// issueAction is knox's own LoginView (knox/views.py): whoever is recognised gets a token. The
// body is not read.
type issueAction struct{}

func (issueAction) do(v *view, c call) result {
	session := *c.session
	if session.Key == "" { // it was no password
		var err error
		if session, err = v.engine.Issue(c.context(), v.policy, session); err != nil {
			return *v.engineError(err)
		}
	}
	data := reply.OfSession(session)
	return v.success(c, &data)
}

// named gives what a login names its user by, and the policy under which the engine reads it. Of
// an address and a username, the address counts (dj_rest_auth/serializers.py 5.0, LoginSerializer).
func (v *view) named(values validated) (name string, p core.Policy) {
	p = v.policy
	if name = values[profiles.RoleUsernameOrEmail]; name != "" {
		return name, p
	}
	if name = values[profiles.RoleEmail]; name != "" {
		p.LoginBy = core.ByEmail
		return name, p
	}
	p.LoginBy = core.ByUsername
	return values[profiles.RoleUsername], p
}

// registerAction is a CreateAPIView over a ModelSerializer of the user.
type registerAction struct{}

func (registerAction) do(v *view, c call) result {
	s := serializer{view: v, unique: true}
	if refusal := s.read(c); refusal != nil {
		return *refusal
	}
	if refusal := s.newPassword(); refusal != nil {
		return *refusal
	}
	inactive := v.profile.Mails.Sends(profiles.SendActivation)
	if (inactive || v.policy.EmailVerification == core.EmailVerificationMandatory) && !v.sendsLinks() {
		return *v.noMail() // nobody could activate the user, or verify the address
	}
	values := s.values
	if email := []rune(values[profiles.RoleEmail]); v.adapted() && len(email) > core.MaxEmail {
		// Its field has no limit, and allauth cuts off what the column has no room for
		// (allauth/account/utils.py 0.57, user_field).
		values[profiles.RoleEmail] = string(email[:core.MaxEmail])
	}
	_, withPassword := v.endpoint.Field(profiles.RolePassword)
	session, err := v.engine.Register(c.context(), v.policy, core.Registration{
		Username:   values[profiles.RoleUsername],
		Email:      values[profiles.RoleEmail],
		Password:   values[profiles.RolePassword],
		NoPassword: !withPassword,
		Attributes: s.given(),
		NoToken:    !v.endpoint.ShowsToken(), // nobody would ever know it
		Inactive:   inactive,
	})
	if err != nil {
		return *v.registerError(err)
	}
	data := reply.OfSession(session)
	return v.tellRegistered(c, session.User, v.success(c, &data))
}

// logoutAction ends the request's own token; of a user who gave a password, the one token that
// there is, as djoser and dj-rest-auth do. Where it is open to all, it answers the same to those
// who have none (dj_rest_auth/views.py, LogoutView). The body is not read.
type logoutAction struct{}

func (logoutAction) do(v *view, c call) result {
	end := v.engine.Logout
	if c.session == nil {
		return v.success(c, &reply.Data{})
	}
	if !hasToken(c.session) {
		if v.profile.Tokens.PerUser != profiles.OnePerUser {
			// Which one is meant? knox's view fails.
			return *v.unauthorized("token_missing", v.message("token_missing"))
		}
		end = v.engine.LogoutAll
	}
	if err := end(c.context(), *c.session); err != nil {
		return *v.engineError(err)
	}
	return v.success(c, &reply.Data{})
}

// logoutAllAction ends all tokens of the user.
type logoutAllAction struct{}

func (logoutAllAction) do(v *view, c call) result {
	if err := v.engine.LogoutAll(c.context(), *c.session); err != nil {
		return *v.engineError(err)
	}
	return v.success(c, &reply.Data{})
}

// otherAction answers a path that no endpoint has once its token is accepted.
type otherAction struct{}

func (otherAction) do(v *view, _ call) result { return *v.notFound() }

// success is the endpoint's reply.
func (v *view) success(c call, d *reply.Data) result {
	res := result{status: v.endpoint.Reply.Status, outcome: "ok"}
	if v.reply != nil {
		c.scratch.body = v.reply.Append(c.scratch.body[:0], d)
		res.body = c.scratch.body
	}
	return res
}
