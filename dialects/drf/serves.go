package drf

import (
	"fmt"

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
	}
}

// Serves returns an error that says what of a profile this package does not serve, or nil.
func Serves(p *profiles.Profile) error {
	for _, e := range p.Endpoints {
		if _, ok := e.Field(profiles.RoleUID); e.Action == profiles.Activate && !ok {
			return fmt.Errorf("endpoint %s: family %s does not read keys of django-allauth yet: an activation needs a field with the role %s", e.Name, p.Family, profiles.RoleUID)
		}
	}
	return nil
}
