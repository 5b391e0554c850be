package djangosettings

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/djangosettings/python"
	"github.com/authcompat/authcompat/profiles"
)

// The apps that point to the bases.
const (
	withKnox   = "INSTALLED_APPS = ['rest_framework', 'knox']\n"
	withToken  = "INSTALLED_APPS = ['rest_framework', 'rest_framework.authtoken']\n"
	withDjoser = "INSTALLED_APPS = ('rest_framework', 'rest_framework.authtoken', 'djoser')\n"
	withAuth   = "INSTALLED_APPS = ['rest_framework.authtoken', 'allauth', 'dj_rest_auth', 'dj_rest_auth.registration']\n"
)

func mustInspect(t *testing.T, texts ...string) *Report {
	t.Helper()
	var files []python.File
	for i, text := range texts {
		files = append(files, python.File{Name: fmt.Sprintf("%c.py", 'a'+i), Text: []byte(text)})
	}
	r, err := Inspect(files...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// mustProfile gives the profile of a report, which has to load.
func mustProfile(t *testing.T, r *Report) *profiles.Profile {
	t.Helper()
	p, err := profiles.Parse("profile.yaml", []byte(r.Profile))
	if err != nil {
		t.Fatalf("%v\n%s", err, r.Profile)
	}
	return p
}

// expiryShown gives the formats of a profile, and how its login shows the end of a token.
func expiryShown(p *profiles.Profile) any {
	text, _ := p.YAML()
	_, formats, found := strings.Cut(string(text), "\nformats:")
	formats, _, _ = strings.Cut(formats, "\nerrors:")
	_, shown, _ := strings.Cut(string(text), "expiry: $")
	shown, _, _ = strings.Cut(shown, ",")
	if !found {
		return "$" + shown
	}
	return "formats: " + strings.Join(strings.Fields(formats), " ") + " $" + shown
}

// named gives the endpoint with a name.
func named(p *profiles.Profile, name string) profiles.Endpoint {
	i := slices.IndexFunc(p.Endpoints, func(e profiles.Endpoint) bool { return e.Name == name })
	return p.Endpoints[i]
}

// roles gives those of an endpoint's fields.
func roles(e profiles.Endpoint) []profiles.Role {
	var all []profiles.Role
	for _, f := range e.Fields {
		if !f.Ignored {
			all = append(all, f.Role)
		}
	}
	return all
}

// anyText tells whether an endpoint's address need not look like one.
func anyText(e profiles.Endpoint) bool {
	f, _ := e.Field(profiles.RoleEmail)
	return f.AnyText
}

// shown gives the keys of the reply of an endpoint, by its name or its action.
func shown(p *profiles.Profile, endpoint string) []string {
	text, _ := p.YAML()
	var file struct {
		Endpoints map[string]struct {
			Action string
			Reply  struct{ Body yaml.Node }
		}
	}
	if err := yaml.Unmarshal(text, &file); err != nil {
		return []string{err.Error()}
	}
	var keys []string
	for name, e := range file.Endpoints {
		if name != endpoint && e.Action != endpoint {
			continue
		}
		for i := 0; i < len(e.Reply.Body.Content); i += 2 {
			keys = append(keys, e.Reply.Body.Content[i].Value)
		}
	}
	return keys
}

// ofOthers gives what becomes of accounts of others: in lists, shown, changed and removed.
func ofOthers(p *profiles.Profile) any {
	return fmt.Sprint(named(p, "user_list").Others, " ", named(p, "user").Others, " ", named(p, "user_update").Others, " ", named(p, "user_delete").Others)
}

// restAuthApps gives what depends on the apps that are installed beside dj-rest-auth: by what users log in, where they
// register, the links of mails, and how names and addresses are compared.
func restAuthApps(p *profiles.Profile) any {
	var all []string
	for _, role := range roles(named(p, "login")) {
		all = append(all, string(role))
	}
	register := "-"
	if e, there := p.Endpoint(profiles.Register); there {
		register = e.Path
	}
	return strings.Join(append(all, register, string(p.Mails.Links), string(p.Usernames.Case), string(p.Emails.Case)), " ")
}

// TestFilledIn sets one setting, and looks at what the profile then has.
func TestFilledIn(t *testing.T) {
	const td = "from datetime import timedelta\n"
	endpoint := func(p *profiles.Profile, a profiles.Action) profiles.Endpoint { e, _ := p.Endpoint(a); return e }
	header := func(p *profiles.Profile, name string) string {
		for _, h := range p.Headers {
			if h.Name == name {
				return h.Value
			}
		}
		return "none"
	}
	for _, tt := range []struct {
		settings string
		got      func(*profiles.Profile) any
		want     any
	}{
		{td + withKnox + "REST_KNOX = {'TOKEN_TTL': timedelta(days=45)}", func(p *profiles.Profile) any { return p.Tokens.TTL }, 45 * 24 * time.Hour},
		{td + withKnox + "REST_KNOX = {'TOKEN_TTL': timedelta(minutes=90, seconds=1)}", func(p *profiles.Profile) any { return p.Tokens.TTL }, 90*time.Minute + time.Second},
		{withKnox + "REST_KNOX = {'TOKEN_TTL': None}", func(p *profiles.Profile) any { return p.Tokens.TTL }, time.Duration(0)},
		{withKnox + "REST_KNOX = dict(AUTH_TOKEN_CHARACTER_LENGTH=40)", func(p *profiles.Profile) any { return p.Tokens.Hex }, 40},
		{withKnox + "REST_KNOX = {}\nREST_KNOX['AUTO_REFRESH'] = True", func(p *profiles.Profile) any { return p.Tokens.Sliding }, true},
		{withKnox + "REST_KNOX = {'AUTH_HEADER_PREFIX': 'Bearer'}", func(p *profiles.Profile) any { return p.Scheme }, "Bearer"},
		{withKnox + "REST_KNOX = {'TOKEN_LIMIT_PER_USER': 5}", func(p *profiles.Profile) any { return p.Tokens.Limit }, 5},
		{withKnox + "REST_KNOX = {'TOKEN_PREFIX': 'kx_'}", func(p *profiles.Profile) any { return p.Tokens.Prefix }, "kx_"},
		{td + withKnox + "REST_KNOX = {'MIN_REFRESH_INTERVAL': 300, 'AUTO_REFRESH': True, 'AUTO_REFRESH_MAX_TTL': timedelta(days=30)}", func(p *profiles.Profile) any {
			text, _ := p.YAML()
			return strings.Contains(string(text), "sliding: {interval: 5m, max: 30d}")
		}, true},
		{withKnox + "REST_FRAMEWORK = {'NON_FIELD_ERRORS_KEY': 'errors'}", func(p *profiles.Profile) any { return p.Errors.NonField }, "errors"},
		{withKnox + "REST_KNOX = {'EXPIRY_DATETIME_FORMAT': '%d/%m/%Y'}\nTIME_ZONE = 'Europe/Paris'", expiryShown, "formats: expiry: {strftime: '%d/%m/%Y', zone: Europe/Paris} $token.expiry|expiry"},
		{withKnox + "REST_FRAMEWORK = {'DATETIME_FORMAT': '%Y'}\nTIME_ZONE = 'UTC'", expiryShown, "formats: expiry: {strftime: '%Y', zone: UTC} $token.expiry|expiry"},
		{withKnox + "REST_KNOX = {}\nTIME_ZONE = 'UTC'", expiryShown, "$token.expiry"},
		{withKnox + "REST_KNOX = {'MIN_REFRESH_INTERVAL': 300}", func(p *profiles.Profile) any { return p.Tokens.Sliding }, false},
		{withKnox + "REST_FRAMEWORK = {'DEFAULT_AUTHENTICATION_CLASSES': ('rest_framework.authentication.BasicAuthentication', 'knox.auth.TokenAuthentication')}\nREST_KNOX = {'AUTH_HEADER_PREFIX': 'Bearer'}", func(p *profiles.Profile) any { return fmt.Sprint(p.Authentication) }, "[{basic api} {token Bearer}]"},
		{withKnox + "REST_KNOX = {}", func(p *profiles.Profile) any { return p.Tokens.Match }, profiles.MatchKnox42},
		{withKnox + "REST_KNOX = {'TOKEN_PREFIX': ''}", func(p *profiles.Profile) any { return p.Tokens.Match }, profiles.MatchExact},
		{withToken + "REST_FRAMEWORK = {'STRICT_JSON': False}", func(p *profiles.Profile) any { return p.Rules.Constants }, profiles.Accept},
		{withToken + "REST_FRAMEWORK = {'COMPACT_JSON': False, 'UNICODE_JSON': False}", func(p *profiles.Profile) any { return p.Rules.JSON }, profiles.JSONSpaced},
		{withToken + "REST_FRAMEWORK = {'COMPACT_JSON': False}", func(p *profiles.Profile) any { return p.Rules.JSON }, profiles.JSONCompact},
		{withKnox + "REST_FRAMEWORK = {'DEFAULT_RENDERER_CLASSES': ('rest_framework.renderers.JSONRenderer',)}", func(p *profiles.Profile) any { return endpoint(p, profiles.Logout).Renderers }, []profiles.Renderer{"json"}},
		{withToken + "REST_FRAMEWORK = {'DEFAULT_PARSER_CLASSES': ['rest_framework.parsers.JSONParser']}", func(p *profiles.Profile) any { return len(endpoint(p, profiles.Login).Parsers) }, 3},
		{withKnox + "REST_FRAMEWORK = {'DEFAULT_PARSER_CLASSES': ['rest_framework.parsers.JSONParser']}", func(p *profiles.Profile) any { return endpoint(p, profiles.Login).Parsers }, []profiles.Parser{"json"}},
		{withToken + "APPEND_SLASH = False", func(p *profiles.Profile) any { return p.TrailingSlash }, profiles.SlashExact},
		{withDjoser + "APPEND_SLASH = False", func(p *profiles.Profile) any {
			return fmt.Sprint(p.TrailingSlash, endpoint(p, profiles.Login).TrailingSlash)
		}, "exactoptional"},
		{withToken + "MIDDLEWARE = ['django.middleware.security.SecurityMiddleware']", func(p *profiles.Profile) any {
			return fmt.Sprint(p.TrailingSlash, header(p, "X-Frame-Options"), header(p, "Referrer-Policy"))
		}, "exactnonesame-origin"},
		{withToken + "X_FRAME_OPTIONS = 'sameorigin'", func(p *profiles.Profile) any { return header(p, "X-Frame-Options") }, "SAMEORIGIN"},
		{withToken + "MIDDLEWARE = []\nX_FRAME_OPTIONS = 'sameorigin'", func(p *profiles.Profile) any { return header(p, "X-Frame-Options") }, "none"},
		{withToken + "SECURE_REFERRER_POLICY = ['origin', 'same-origin']", func(p *profiles.Profile) any { return header(p, "Referrer-Policy") }, "origin,same-origin"},
		{withToken + "SECURE_REFERRER_POLICY = None", func(p *profiles.Profile) any { return header(p, "Referrer-Policy") }, "none"},
		{withToken + "SECURE_CONTENT_TYPE_NOSNIFF = False", func(p *profiles.Profile) any { return header(p, "X-Content-Type-Options") }, "none"},
		{withToken + "CORS_ALLOWED_ORIGINS = ['https://a.example']\nCORS_ALLOW_CREDENTIALS = True", func(p *profiles.Profile) any { return fmt.Sprint(p.CORS.Origins, p.CORS.Credentials) }, "[https://a.example] true"},
		{withToken + "CORS_ALLOWED_ORIGINS = ['https://a.example']\nCORS_ORIGIN_ALLOW_ALL = True", func(p *profiles.Profile) any { return fmt.Sprint(p.CORS.Origins, p.CORS.AllOrigins) }, "[] true"},
		{withToken + "MIDDLEWARE = []\nCORS_ORIGIN_ALLOW_ALL = True", func(p *profiles.Profile) any { return p.CORS == nil }, true},
		{withToken + "import re\nCORS_ALLOWED_ORIGIN_REGEXES = [re.compile(r'^https://\\w+\\.a$')]", func(p *profiles.Profile) any { return p.CORS.OriginPatterns }, []string{`^https://\w+\.a$`}},
		{withToken + "from corsheaders.defaults import default_headers\nCORS_ALLOW_HEADERS = (*default_headers, 'x-a')\nCORS_ALLOW_PRIVATE_NETWORK = True", func(p *profiles.Profile) any { return fmt.Sprint(len(p.CORS.Headers), p.CORS.PrivateNetwork) }, "10 true"},
		{withToken + "CORS_EXPOSE_HEADERS = ['X-A']\nCORS_PREFLIGHT_MAX_AGE = 60 * 60\nCORS_URLS_REGEX = r'^/api/.*$'\nCORS_ALLOW_METHODS = ('GET',)", func(p *profiles.Profile) any {
			return fmt.Sprint(p.CORS.ExposeHeaders, p.CORS.MaxAge, p.CORS.Paths, p.CORS.Methods)
		}, "[X-A] 3600^/api/.*$[GET]"},
		{withDjoser + "AUTH_PASSWORD_VALIDATORS = [{'NAME': 'django.contrib.auth.password_validation.' + n} for n in x]", func(p *profiles.Profile) any { return len(p.Passwords.Validators) }, 3},
		{withDjoser + "AUTH_PASSWORD_VALIDATORS = []", func(p *profiles.Profile) any { return fmt.Sprint(p.Passwords.Validators, p.Passwords.Stage) }, "[]"},
		{withAuth + "AUTH_PASSWORD_VALIDATORS = []", func(p *profiles.Profile) any { return fmt.Sprint(p.Passwords.Validators, p.Passwords.Stage) }, "[]field"},
		{withDjoser + "V = 'django.contrib.auth.password_validation.'\nAUTH_PASSWORD_VALIDATORS = [{'NAME': V + 'MinimumLengthValidator', 'OPTIONS': {'min_length': 12}}, {'NAME': V + 'NumericPasswordValidator'}]", func(p *profiles.Profile) any { return fmt.Sprint(p.Passwords.Validators, p.Passwords.MinLength) }, "[min_length numeric] 12"},
		{withDjoser + "DJOSER = {'USER_CREATE_PASSWORD_RETYPE': True}", func(p *profiles.Profile) any {
			f, ok := endpoint(p, profiles.Register).Field(profiles.RolePasswordAgain)
			return fmt.Sprint(f.Name, ok)
		}, "re_passwordtrue"},
		{withAuth + "ACCOUNT_EMAIL_REQUIRED = True", func(p *profiles.Profile) any {
			f, _ := endpoint(p, profiles.Register).Field(profiles.RoleEmail)
			return f.Required
		}, true},
		{withAuth + "ACCOUNT_PRESERVE_USERNAME_CASING = False", func(p *profiles.Profile) any {
			f, _ := endpoint(p, profiles.Login).Field(profiles.RoleUsername)
			return f.Lower
		}, true},
		{withKnox + "REST_KNOX = {'USER_SERIALIZER': 'knox.serializers.UserSerializer'}", func(p *profiles.Profile) any {
			text, _ := p.YAML()
			return strings.Contains(string(text), "user: {username: $user.username}") || strings.Contains(string(text), "username: $user.username")
		}, true},
		{withDjoser + "DJOSER = {'LOGIN_FIELD': 'email'}", func(p *profiles.Profile) any {
			e, _ := endpoint(p, profiles.Update).Field(profiles.RoleEmail)
			return fmt.Sprint(roles(endpoint(p, profiles.Login)), anyText(endpoint(p, profiles.Login)), roles(endpoint(p, profiles.Update)), e.ReadOnly, shown(p, "list"), shown(p, "me"), shown(p, "user_create"))
		}, "[password email] true [email id] true [email id] [email id] [email username id]"},
		{withDjoser + "DJOSER = {'USER_ID_FIELD': 'username'}", func(p *profiles.Profile) any {
			return fmt.Sprint(named(p, "user").Path, named(p, "user").Others, shown(p, "me"), roles(named(p, "user_create")))
		}, "/auth/users/{username}/hidden[email username] [email username password]"},
		{withDjoser + "DJOSER = {'SET_PASSWORD_RETYPE': True, 'PASSWORD_RESET_CONFIRM_RETYPE': True, 'SET_USERNAME_RETYPE': True, 'USERNAME_RESET_CONFIRM_RETYPE': True}", func(p *profiles.Profile) any {
			return fmt.Sprint(roles(named(p, "set_password")), roles(named(p, "reset_password_confirm")), roles(named(p, "set_username")), roles(named(p, "reset_username_confirm")))
		}, "[password password_again current_password] [uid token password password_again] [current_password username username_again] [username username_again uid token]"},
		{withDjoser + "DJOSER = {'SET_PASSWORD_RETYPE': True}", func(p *profiles.Profile) any {
			f, _ := named(p, "set_password").Field(profiles.RolePasswordAgain)
			return fmt.Sprint(f.Name, "/", f.Label, "/", f.Required, len(named(p, "reset_password_confirm").Fields))
		}, "re_new_password/Re new password/true 3"},
		{withDjoser + "DJOSER = {'LOGOUT_ON_PASSWORD_CHANGE': True}", func(p *profiles.Profile) any { return named(p, "set_password").Logout }, true},
		{withDjoser + "DJOSER = {'HIDE_USERS': False}", ofOthers, "visible forbidden forbidden forbidden"},
		{withDjoser + "DJOSER = {'PERMISSIONS': {'user': ['djoser.permissions.CurrentUserOrAdminOrReadOnly']}}", ofOthers, "hidden visible hidden forbidden"},
		{withDjoser + "DJOSER = {'HIDE_USERS': False, 'PERMISSIONS': {'user': ('djoser.permissions.CurrentUserOrAdminOrReadOnly',)}}", ofOthers, "visible visible forbidden forbidden"},
		{withDjoser + "DJOSER = {'HIDE_USERS': True, 'PERMISSIONS': {'user_delete': ['rest_framework.permissions.AllowAny'], 'user_create': ['rest_framework.permissions.IsAuthenticated']}}", func(p *profiles.Profile) any {
			return fmt.Sprint(ofOthers(p), named(p, "user_create").Access)
		}, "hidden hidden hidden forbidden" + "open"},
		{withDjoser + "DJOSER = {'PERMISSIONS': {'user_create': ['rest_framework.permissions.IsAuthenticated'], 'user_list': ['rest_framework.permissions.IsAuthenticated']}}", func(p *profiles.Profile) any {
			return fmt.Sprint(ofOthers(p), named(p, "user_create").Access, named(p, "login").Access)
		}, "hidden hidden hidden forbidden" + "token" + "open"},
		{withDjoser + "DJOSER = {'SEND_ACTIVATION_EMAIL': True, 'SEND_CONFIRMATION_EMAIL': True, 'PASSWORD_CHANGED_EMAIL_CONFIRMATION': True, 'USERNAME_CHANGED_EMAIL_CONFIRMATION': False, 'ACTIVATION_URL': 'a/{uid}/{token}'}", func(p *profiles.Profile) any {
			return fmt.Sprint(p.Mails.Send, p.Mails.ActivationURL)
		}, "[activation confirmation password_changed_confirmation]a/{uid}/{token}"},
		{withDjoser + "DJOSER = {'PASSWORD_RESET_CONFIRM_URL': 'https://a.example/p/{uid}/{token}', 'USERNAME_RESET_CONFIRM_URL': 'u/{uid}/{token}'}", func(p *profiles.Profile) any {
			return p.Mails.PasswordResetConfirmURL + " " + p.Mails.UsernameResetConfirmURL
		}, "https://a.example/p/{uid}/{token} u/{uid}/{token}"},
		{withDjoser + "DJOSER = {'PASSWORD_RESET_SHOW_EMAIL_NOT_FOUND': True, 'USERNAME_RESET_SHOW_EMAIL_NOT_FOUND': False}", func(p *profiles.Profile) any { return p.Mails.ShowEmailNotFound }, true},
		{withAuth, restAuthApps, "username password /dj-rest-auth/registration/ allauth insensitive insensitive"},
		{"INSTALLED_APPS = ['dj_rest_auth', 'allauth']", restAuthApps, "username password - allauth insensitive insensitive"},
		{"INSTALLED_APPS = ['dj_rest_auth']", restAuthApps, "username email password - django exact insensitive"},
		{"INSTALLED_APPS = A + ['dj_rest_auth']", restAuthApps, "username password /dj-rest-auth/registration/ allauth insensitive insensitive"},
		{withAuth + "REST_AUTH = {'OLD_PASSWORD_FIELD_ENABLED': True}", func(p *profiles.Profile) any {
			return fmt.Sprint(roles(named(p, "password_change")), p.Messages["current_password"])
		}, "[current_password password password_again]Your old password was entered incorrectly. Please enter it again."},
		{withAuth + "OLD_PASSWORD_FIELD_ENABLED = True", func(p *profiles.Profile) any { return len(named(p, "password_change").Fields) }, 3},
		{withDjoser + "OLD_PASSWORD_FIELD_ENABLED = True", func(p *profiles.Profile) any { return len(named(p, "set_password").Fields) }, 2},
		{withAuth + "ACCOUNT_AUTHENTICATION_METHOD = 'email'", func(p *profiles.Profile) any {
			return fmt.Sprint(roles(named(p, "login")), anyText(named(p, "login")), p.Messages["incomplete"])
		}, `[email password] falseMust include "email" and "password".`},
		{withAuth + "from allauth.account.app_settings import AuthenticationMethod\nACCOUNT_AUTHENTICATION_METHOD = AuthenticationMethod.USERNAME_EMAIL", func(p *profiles.Profile) any {
			return fmt.Sprint(roles(named(p, "login")), p.Messages["incomplete"])
		}, `[username email password]Must include either "username" or "email" and "password".`},
		{withAuth + "ACCOUNT_AUTHENTICATION_METHOD = 'email'\nACCOUNT_LOGIN_METHODS = {'email', 'username'}", func(p *profiles.Profile) any { return fmt.Sprint(roles(named(p, "login"))) }, "[username email password]"},
		{withAuth + "ACCOUNT_USERNAME_MIN_LENGTH = 5", func(p *profiles.Profile) any { return named(p, "register").Fields[0].MinLength }, 5},
		{withAuth + "ACCOUNT_LOGOUT_ON_GET = True", func(p *profiles.Profile) any {
			return fmt.Sprint(named(p, "logout").Methods, named(p, "logout").View.Allow)
		}, "[GET POST] [GET POST HEAD OPTIONS]"},
	} {
		if diff := cmp.Diff(tt.want, tt.got(mustProfile(t, mustInspect(t, tt.settings)))); diff != "" {
			t.Errorf("%s\n%s", tt.settings, diff)
		}
	}
}

// TestResults says what becomes of single settings.
func TestResults(t *testing.T) {
	for _, tt := range []struct{ settings, setting, want string }{
		{withKnox + "REST_KNOX = {'AUTH_TOKEN_CHARACTER_LENGTH': 64}", "REST_KNOX AUTH_TOKEN_CHARACTER_LENGTH", "default: "},
		{withKnox + "REST_KNOX = {'AUTH_TOKEN_CHARACTER_LENGTH': 20}", "REST_KNOX AUTH_TOKEN_CHARACTER_LENGTH", "not supported: tokens.hex: want a whole number from 32 to 128, not the number 20"},
		{withKnox + "import os\nREST_KNOX = {'AUTH_TOKEN_CHARACTER_LENGTH': int(os.environ['L'])}", "REST_KNOX AUTH_TOKEN_CHARACTER_LENGTH", "not known: calls int(…), a name that nothing read so far has set"},
		{withKnox + "REST_KNOX = {'TOKEN_LIMIT_PER_USER': None}", "REST_KNOX TOKEN_LIMIT_PER_USER", "default: "},
		{withKnox + "REST_KNOX = {'MY_KEY': 's3cret'}", "REST_KNOX MY_KEY", "not supported: no version that is known here has this setting"},
		{withKnox + "REST_KNOX = load()", "REST_KNOX", "not known: calls load(…), a name that nothing read so far has set"},
		{withKnox + "from .base import REST_KNOX", "REST_KNOX", "not known: comes from .base.REST_KNOX"},
		{withKnox + "REST_KNOX = {'USER_SERIALIZER': 'app.S'}", "REST_KNOX USER_SERIALIZER", "not supported: its fields are in its code: write them as endpoints.login.reply.body.user"},
		{withKnox + "from rest_framework.settings import api_settings\nREST_KNOX = {'EXPIRY_DATETIME_FORMAT': api_settings.DATETIME_FORMAT}", "REST_KNOX EXPIRY_DATETIME_FORMAT", "default: "},
		{withToken + "REST_FRAMEWORK = {'EXCEPTION_HANDLER': 'app.handler'}", "REST_FRAMEWORK EXCEPTION_HANDLER", "left: what it answers is in its code"},
		{withToken + "REST_FRAMEWORK = {'DEFAULT_RENDERER_CLASSES': ['app.R']}", "REST_FRAMEWORK DEFAULT_RENDERER_CLASSES", "not supported: app.R is a class of the project or of another package"},
		{withToken + "REST_FRAMEWORK = {'DEFAULT_RENDERER_CLASSES': ('rest_framework.renderers.JSONRenderer',) + env}", "REST_FRAMEWORK DEFAULT_RENDERER_CLASSES", "not known: is the name env, which nothing read so far has set"},
		{withToken + "REST_FRAMEWORK = {'DEFAULT_AUTHENTICATION_CLASSES': ['rest_framework_simplejwt.authentication.JWTAuthentication']}", "REST_FRAMEWORK DEFAULT_AUTHENTICATION_CLASSES", "not supported: JWT, cookies, sessions and social login are not served"},
		{withToken + "REST_FRAMEWORK = {'DEFAULT_AUTHENTICATION_CLASSES': ['app.Bearer']}", "REST_FRAMEWORK DEFAULT_AUTHENTICATION_CLASSES", "not supported: app.Bearer is a class of the project or of another package"},
		{withToken + "REST_FRAMEWORK = {'PAGE_SIZE': 10}", "REST_FRAMEWORK PAGE_SIZE", "not supported: goes with DEFAULT_PAGINATION_CLASS"},
		{withToken + "REST_FRAMEWORK = {'DEFAULT_PERMISSION_CLASSES': []}", "REST_FRAMEWORK DEFAULT_PERMISSION_CLASSES", "left: the views of these packages say themselves who may use them"},
		{withToken + "AUTH_PASSWORD_VALIDATORS = [{'NAME': 'django.contrib.auth.password_validation.NumericPasswordValidator'}]", "AUTH_PASSWORD_VALIDATORS", "not supported: this profile has no such endpoint"},
		{withDjoser + "AUTH_PASSWORD_VALIDATORS = [{'NAME': 'app.V'}]", "AUTH_PASSWORD_VALIDATORS", "not supported: app.V is a validator of the project or of another package"},
		{withDjoser + "DJOSER = {'LOGIN_FIELD': 'phone'}", "DJOSER LOGIN_FIELD", "not supported: users log in by username or email"},
		{withDjoser + "DJOSER = {'USER_ID_FIELD': 'uuid'}", "DJOSER USER_ID_FIELD", "not supported: a path names a user by {id} or {username}"},
		{withDjoser + "DJOSER = {'ACTIVATION_URL': 'a/{uid}'}", "DJOSER ACTIVATION_URL", "not supported: mails.activation_url: a link has {token} once"},
		{withDjoser + "DJOSER = {'PERMISSIONS': {'user': ['rest_framework.permissions.IsAuthenticated']}}", "DJOSER PERMISSIONS", "not supported: user: a profile has no such permission there"},
		{withDjoser + "DJOSER = {'PERMISSIONS': load()}", "DJOSER PERMISSIONS", "not known: calls load(…), a name that nothing read so far has set"},
		{withDjoser + "DJOSER = {'HIDE_USERS': True}", "DJOSER HIDE_USERS", "default: "},
		{withDjoser + "ACCOUNT_EMAIL_REQUIRED = True", "ACCOUNT_EMAIL_REQUIRED", "not supported: the profile is that of djoser"},
		{withAuth + "DJOSER = {'SET_PASSWORD_RETYPE': True}", "DJOSER SET_PASSWORD_RETYPE", "not supported: the profile is that of dj-rest-auth"},
		{withAuth + "REST_AUTH = {'LOGOUT_ON_PASSWORD_CHANGE': True}", "REST_AUTH LOGOUT_ON_PASSWORD_CHANGE", "left: it ends a session, and no token"},
		{withAuth + "REST_AUTH = {'SESSION_LOGIN': False}", "REST_AUTH SESSION_LOGIN", "default: "},
		{withAuth + "REST_AUTH = {'SESSION_LOGIN': True}", "REST_AUTH SESSION_LOGIN", "not supported: JWT, cookies, sessions and social login are not served"},
		{withAuth + "REST_SESSION_LOGIN = False", "REST_SESSION_LOGIN", "default: "},
		{withDjoser + "TIME_ZONE = 'Europe/Berlin'", "TIME_ZONE", "not supported: this profile shows no expiry; for links in mails write django_time_zone in the configuration"},
		{withAuth + "ACCOUNT_LOGIN_METHODS = {'phone'}", "ACCOUNT_LOGIN_METHODS", "not supported: users log in by username, by email or by either"},
		{withAuth + "ACCOUNT_EMAIL_VERIFICATION = 'optional'", "ACCOUNT_EMAIL_VERIFICATION", "default: "},
		{withAuth + "ACCOUNT_EMAIL_VERIFICATION = 'later'", "ACCOUNT_EMAIL_VERIFICATION", "not supported: it is none of none, optional and mandatory"},
		{withToken + "MIDDLEWARE = ['a'] + env", "MIDDLEWARE", "not known: is the name env, which nothing read so far has set"},
		{withToken + "MIDDLEWARE = []\nCORS_ALLOW_CREDENTIALS = True", "CORS_ALLOW_CREDENTIALS", "not supported: MIDDLEWARE has no corsheaders.middleware.CorsMiddleware"},
		{withToken + "CORS_ALLOWED_ORIGINS = ['https://a.example/']", "CORS_ALLOWED_ORIGINS", "not supported: cors.origins[0]: an origin ends with its host or its port: it has no path, not even a slash"},
		{withToken + "if DEBUG: CORS_ALLOW_ALL_ORIGINS = True", "CORS_ALLOW_ALL_ORIGINS", "not known: depends on the if of line 2"},
	} {
		r := mustInspect(t, tt.settings)
		mustProfile(t, r)
		got := "not there"
		for _, f := range r.Settings {
			if f.Setting == tt.setting {
				got = f.Result + ": " + f.Why
			}
		}
		if got != tt.want {
			t.Errorf("%s\ngot  %s\nwant %s", tt.settings, got, tt.want)
		}
	}
}

// TestBase says which package the settings point to.
func TestBase(t *testing.T) {
	for settings, want := range map[string]string{
		withKnox:                              "django-rest-knox 4.2",
		withToken:                             "Django REST framework's authtoken",
		withDjoser:                            "djoser",
		withAuth:                              "dj-rest-auth",
		withKnox + "KNOX_TOKEN_MODEL = 'a.B'": "django-rest-knox 5",
		withKnox + "REST_KNOX = {'SECURE_HASH_ALGORITHM': 'hashlib.sha512'}":                                             "django-rest-knox 5",
		"INSTALLED_APPS = A + ['knox']":                                                                                  "django-rest-knox 4.2",
		"from .base import *\nDJOSER = {}":                                                                               "djoser",
		"REST_FRAMEWORK = {'DEFAULT_AUTHENTICATION_CLASSES': ['knox.auth.TokenAuthentication']}":                         "django-rest-knox 4.2",
		"REST_FRAMEWORK = {'DEFAULT_AUTHENTICATION_CLASSES': ('rest_framework.authentication.TokenAuthentication',)}":    "Django REST framework's authtoken",
		"INSTALLED_APPS = ['a']\nREST_FRAMEWORK = {'DEFAULT_AUTHENTICATION_CLASSES': ['knox.auth.TokenAuthentication']}": "",
		"INSTALLED_APPS = ['rest_framework']":                                                                            "",
		"":                                                                                                               "",
	} {
		r := mustInspect(t, settings)
		if r.Base != want || (r.Profile == "") != (want == "") {
			t.Errorf("%s: %q, want %q", settings, r.Base, want)
		}
	}
}

// TestKnox makes a profile that of a generation of knox, if its tokens are knox's.
func TestKnox(t *testing.T) {
	for settings, want := range map[string]profiles.LegacyFormat{withKnox: profiles.LegacyKnox5, withDjoser: "", "": ""} {
		r := mustInspect(t, settings)
		if err := r.Knox("exact", "knox-5.x"); err != nil {
			t.Fatal(err)
		}
		if r.Profile == "" {
			continue
		}
		if p := mustProfile(t, r); p.Tokens.LegacyFormat != want {
			t.Errorf("%s: %q", settings, p.Tokens.LegacyFormat)
		}
	}
}

// TestNoSecret looks for secrets of a project in all that is reported.
func TestNoSecret(t *testing.T) {
	r := mustInspect(t, withKnox+`import os, environ
env = environ.Env()
SECRET_KEY = 'hunter2'
SIMPLE_JWT = {'SIGNING_KEY': 'hunter2'}
DJOSER = {'WEBAUTHN': {'KEY': 'hunter2'}}
DATABASES = {'default': {'PASSWORD': 'hunter2'}}
REST_KNOX = {'TOKEN_TTL': env('T', default='hunter2'), 'hunter': 'hunter2', 'AUTH_HEADER_PREFIX': os.environ.get('hunter2') or 'hunter2'}
REST_FRAMEWORK = {'SIGNING_KEY': 'hunter2', **load(key='hunter2')}
CORS_ALLOWED_ORIGINS = env.list('x', default=['hunter2'])
from hunter import settings
settings(locals(), key='hunter2')
class Prod(Base):
    SECRET_KEY = 'hunter2'
`)
	if got := fmt.Sprintf("%+v", r); strings.Contains(got, "hunter2") {
		t.Error(got)
	}
}

// FuzzInspect makes profiles of anything. Each loads.
func FuzzInspect(f *testing.F) {
	for _, text := range []string{
		withKnox + "REST_KNOX = {'TOKEN_TTL': timedelta(hours=1), 'AUTH_HEADER_PREFIX': 'a b', 'USER_SERIALIZER': None}", withToken + "REST_FRAMEWORK = {'STRICT_JSON': 1}\nCORS_URLS_REGEX = '('\nMIDDLEWARE = []",
		withDjoser + "DJOSER = {'USER_CREATE_PASSWORD_RETYPE': True}\nAUTH_PASSWORD_VALIDATORS = [1, {}]", withDjoser + "DJOSER = {'LOGIN_FIELD': 'email', 'USER_ID_FIELD': 'username', 'HIDE_USERS': False, 'PERMISSIONS': {'user': [1]}, 'SEND_ACTIVATION_EMAIL': True, 'ACTIVATION_URL': '{uid}'}",
		withAuth + "REST_AUTH = {'OLD_PASSWORD_FIELD_ENABLED': True}\nACCOUNT_LOGIN_METHODS = {'email'}\nACCOUNT_LOGOUT_ON_GET = True", withAuth + "ACCOUNT_EMAIL_REQUIRED = True\nX_FRAME_OPTIONS = '\\n'\nSECURE_REFERRER_POLICY = ['\\x00']",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := Inspect(python.File{Name: "a\n.py", Text: text})
		if err == nil && r.Profile != "" {
			mustProfile(t, r)
		}
	})
}
