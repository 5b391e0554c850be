package djangosettings

import (
	"errors"

	"gopkg.in/yaml.v3"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/djangosettings/python"
)

// restAuth is REST_AUTH (dj_rest_auth/app_settings.py, DEFAULTS, of dj-rest-auth 5.0).
func restAuth() []Setting {
	all := []Setting{
		{Name: "OLD_PASSWORD_FIELD_ENABLED", Use: InProfile, Key: oldPasswordKey, Default: "False", apply: oldPassword, Why: "a field of set_password with the role current_password"},
		{Name: "LOGOUT_ON_PASSWORD_CHANGE", Use: NoEffect, Default: "False", Why: "it ends a session, and no token"},
		{Name: "PASSWORD_RESET_USE_SITES_DOMAIN", Use: Configuration, Key: "mail.domain", Default: "False", Why: "where the links of mails lead to"},
		{Name: "TOKEN_MODEL", Use: NoEffect, Default: "'rest_framework.authtoken.models.Token'", Why: "with None there are no tokens: only sessions or JWT, which are not served"},
		{Name: "TOKEN_CREATOR", Use: ByHand, Key: "tokens", Default: "'dj_rest_auth.utils.default_create_token'", Why: "which token a login gives is in its code"},
		{Name: "REGISTER_PERMISSION_CLASSES", Use: ByHand, Key: "endpoints.NAME.access", Default: "('rest_framework.permissions.AllowAny',)", Why: "classes of the project are code"},
	}
	for _, s := range []struct{ name, class string }{
		{"LOGIN_SERIALIZER", "dj_rest_auth.serializers.LoginSerializer"}, {"TOKEN_SERIALIZER", "dj_rest_auth.serializers.TokenSerializer"},
		{"USER_DETAILS_SERIALIZER", "dj_rest_auth.serializers.UserDetailsSerializer"}, {"PASSWORD_RESET_SERIALIZER", "dj_rest_auth.serializers.PasswordResetSerializer"},
		{"PASSWORD_RESET_CONFIRM_SERIALIZER", "dj_rest_auth.serializers.PasswordResetConfirmSerializer"}, {"PASSWORD_CHANGE_SERIALIZER", "dj_rest_auth.serializers.PasswordChangeSerializer"},
		{"REGISTER_SERIALIZER", "dj_rest_auth.registration.serializers.RegisterSerializer"},
	} {
		all = append(all, Setting{Name: s.name, Use: ByHand, Key: "endpoints.NAME.fields, endpoints.NAME.reply", Default: "'" + s.class + "'", Why: "fields and replies are in the class's code"})
	}
	all = append(all,
		Setting{Name: "SESSION_LOGIN", Use: NotSupported, Default: "False", Why: out}, // there, True: the profile is that of False
		Setting{Name: "USE_JWT", Use: NotSupported, Default: "False", Why: out})
	return under("REST_AUTH", append(of("dj_rest_auth", all), unread(NotSupported, out, "JWT_SERIALIZER", "JWT_SERIALIZER_WITH_EXPIRATION", "JWT_TOKEN_CLAIMS_SERIALIZER",
		"JWT_AUTH_COOKIE", "JWT_AUTH_REFRESH_COOKIE", "JWT_AUTH_REFRESH_COOKIE_PATH", "JWT_AUTH_SECURE", "JWT_AUTH_HTTPONLY", "JWT_AUTH_SAMESITE", "JWT_AUTH_COOKIE_DOMAIN",
		"JWT_AUTH_RETURN_EXPIRATION", "JWT_AUTH_COOKIE_USE_CSRF", "JWT_AUTH_COOKIE_ENFORCE_CSRF_ON_UNAUTHENTICATED")...)...)
}

// withoutApps takes from dj-rest-auth's profile what apps do that are not installed: without its registration nobody
// registers, and without allauth it finds users and makes links as Django does (dj_rest_auth/serializers.py 5.0,
// LoginSerializer.get_auth_user and PasswordResetSerializer.save).
func withoutApps(d *draft, apps *python.Value) error {
	if !apps.Complete() {
		return nil
	}
	if !apps.Has("dj_rest_auth.registration") || !apps.Has("allauth") {
		if err := verification(d, "none"); err != nil {
			return err
		}
	}
	if !apps.Has("dj_rest_auth.registration") {
		if err := d.remove("endpoints", "register"); err != nil {
			return err
		}
	}
	if apps.Has("allauth") {
		return nil
	}
	if err := loginBy(d, "username", "email"); err != nil {
		return err
	}
	return d.change(func(root *yaml.Node) error {
		drop(root, "usernames") // Django's names have a case; dj-rest-auth looks for addresses in any
		return errors.Join(setIn(root, "django", "mails", "links"), setIn(root, "Unable to log in with provided credentials.", "messages", "incomplete"))
	})
}

const oldPasswordKey = "endpoints.NAME.fields.old_password"

// oldPassword fills in the field of the caller's own password, and what a wrong one is told
// (dj_rest_auth/serializers.py 5.0, PasswordChangeSerializer).
func oldPassword(d *draft, v *python.Value) error {
	on, err := boolean(v)
	if err != nil || on == false {
		return err
	}
	err = d.endpoints(func(endpoint *yaml.Node) error {
		return addField(endpoint, "old_password", "{role: current_password, max_length: 128, label: Old password}", "password")
	}, "set_password")
	if err != nil {
		return err
	}
	return d.set("Your old password was entered incorrectly. Please enter it again.", "messages", "current_password")
}
