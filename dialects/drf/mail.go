package drf

import (
	"net/http"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/maillink"
	"github.com/authcompat/authcompat/dialects/internal/reply"
	"github.com/authcompat/authcompat/profiles"
)

// linksOf gives what checks the links of a profile's mails; nil: there is no key.
func linksOf(p *profiles.Profile, all *maillink.Generator) *maillink.Generator {
	if all == nil {
		return nil
	}
	links := *all
	_, links.AllEmails = LinkForm(p)
	return &links
}

// LinkForm gives the form of the uid in the links of a profile's mails, and whether their tokens
// depend on all addresses of a user ([maillink.Generator]).
func LinkForm(p *profiles.Profile) (uid maillink.UIDFormat, allEmails bool) {
	if p.Mails.Links == profiles.LinksAllauth {
		return maillink.Base36, true
	}
	return maillink.Base64, false
}

// sendsLinks tells whether mails with links can be sent: there is a key, and somebody sends them.
func (a *API) sendsLinks() bool { return a.links != nil && a.engine.SendsMail() }

// noMail answers where mails are not configured, as where the database can't be reached.
func (v *view) noMail() *result {
	return v.detail(http.StatusServiceUnavailable, core.KindUnavailable.String(), v.message("unavailable"))
}

// askAction sends a mail of a kind to whoever has the address (djoser/views.py 2.1, reset_password, reset_username and
// resend_activation; dj_rest_auth/views.py 5.0, PasswordResetView). It does the same, in the same time, for an
// address that nobody has.
type askAction struct{ kind core.MailKind }

func (do askAction) do(v *view, c call) result {
	s := serializer{view: v}
	if refusal := s.read(c); refusal != nil {
		return *refusal
	}
	mails := v.profile.Mails
	resend := do.kind == core.MailActivation
	if resend && !mails.Sends(profiles.SendActivation) {
		return nothingToResend()
	}
	if !v.sendsLinks() {
		return *v.noMail()
	}
	found, err := v.engine.AskMailByEmail(c.context(), v.policy, do.kind, s.values[profiles.RoleEmail], core.Recipients{
		CaseBlind: v.policy.EmailCaseBlind,
		Unusable:  mails.Links == profiles.LinksAllauth,
	})
	switch {
	case err != nil:
		return *v.engineError(err)
	case !found && mails.ShowEmailNotFound:
		return *badRequest([]any{v.message("email_unknown")})
	case !found && resend:
		return nothingToResend()
	}
	return v.success(c, &reply.Data{})
}

// nothingToResend is djoser's answer where there is nobody to activate: it has no body.
func nothingToResend() result { return result{status: http.StatusBadRequest, outcome: "invalid"} }

// tell sends a mail about what was done, if the profile does. An error is only logged: it is done.
func (v *view) tell(c call, kind core.MailKind, u core.User, r result) result {
	if v.profile.Mails.Sends(profiles.SentMail(kind)) && v.engine.SendsMail() { // djoser has one name for both
		r.err = v.engine.MailUser(c.context(), v.policy, kind, u)
	}
	return r
}

// resendVerificationAction sends a key to whoever has yet to verify the address
// (dj_rest_auth/registration/views.py 5.0, ResendEmailVerificationView).
type resendVerificationAction struct{}

func (resendVerificationAction) do(v *view, c call) result {
	s := serializer{view: v}
	if refusal := s.read(c); refusal != nil {
		return *refusal
	}
	if !v.sendsLinks() {
		return *v.noMail()
	}
	if err := v.engine.AskVerification(c.context(), v.policy, s.values[profiles.RoleEmail]); err != nil {
		return *v.engineError(err)
	}
	return v.success(c, &reply.Data{})
}

// verifies tells whether users are asked to verify their address.
func (v *view) verifies() bool { return v.policy.EmailVerification != core.EmailVerificationNone }

// tellRegistered sends the mails of a registration (djoser/views.py 2.1, perform_create;
// allauth/account/utils.py 0.57, complete_signup).
func (v *view) tellRegistered(c call, u core.User, r result) result {
	if v.verifies() && u.Email != "" && v.sendsLinks() {
		r.err = v.engine.MailUser(c.context(), v.policy, core.MailEmailVerification, u)
	}
	if v.profile.Mails.Sends(profiles.SendActivation) {
		return v.tell(c, core.MailActivation, u, r)
	}
	return v.tell(c, core.MailConfirmation, u, r)
}
