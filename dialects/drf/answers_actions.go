package drf

import (
	"net/http"
	"strings"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/dialects/internal/answer"
	"github.com/authcompat/authcompat/profiles"
)

// does adds what the action of the endpoint answers, if it does not do it.
func (d *described) does() {
	switch d.endpoint.Action {
	case profiles.Login:
		d.login()
	case profiles.Register:
		d.register()
	case profiles.Logout:
		d.logout()
	case profiles.Account, profiles.Update, profiles.Delete:
		d.named()
		d.changes()
	case profiles.List:
		d.fails(answer.StageAction, "long lists take all the memory that they may", core.KindOverloaded)
	case profiles.SetPassword:
		d.changedPasswords(true)
		d.changes()
	case profiles.SetUsername:
		d.sameUsernames()
		d.changes()
	case profiles.ResetPassword, profiles.ResetUsername, profiles.ResendActivation, profiles.ResendVerification:
		d.asksForMail()
	case profiles.ResetPasswordConfirm, profiles.ResetUsernameConfirm, profiles.Activate, profiles.VerifyEmail:
		d.followsLink()
	}
}

func (d *described) login() {
	const stage = answer.StageAction
	if d.issues() {
		d.limited(stage)
		return
	}
	d.incomplete()
	d.failsAs(stage, "nobody has the name with the password", core.KindInvalidCredentials, d.loginError)
	d.failsAs(stage, "the name and the password are right, and the user is inactive", core.KindUserInactive, d.loginError)
	d.unverified(stage, d.loginError)
	d.limited(stage)
	if !d.policy.TellThrottled {
		d.failsAs(stage, "after too many wrong passwords, whatever the password", core.KindInvalidCredentials, d.loginError)
	}
	d.hashes(stage)
}

func (d *described) register() {
	const stage = answer.StageAction
	d.newPasswords(true, "mismatch", d.profile.Errors.NonField)
	d.noMails()
	d.failsAs(stage, "somebody has just got the username, or it differs only before it is normalised", core.KindUsernameTaken, d.registerError)
	if d.policy.UniqueEmail || d.verifies() {
		d.failsAs(stage, "somebody has just got the address", core.KindEmailTaken, d.registerError)
	}
	d.failsAs(stage, "no table has room for the username", core.KindInvalidUser, d.registerError)
	d.fails(stage, "after too many registrations from one network", core.KindThrottled)
	d.fails(stage, "too many passwords wait to be hashed", core.KindOverloaded)
}

func (d *described) logout() {
	const stage = answer.StageAction
	for _, a := range d.endpoint.Authentication {
		switch {
		case a.Kind == profiles.AuthenticateToken:
			d.fails(stage, "another logout came first", core.KindTokenUnknown)
		case a.Kind == profiles.AuthenticateBasic && d.profile.Tokens.PerUser != profiles.OnePerUser:
			d.add(stage, "", "who asks has given a password and no token", d.unauthorized("", d.message("token_missing")))
		}
	}
}

// named adds what is answered about a user whom the path names.
func (d *described) named() {
	if !strings.Contains(d.endpoint.Path, "{") {
		return
	}
	const stage = answer.StageAction
	when := "there is no such user"
	if d.endpoint.Others == profiles.OthersHidden {
		when = "there is no such user, or it is another and the caller is not staff"
	}
	d.add(stage, "", when, d.notFound())
	if d.endpoint.Others == profiles.OthersForbidden {
		d.add(stage, "", "it is another user and the caller is not staff", d.detail(http.StatusForbidden, "", d.message("permission_denied")))
	}
}

// changes adds what is answered where a user can't be changed as is asked.
func (d *described) changes() {
	const stage = answer.StageAction
	fails := func(when string, kind core.Kind) { d.failsAs(stage, when, kind, d.accountError) }
	switch d.endpoint.Action {
	case profiles.Update, profiles.SetUsername:
		if d.takes(profiles.RoleUsername) {
			fails("somebody has just got the username", core.KindUsernameTaken)
			fails("no table has room for the username", core.KindInvalidUser)
		}
		if d.takes(profiles.RoleEmail) {
			fails("no table has room for the text", core.KindInvalidUser)
			if d.policy.UniqueEmail {
				fails("somebody has just got the address", core.KindEmailTaken)
			}
		}
		if d.endpoint.Action == profiles.Update && d.profile.Mails.Sends(profiles.SendActivation) {
			d.add(answer.StageServer, "", mailsMissing, d.noMail())
		}
	case profiles.Delete:
		fails("rows of another program refer to the user", core.KindUnsupported)
	case profiles.SetPassword:
		fails("too many passwords wait to be hashed", core.KindOverloaded)
	default:
		return
	}
	if _, asked := d.endpoint.Field(profiles.RoleCurrentPassword); asked {
		fails("the password has just been changed", core.KindInvalidCredentials)
	}
	fails("the user has just been removed", core.KindUserUnknown)
}

// takes tells whether the endpoint reads a field of the role.
func (d *described) takes(r profiles.Role) bool {
	f, ok := d.endpoint.Field(r)
	return ok && !f.ReadOnly
}

const mailsMissing = "mails are not configured"

// noMails adds what a registration answers that would have to send a mail.
func (d *described) noMails() {
	if d.profile.Mails.Sends(profiles.SendActivation) || d.policy.EmailVerification == core.EmailVerificationMandatory {
		d.add(answer.StageServer, "", mailsMissing, d.noMail())
	}
}

// asksForMail is askAction and resendVerificationAction.
func (d *described) asksForMail() {
	const stage = answer.StageAction
	action := d.endpoint.Action
	if action == profiles.ResendActivation {
		nothing := nothingToResend()
		if !d.profile.Mails.Sends(profiles.SendActivation) {
			d.add(stage, "", "always: the API sends no activations", &nothing)
			return
		}
		if !d.profile.Mails.ShowEmailNotFound {
			d.add(stage, "", "nobody who waits for an activation has the address", &nothing)
		}
	}
	if d.profile.Mails.ShowEmailNotFound && action != profiles.ResendVerification {
		d.add(stage, "", "nobody has the address", badRequest([]any{d.message("email_unknown")}))
	}
	d.fails(stage, "after too many mails for one network", core.KindThrottled)
	d.add(answer.StageServer, "", mailsMissing, d.noMail())
}

// followsLink is what the actions do that a link in a mail is for.
func (d *described) followsLink() {
	const stage = answer.StageAction
	d.add(answer.StageServer, "", mailsMissing, d.noMail())
	action := d.endpoint.Action
	if action == profiles.VerifyEmail {
		d.add(stage, "", "the key is no good, or was used", d.notFound())
		return
	}
	uid, _ := d.endpoint.Field(profiles.RoleUID)
	link, _ := d.endpoint.Field(profiles.RoleToken)
	d.add(stage, uid.Name, uid.Name+" is nobody's", d.linkError(&core.Error{Kind: core.KindUserUnknown}))
	d.add(stage, link.Name, link.Name+" is not good for the user, or was used", d.linkError(&core.Error{Kind: core.KindInvalidCredentials}))
	switch action {
	case profiles.ResetPasswordConfirm:
		d.changedPasswords(true)
		d.failsAs(stage, "too many passwords wait to be hashed", core.KindOverloaded, d.linkError)
	case profiles.ResetUsernameConfirm:
		d.sameUsernames()
		d.failsAs(stage, "somebody has just got the username", core.KindUsernameTaken, d.linkError)
		d.failsAs(stage, "no table has room for the username", core.KindInvalidUser, d.linkError)
	case profiles.Activate:
		d.add(stage, "", "there is nothing to activate", d.detail(http.StatusForbidden, "link_stale", d.message("link_stale")))
	}
}
