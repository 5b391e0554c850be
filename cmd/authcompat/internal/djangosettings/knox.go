package djangosettings

import (
	"errors"

	"gopkg.in/yaml.v3"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/djangosettings/python"
)

const out = "JWT, cookies, sessions and social login are not served"

// restKnox is REST_KNOX (knox/settings.py, DEFAULTS, of django-rest-knox 4.2 and 5.0).
func restKnox() []Setting {
	return under("REST_KNOX", []Setting{
		{Name: "TOKEN_TTL", Use: InProfile, Key: "tokens.ttl", Default: "timedelta(hours=10)", apply: put("tokens.ttl", lifetime), Why: "None is never"},
		{Name: "AUTH_TOKEN_CHARACTER_LENGTH", Use: InProfile, Key: "tokens.hex", Default: "64", apply: put("tokens.hex", integer)},
		{Name: "TOKEN_LIMIT_PER_USER", Use: InProfile, Key: "tokens.limit", Default: "None", apply: put("tokens.limit", integer)},
		{Name: "AUTO_REFRESH", Use: InProfile, Key: "tokens.sliding", Default: "False", apply: put("tokens.sliding", boolean)},
		{Name: "MIN_REFRESH_INTERVAL", Use: InProfile, Key: "tokens.sliding.interval", Default: "60", apply: ofSliding("interval", seconds), Why: "goes with AUTO_REFRESH"},
		{Name: "AUTO_REFRESH_MAX_TTL", Use: InProfile, Key: "tokens.sliding.max", Default: "None", apply: ofSliding("max", lifetime), Why: "knox 5; goes with AUTO_REFRESH"},
		{Name: "AUTH_HEADER_PREFIX", Use: InProfile, Key: "scheme", Default: "'Token'", apply: put("scheme", text)},
		{Name: "EXPIRY_DATETIME_FORMAT", Use: InProfile, Key: "formats.expiry", Default: "rest_framework.settings.api_settings.DATETIME_FORMAT", apply: expiryFormat},
		{Name: "TOKEN_PREFIX", Use: InProfile, Key: "tokens.prefix", Default: "''", apply: put("tokens.prefix", text), Why: "knox 5"},
		{Name: "USER_SERIALIZER", Use: InProfile, Key: "endpoints.login.reply.body.user", Default: "None", apply: userSerializer, Why: "knox's own is filled in, one of the project is written by hand"},
		{Name: "SECURE_HASH_ALGORITHM", Use: NoEffect, Why: "digests are authcompat's own; an import takes tokens over that have SHA-512, the default of each version"},
		{Name: "TOKEN_MODEL", Use: Configuration, Key: "import django --token-table", Default: "'knox.AuthToken'", Why: "knox 5"},
	}...)
}

// ofSliding fills in a key of tokens.sliding, which AUTO_REFRESH switches on.
func ofSliding(key string, convert func(*python.Value) (any, error)) func(*draft, *python.Value) error {
	return func(d *draft, v *python.Value) error {
		if entry(entry(d.root, "tokens"), "sliding") == nil {
			return errors.New("AUTO_REFRESH is not on")
		}
		return put("tokens.sliding."+key, convert)(d, v)
	}
}

// expiryFormat fills in how an expiry is written.
func expiryFormat(d *draft, v *python.Value) error {
	if v.Kind == python.None {
		return errors.New("an expiry that is no text has no form in a profile")
	}
	return ofExpiry("strftime")(d, v)
}

// ofExpiry fills in a key of formats.expiry, in which the login then shows the end of its token.
func ofExpiry(key string) func(*draft, *python.Value) error {
	return func(d *draft, v *python.Value) error {
		value, err := text(v)
		if err != nil {
			return err
		}
		return d.change(func(root *yaml.Node) error {
			shown := entry(entry(entry(entry(entry(root, "endpoints"), "login"), "reply"), "body"), "expiry")
			if shown == nil {
				return errors.New("this profile shows no expiry")
			}
			shown.Value = "$token.expiry|expiry"
			return setIn(root, value, "formats", "expiry", key)
		})
	}
}

// timeZone fills in the zone in which an expiry is written. That of UTC is there already.
func timeZone(d *draft, v *python.Value) error {
	if v.Text == "UTC" {
		return nil
	}
	return ofExpiry("zone")(d, v)
}

// userSerializer fills in the user whom a login shows (knox/serializers.py, UserSerializer).
func userSerializer(d *draft, v *python.Value) error {
	if v.Text != "knox.serializers.UserSerializer" {
		return errors.New("its fields are in its code: write them as endpoints.login.reply.body.user")
	}
	return d.endpoints(func(endpoint *yaml.Node) error {
		return setIn(endpoint, map[string]string{"username": "$user.username"}, "reply", "body", "user")
	}, "login")
}

// djoser is DJOSER (djoser/conf.py, default_settings, of djoser 2.1 and 2.2).
func djoser() []Setting {
	all := []Setting{
		{Name: "LOGIN_FIELD", Use: InProfile, Key: "endpoints.login.fields", NotYet: true, Why: "email: the login has a field email with the role email in place of username"},
		{Name: "USER_ID_FIELD", Use: InProfile, Key: "endpoints.NAME.path", NotYet: true, Why: "{id} or {username}"},
		{Name: "USER_CREATE_PASSWORD_RETYPE", Use: InProfile, Key: "endpoints.NAME.fields.re_password", Default: "False", apply: retype, Why: "a field with the role password_again"},
		{Name: "SET_PASSWORD_RETYPE", Use: InProfile, Key: "endpoints.NAME.fields.re_new_password", Default: "False", NotYet: true, Why: "a field of set_password with the role password_again"},
		{Name: "PASSWORD_RESET_CONFIRM_RETYPE", Use: InProfile, Key: "endpoints.NAME.fields.re_new_password", Default: "False", NotYet: true, Why: "a field of reset_password_confirm with the role password_again"},
		{Name: "SET_USERNAME_RETYPE", Use: InProfile, Key: "endpoints.NAME.fields.re_new_username", Default: "False", NotYet: true, Why: "a field of set_username with the role username_again"},
		{Name: "USERNAME_RESET_CONFIRM_RETYPE", Use: InProfile, Key: "endpoints.NAME.fields.re_new_username", Default: "False", NotYet: true, Why: "a field of reset_username_confirm with the role username_again"},
		{Name: "LOGOUT_ON_PASSWORD_CHANGE", Use: InProfile, Key: "endpoints.NAME.logout", Default: "False", NotYet: true, Why: "of set_password and reset_password_confirm"},
		{Name: "HIDE_USERS", Use: InProfile, Key: "endpoints.NAME.visible", Default: "True", NotYet: true, Why: "own for True, all for False"},
		{Name: "SEND_ACTIVATION_EMAIL", Use: InProfile, Key: "endpoints.NAME.action", Default: "False", NotYet: true, Why: "endpoints with the actions activate and resend_activation; smtp in the configuration"},
		{Name: "SEND_CONFIRMATION_EMAIL", Use: Configuration, Key: "smtp", Default: "False", NotYet: true},
		{Name: "PASSWORD_CHANGED_EMAIL_CONFIRMATION", Use: Configuration, Key: "smtp", Default: "False", NotYet: true},
		{Name: "USERNAME_CHANGED_EMAIL_CONFIRMATION", Use: Configuration, Key: "smtp", Default: "False", NotYet: true},
		{Name: "ACTIVATION_URL", Use: Configuration, Key: "mail.templates", Why: "the link of the mail stands in its template"},
		{Name: "PASSWORD_RESET_CONFIRM_URL", Use: Configuration, Key: "mail.templates", Why: "the link of the mail stands in its template"},
		{Name: "USERNAME_RESET_CONFIRM_URL", Use: Configuration, Key: "mail.templates", Why: "the link of the mail stands in its template"},
		{Name: "EMAIL", Use: Configuration, Key: "mail.templates", Why: "classes of the project are written as templates"},
		{Name: "PASSWORD_RESET_SHOW_EMAIL_NOT_FOUND", Use: NotSupported, Default: "False", Why: "nobody is told whether an address has an account"},
		{Name: "USERNAME_RESET_SHOW_EMAIL_NOT_FOUND", Use: NotSupported, Default: "False", Why: "nobody is told whether an address has an account"},
		{Name: "TOKEN_MODEL", Use: NoEffect, Default: "'rest_framework.authtoken.models.Token'", Why: "with None, for JWT, djoser has no token endpoints: remove login and logout"},
		{Name: "SERIALIZERS", Use: ByHand, Key: "endpoints.NAME.fields, reply", Default: "{}", Why: "fields and replies are in the classes' code"},
		{Name: "CONSTANTS", Use: ByHand, Key: "messages", Why: "the sentences are in the class's code"},
		{Name: "PERMISSIONS", Use: ByHand, Key: "endpoints.NAME.access, visible", Default: "{}", Why: "classes of the project are code"},
	}
	return under("DJOSER", append(all, unread(NotSupported, out, "CREATE_SESSION_ON_LOGIN", "SOCIAL_AUTH_TOKEN_STRATEGY", "SOCIAL_AUTH_ALLOWED_REDIRECT_URIS", "WEBAUTHN")...)...)
}

// retype fills in the field in which a password is typed again (djoser/serializers.py,
// UserCreatePasswordRetypeSerializer).
func retype(d *draft, v *python.Value) error {
	if v.Kind != python.Bool {
		return errors.New("it is neither True nor False")
	}
	return d.endpoints(func(endpoint *yaml.Node) error {
		if field(endpoint, "password_again") != nil {
			return nil
		}
		return setIn(endpoint, map[string]string{"role": "password_again"}, "fields", "re_password")
	}, "register")
}

// restAuth is REST_AUTH (dj_rest_auth/app_settings.py, DEFAULTS, of dj-rest-auth 5.0).
func restAuth() []Setting {
	all := []Setting{
		{Name: "OLD_PASSWORD_FIELD_ENABLED", Use: InProfile, Key: "endpoints.NAME.fields.old_password", Default: "False", NotYet: true, Why: "a field of set_password with the role current_password"},
		{Name: "LOGOUT_ON_PASSWORD_CHANGE", Use: InProfile, Key: "endpoints.NAME.logout", Default: "False", NotYet: true, Why: "of set_password; it ends a session there, and no token"},
		{Name: "PASSWORD_RESET_USE_SITES_DOMAIN", Use: Configuration, Key: "mail.templates", Default: "False", Why: "the link of the mail stands in its template"},
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
		all = append(all, Setting{Name: s.name, Use: ByHand, Key: "endpoints.NAME.fields, reply", Default: "'" + s.class + "'", Why: "fields and replies are in the class's code"})
	}
	return under("REST_AUTH", append(all, unread(NotSupported, out, "SESSION_LOGIN", "USE_JWT", "JWT_SERIALIZER", "JWT_SERIALIZER_WITH_EXPIRATION", "JWT_TOKEN_CLAIMS_SERIALIZER",
		"JWT_AUTH_COOKIE", "JWT_AUTH_REFRESH_COOKIE", "JWT_AUTH_REFRESH_COOKIE_PATH", "JWT_AUTH_SECURE", "JWT_AUTH_HTTPONLY", "JWT_AUTH_SAMESITE", "JWT_AUTH_COOKIE_DOMAIN",
		"JWT_AUTH_RETURN_EXPIRATION", "JWT_AUTH_COOKIE_USE_CSRF", "JWT_AUTH_COOKIE_ENFORCE_CSRF_ON_UNAUTHENTICATED")...)...)
}
