package drf

import (
	"fmt"

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
	}
}

// Serves returns an error that says what of a profile this package does not serve, or nil.
func Serves(p *profiles.Profile) error {
	known := actions()
	for _, e := range p.Endpoints {
		if known[e.Action] == nil {
			return fmt.Errorf("endpoint %s: family %s does not serve the action %s yet", e.Name, p.Family, e.Action)
		}
	}
	return nil
}
