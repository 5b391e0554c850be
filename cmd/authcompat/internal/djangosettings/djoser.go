package djangosettings

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/djangosettings/python"
)

// djoser is DJOSER (djoser/conf.py, default_settings, of djoser 2.1 and 2.2).
func djoser() []Setting {
	all := []Setting{
		{Name: "LOGIN_FIELD", Use: InProfile, Key: "endpoints.NAME.fields, endpoints.NAME.reply", Default: "'username'", apply: loginField, Why: "email: the login has a field with the role email in place of username, and accounts show no username; register and set_username keep theirs"},
		{Name: "USER_ID_FIELD", Use: InProfile, Key: "endpoints.NAME.path", Default: "'id'", apply: userID, Why: "{id} or {username}"},
		{Name: "USER_CREATE_PASSWORD_RETYPE", Use: InProfile, Key: "endpoints.NAME.fields.re_password", Default: "False", apply: retype("password_again", "re_password", "register", ""), Why: "a field with the role password_again"},
		{Name: "SET_PASSWORD_RETYPE", Use: InProfile, Key: "endpoints.NAME.fields.re_new_password", Default: "False", apply: retype("password_again", "re_new_password", "set_password", "current_password"), Why: "a field of set_password with the role password_again"},
		{Name: "PASSWORD_RESET_CONFIRM_RETYPE", Use: InProfile, Key: "endpoints.NAME.fields.re_new_password", Default: "False", apply: retype("password_again", "re_new_password", "reset_password_confirm", ""), Why: "a field of reset_password_confirm with the role password_again"},
		{Name: "SET_USERNAME_RETYPE", Use: InProfile, Key: "endpoints.NAME.fields.re_new_username", Default: "False", apply: retype("username_again", "re_new_username", "set_username", ""), Why: "a field of set_username with the role username_again"},
		{Name: "USERNAME_RESET_CONFIRM_RETYPE", Use: InProfile, Key: "endpoints.NAME.fields.re_new_username", Default: "False", apply: retype("username_again", "re_new_username", "reset_username_confirm", "uid"), Why: "a field of reset_username_confirm with the role username_again"},
		{Name: "LOGOUT_ON_PASSWORD_CHANGE", Use: InProfile, Key: "endpoints.NAME.logout", Default: "False", apply: logoutOnChange, Why: "of set_password; a reset ends no token"},
		{Name: "HIDE_USERS", Use: InProfile, Key: "endpoints.NAME.others", Default: "True", apply: hideUsers, Why: "hidden for True; for False visible in lists and else forbidden, unless PERMISSIONS let them be read"},
		{Name: "SEND_ACTIVATION_EMAIL", Use: InProfile, Key: "mails.send", Default: "False", apply: sends("activation"), Why: "activation; smtp in the configuration"},
		{Name: "SEND_CONFIRMATION_EMAIL", Use: InProfile, Key: "mails.send", Default: "False", apply: sends("confirmation"), Why: "confirmation; smtp in the configuration"},
		{Name: "PASSWORD_CHANGED_EMAIL_CONFIRMATION", Use: InProfile, Key: "mails.send", Default: "False", apply: sends("password_changed_confirmation"), Why: "password_changed_confirmation; smtp in the configuration"},
		{Name: "USERNAME_CHANGED_EMAIL_CONFIRMATION", Use: InProfile, Key: "mails.send", Default: "False", apply: sends("username_changed_confirmation"), Why: "username_changed_confirmation; smtp in the configuration"},
		{Name: "ACTIVATION_URL", Use: InProfile, Key: "mails.activation_url", apply: put("mails.activation_url", text)},
		{Name: "PASSWORD_RESET_CONFIRM_URL", Use: InProfile, Key: "mails.password_reset_confirm_url", apply: put("mails.password_reset_confirm_url", text)},
		{Name: "USERNAME_RESET_CONFIRM_URL", Use: InProfile, Key: "mails.username_reset_confirm_url", apply: put("mails.username_reset_confirm_url", text)},
		{Name: "EMAIL", Use: Configuration, Key: "mail.templates", Why: "classes of the project are written as templates"},
		{Name: "PASSWORD_RESET_SHOW_EMAIL_NOT_FOUND", Use: InProfile, Key: "mails.show_email_not_found", Default: "False", apply: put("mails.show_email_not_found", boolean), Why: "djoser takes either of the two for both"},
		{Name: "USERNAME_RESET_SHOW_EMAIL_NOT_FOUND", Use: InProfile, Key: "mails.show_email_not_found", Default: "False", apply: put("mails.show_email_not_found", boolean), Why: "djoser takes either of the two for both"},
		{Name: "TOKEN_MODEL", Use: NoEffect, Default: "'rest_framework.authtoken.models.Token'", Why: "with None, for JWT, djoser has no token endpoints: remove login and logout"},
		{Name: "SERIALIZERS", Use: ByHand, Key: "endpoints.NAME.fields, endpoints.NAME.reply", Default: "{}", Why: "fields and replies are in the classes' code"},
		{Name: "CONSTANTS", Use: ByHand, Key: "messages", Why: "the sentences are in the class's code"},
		{Name: "PERMISSIONS", Use: InProfile, Key: "endpoints.NAME.others, endpoints.NAME.access", Default: "{}", apply: permissions, Why: "djoser's own classes, AllowAny and IsAuthenticated, where they let do what they do; classes of the project are code"},
	}
	return under("DJOSER", append(of("djoser", all), unread(NotSupported, out, "CREATE_SESSION_ON_LOGIN", "SOCIAL_AUTH_TOKEN_STRATEGY", "SOCIAL_AUTH_ALLOWED_REDIRECT_URIS", "WEBAUTHN")...)...)
}

// loginField fills in by what users log in, which djoser shows of accounts as well, and lets nobody change with
// others (djoser/serializers.py, TokenCreateSerializer and UserSerializer).
func loginField(d *draft, v *python.Value) error {
	switch v.Text {
	case "username":
		return nil
	case "email":
	default:
		return errors.New("users log in by username or email")
	}
	login := d.endpoints(func(endpoint *yaml.Node) error {
		dropField(endpoint, "username")
		return addField(endpoint, "email", "{required: false, validate: false, label: Email}", "")
	}, "login")
	if login != nil {
		return login
	}
	return d.endpoints(func(endpoint *yaml.Node) error {
		drop(entry(entry(endpoint, "reply"), "body"), "username")
		dropField(endpoint, "username")
		if email := field(endpoint, "email"); email != nil {
			drop(email, "required")
			drop(email, "blank")
			drop(email, "max_length")
			return setIn(email, true, "read_only")
		}
		return nil
	}, "account", "list", "update")
}

// userID fills in by what paths and replies name a user.
func userID(d *draft, v *python.Value) error {
	switch v.Text {
	case "id":
		return nil
	case "username":
	default:
		return errors.New("a path names a user by {id} or {username}")
	}
	return d.endpoints(func(endpoint *yaml.Node) error {
		if path := entry(endpoint, "path"); path != nil {
			path.Value = strings.ReplaceAll(path.Value, "{id}", "{username}")
		}
		drop(entry(entry(endpoint, "reply"), "body"), "id")
		dropField(endpoint, "id")
		return nil
	})
}

// retype fills in the field of an action in which something is typed again (djoser/serializers.py, the serializers with
// Retype in their names), before the field with a role or behind all.
func retype(role, name, action, before string) func(*draft, *python.Value) error {
	label := strings.ToUpper(name[:1]) + strings.ReplaceAll(name[1:], "_", " ")
	return func(d *draft, v *python.Value) error {
		on, err := boolean(v)
		if err != nil || on == false {
			return err
		}
		return d.endpoints(func(endpoint *yaml.Node) error {
			return addField(endpoint, name, fmt.Sprintf("{role: %s, label: %s}", role, label), before)
		}, action)
	}
}

func logoutOnChange(d *draft, v *python.Value) error {
	on, err := boolean(v)
	if err != nil {
		return err
	}
	return d.endpoints(func(endpoint *yaml.Node) error { return setIn(endpoint, on, "logout") }, "set_password")
}

// sends has a mail among those that are sent, or not.
func sends(mail string) func(*draft, *python.Value) error {
	return func(d *draft, v *python.Value) error {
		on, err := boolean(v)
		if err != nil {
			return err
		}
		sent := []string{}
		if list := entry(entry(d.root, "mails"), "send"); list != nil {
			for _, item := range list.Content {
				if item.Value != mail {
					sent = append(sent, item.Value)
				}
			}
		}
		if on == true {
			sent = append(sent, mail)
		}
		if len(sent) == 0 {
			return d.remove("mails", "send")
		}
		return d.set(sent, "mails", "send")
	}
}

// The classes of permissions that have a meaning in profiles.
const (
	allowAny        = "rest_framework.permissions.AllowAny"
	isAuthenticated = "rest_framework.permissions.IsAuthenticated"
	currentUser     = "djoser.permissions.CurrentUserOrAdmin"
	readOnly        = "djoser.permissions.CurrentUserOrAdminOrReadOnly"
)

// hideUsers fills in what becomes of accounts of others.
func hideUsers(d *draft, v *python.Value) error {
	if _, err := boolean(v); err != nil {
		return err
	}
	return others(d)
}

// others fills in what HIDE_USERS and the permission user say together (djoser/views.py 2.1, UserViewSet,
// get_queryset and permission_denied; the table in docs/profiles.md).
func others(d *draft) error {
	settings := d.settings.Value("DJOSER")
	hide := ownKey(settings, "HIDE_USERS")
	list, account, update := "hidden", "hidden", "hidden"
	if hide != nil && hide.Kind == python.Bool && !hide.Bool {
		list, account, update = "visible", "forbidden", "forbidden"
	}
	if all := ownKey(settings, "PERMISSIONS"); all != nil && permission(ownKey(all, "user")) == readOnly {
		account = "visible"
	}
	for _, said := range []struct{ action, others string }{{"list", list}, {"account", account}, {"update", update}} {
		err := d.endpoints(func(endpoint *yaml.Node) error {
			if entry(endpoint, "others") == nil {
				return nil // the caller's own account
			}
			return setIn(endpoint, said.others, "others")
		}, said.action)
		if err != nil {
			return err
		}
	}
	return nil
}

// permission gives the class of a permission, or "" if it has not one.
func permission(v *python.Value) string {
	if v == nil || v.Kind != python.List || len(v.Items) != 1 || v.Items[0].Kind != python.String && v.Items[0].Kind != python.Name {
		return ""
	}
	return v.Items[0].Text
}

// permissions fills in who may do what. Of several keys, all have to mean something here.
func permissions(d *draft, v *python.Value) error {
	if v.Kind != python.Dict || v.Open != nil {
		return errors.New("not all of it is known")
	}
	// The classes of a key that do there what the profile does, or what fills in others and access.
	anybody, users := []string{allowAny}, []string{currentUser, readOnly, isAuthenticated}
	known := map[string][]string{
		"activation": anybody, "password_reset": anybody, "password_reset_confirm": anybody, "username_reset": anybody, "username_reset_confirm": anybody,
		"user_create": {allowAny, isAuthenticated}, "token_create": {allowAny, isAuthenticated}, "token_destroy": users,
		"set_password": users, "set_username": users, "user_list": users,
		"user": {currentUser, readOnly}, "user_delete": {currentUser, readOnly},
	}
	for i, key := range v.Keys {
		if !slices.Contains(known[key.Text], permission(v.Items[i])) {
			return fmt.Errorf("%s: a profile has no such permission there", key.Text)
		}
	}
	for key, action := range map[string]string{"user_create": "register", "token_create": "login"} {
		if permission(ownKey(v, key)) != isAuthenticated {
			continue
		}
		if err := d.endpoints(func(endpoint *yaml.Node) error { return setIn(endpoint, "token", "access") }, action); err != nil {
			return err
		}
	}
	return others(d)
}
