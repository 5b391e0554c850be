package drf

import (
	"github.com/authcompat/authcompat/core"
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
