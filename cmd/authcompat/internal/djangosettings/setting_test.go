package djangosettings

import (
	"errors"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/authcompat/authcompat/profiles"
)

// samples are settings that each fill in their key: not one of them leaves the profile as it was.
func samples() map[string]string {
	knox := func(key, value string) string {
		return withKnox + "from datetime import timedelta\nREST_KNOX = {" + key + ": " + value + "}"
	}
	framework := func(key, value string) string { return withKnox + "REST_FRAMEWORK = {" + key + ": " + value + "}" }
	djoser := func(key, value string) string { return withDjoser + "DJOSER = {" + key + ": " + value + "}" }
	return map[string]string{
		"REST_FRAMEWORK DEFAULT_AUTHENTICATION_CLASSES": framework("'DEFAULT_AUTHENTICATION_CLASSES'", "['knox.auth.TokenAuthentication']"),
		"REST_FRAMEWORK DEFAULT_RENDERER_CLASSES":       framework("'DEFAULT_RENDERER_CLASSES'", "['rest_framework.renderers.JSONRenderer']"),
		"REST_FRAMEWORK DEFAULT_PARSER_CLASSES":         framework("'DEFAULT_PARSER_CLASSES'", "['rest_framework.parsers.JSONParser']"),
		"REST_FRAMEWORK NON_FIELD_ERRORS_KEY":           framework("'NON_FIELD_ERRORS_KEY'", "'errors'"),
		"REST_FRAMEWORK DATETIME_FORMAT":                framework("'DATETIME_FORMAT'", "'%Y'"),
		"REST_FRAMEWORK COMPACT_JSON":                   framework("'UNICODE_JSON': False, 'COMPACT_JSON'", "False"),
		"REST_FRAMEWORK UNICODE_JSON":                   framework("'COMPACT_JSON': False, 'UNICODE_JSON'", "False"),
		"REST_FRAMEWORK STRICT_JSON":                    framework("'STRICT_JSON'", "False"),

		"REST_KNOX TOKEN_TTL":                   knox("'TOKEN_TTL'", "timedelta(days=2)"),
		"REST_KNOX AUTH_TOKEN_CHARACTER_LENGTH": knox("'AUTH_TOKEN_CHARACTER_LENGTH'", "40"),
		"REST_KNOX TOKEN_LIMIT_PER_USER":        knox("'TOKEN_LIMIT_PER_USER'", "5"),
		"REST_KNOX AUTO_REFRESH":                knox("'AUTO_REFRESH'", "True"),
		"REST_KNOX MIN_REFRESH_INTERVAL":        knox("'AUTO_REFRESH': True, 'MIN_REFRESH_INTERVAL'", "300"),
		"REST_KNOX AUTO_REFRESH_MAX_TTL":        knox("'AUTO_REFRESH': True, 'AUTO_REFRESH_MAX_TTL'", "timedelta(days=30)"),
		"REST_KNOX AUTH_HEADER_PREFIX":          knox("'AUTH_HEADER_PREFIX'", "'Bearer'"),
		"REST_KNOX EXPIRY_DATETIME_FORMAT":      knox("'EXPIRY_DATETIME_FORMAT'", "'%Y'"),
		"REST_KNOX TOKEN_PREFIX":                knox("'TOKEN_PREFIX'", "'kx_'"),
		"REST_KNOX USER_SERIALIZER":             knox("'USER_SERIALIZER'", "'knox.serializers.UserSerializer'"),

		"DJOSER LOGIN_FIELD":                         djoser("'LOGIN_FIELD'", "'email'"),
		"DJOSER USER_ID_FIELD":                       djoser("'USER_ID_FIELD'", "'username'"),
		"DJOSER USER_CREATE_PASSWORD_RETYPE":         djoser("'USER_CREATE_PASSWORD_RETYPE'", "True"),
		"DJOSER SET_PASSWORD_RETYPE":                 djoser("'SET_PASSWORD_RETYPE'", "True"),
		"DJOSER PASSWORD_RESET_CONFIRM_RETYPE":       djoser("'PASSWORD_RESET_CONFIRM_RETYPE'", "True"),
		"DJOSER SET_USERNAME_RETYPE":                 djoser("'SET_USERNAME_RETYPE'", "True"),
		"DJOSER USERNAME_RESET_CONFIRM_RETYPE":       djoser("'USERNAME_RESET_CONFIRM_RETYPE'", "True"),
		"DJOSER LOGOUT_ON_PASSWORD_CHANGE":           djoser("'LOGOUT_ON_PASSWORD_CHANGE'", "True"),
		"DJOSER HIDE_USERS":                          djoser("'HIDE_USERS'", "False"),
		"DJOSER SEND_ACTIVATION_EMAIL":               djoser("'SEND_ACTIVATION_EMAIL'", "True"),
		"DJOSER SEND_CONFIRMATION_EMAIL":             djoser("'SEND_CONFIRMATION_EMAIL'", "True"),
		"DJOSER PASSWORD_CHANGED_EMAIL_CONFIRMATION": djoser("'PASSWORD_CHANGED_EMAIL_CONFIRMATION'", "True"),
		"DJOSER USERNAME_CHANGED_EMAIL_CONFIRMATION": djoser("'USERNAME_CHANGED_EMAIL_CONFIRMATION'", "True"),
		"DJOSER ACTIVATION_URL":                      djoser("'ACTIVATION_URL'", "'a/{uid}/{token}'"),
		"DJOSER PASSWORD_RESET_CONFIRM_URL":          djoser("'PASSWORD_RESET_CONFIRM_URL'", "'a/{uid}/{token}'"),
		"DJOSER USERNAME_RESET_CONFIRM_URL":          djoser("'USERNAME_RESET_CONFIRM_URL'", "'a/{uid}/{token}'"),
		"DJOSER PASSWORD_RESET_SHOW_EMAIL_NOT_FOUND": djoser("'PASSWORD_RESET_SHOW_EMAIL_NOT_FOUND'", "True"),
		"DJOSER USERNAME_RESET_SHOW_EMAIL_NOT_FOUND": djoser("'USERNAME_RESET_SHOW_EMAIL_NOT_FOUND'", "True"),
		"DJOSER PERMISSIONS":                         djoser("'PERMISSIONS'", "{'user_create': ['rest_framework.permissions.IsAuthenticated']}"),

		"REST_AUTH OLD_PASSWORD_FIELD_ENABLED": withAuth + "REST_AUTH = {'OLD_PASSWORD_FIELD_ENABLED': True}",
		"OLD_PASSWORD_FIELD_ENABLED":           withAuth + "OLD_PASSWORD_FIELD_ENABLED = True",
		"ACCOUNT_AUTHENTICATION_METHOD":        withAuth + "ACCOUNT_AUTHENTICATION_METHOD = 'email'",
		"ACCOUNT_LOGIN_METHODS":                withAuth + "ACCOUNT_LOGIN_METHODS = {'email'}",
		"ACCOUNT_EMAIL_REQUIRED":               withAuth + "ACCOUNT_EMAIL_REQUIRED = True",
		"ACCOUNT_EMAIL_VERIFICATION":           withAuth + "ACCOUNT_EMAIL_VERIFICATION = 'mandatory'",
		"ACCOUNT_USERNAME_MIN_LENGTH":          withAuth + "ACCOUNT_USERNAME_MIN_LENGTH = 5",
		"ACCOUNT_PRESERVE_USERNAME_CASING":     withAuth + "ACCOUNT_PRESERVE_USERNAME_CASING = False",
		"ACCOUNT_LOGOUT_ON_GET":                withAuth + "ACCOUNT_LOGOUT_ON_GET = True",

		"MIDDLEWARE":                  withKnox + "MIDDLEWARE = []",
		"APPEND_SLASH":                withKnox + "APPEND_SLASH = False",
		"AUTH_PASSWORD_VALIDATORS":    withDjoser + "AUTH_PASSWORD_VALIDATORS = []",
		"X_FRAME_OPTIONS":             withKnox + "X_FRAME_OPTIONS = 'SAMEORIGIN'",
		"SECURE_REFERRER_POLICY":      withKnox + "SECURE_REFERRER_POLICY = 'origin'",
		"SECURE_CONTENT_TYPE_NOSNIFF": withKnox + "SECURE_CONTENT_TYPE_NOSNIFF = False",
		"TIME_ZONE":                   withKnox + "TIME_ZONE = 'Europe/Paris'",

		"CORS_ALLOW_ALL_ORIGINS":      withKnox + "CORS_ALLOW_ALL_ORIGINS = True",
		"CORS_ORIGIN_ALLOW_ALL":       withKnox + "CORS_ORIGIN_ALLOW_ALL = True",
		"CORS_ALLOWED_ORIGINS":        withKnox + "CORS_ALLOWED_ORIGINS = ['https://a.example']",
		"CORS_ORIGIN_WHITELIST":       withKnox + "CORS_ORIGIN_WHITELIST = ['https://a.example']",
		"CORS_ALLOWED_ORIGIN_REGEXES": withKnox + "CORS_ALLOWED_ORIGIN_REGEXES = ['^https://a$']",
		"CORS_ORIGIN_REGEX_WHITELIST": withKnox + "CORS_ORIGIN_REGEX_WHITELIST = ['^https://a$']",
		"CORS_ALLOW_CREDENTIALS":      withKnox + "CORS_ALLOW_CREDENTIALS = True",
		"CORS_ALLOW_METHODS":          withKnox + "CORS_ALLOW_METHODS = ['GET']",
		"CORS_ALLOW_HEADERS":          withKnox + "CORS_ALLOW_HEADERS = ['x-a']",
		"CORS_EXPOSE_HEADERS":         withKnox + "CORS_EXPOSE_HEADERS = ['X-A']",
		"CORS_PREFLIGHT_MAX_AGE":      withKnox + "CORS_PREFLIGHT_MAX_AGE = 60",
		"CORS_URLS_REGEX":             withKnox + "CORS_URLS_REGEX = '^/api/.*$'",
		"CORS_ALLOW_PRIVATE_NETWORK":  withKnox + "CORS_ALLOW_PRIVATE_NETWORK = True",
	}
}

// TestSettings holds the table: names are there once, what is filled in has a sample that does it, and keys of profiles
// are keys to their loader.
func TestSettings(t *testing.T) {
	seen, samples := map[string]bool{}, samples()
	for _, s := range Settings() {
		if seen[s.String()] {
			t.Errorf("%s is there twice", s)
		}
		seen[s.String()] = true
		if hasKey := s.Use == InProfile || s.Use == ByHand || s.Use == Configuration; hasKey != (s.Key != "") {
			t.Errorf("%s: %s with the key %q", s, s.Use, s.Key)
		}
		if (s.Use == NotSupported || s.Use == NoEffect) && s.Why == "" {
			t.Errorf("%s: %s, but why?", s, s.Use)
		}
		if s.Use != InProfile && s.apply != nil {
			t.Errorf("%s: %s, but something fills a key in", s, s.Use)
		}
		if s.Use == ByHand && s.Key != "as in REST_AUTH" {
			for _, key := range strings.Split(s.Key, ", ") {
				if !isKey(t, key) {
					t.Errorf("%s: the loader knows no key %s", s, key)
				}
			}
		}
		if s.Use == InProfile {
			checkSample(t, s, samples[s.String()])
			delete(samples, s.String())
		}
	}
	for name := range samples {
		t.Errorf("the sample of %s is of no setting that is filled in", name)
	}
}

// checkSample holds a setting to settings that fill it in: the profile has the key then, or hasn't what it had before.
func checkSample(t *testing.T, s Setting, settings string) {
	t.Helper()
	if settings == "" {
		t.Errorf("%s: a sample is missing", s)
		return
	}
	apps, _, _ := strings.Cut(settings, "\n")
	before, after := mustInspect(t, apps), mustInspect(t, settings)
	if before.Profile == after.Profile {
		t.Errorf("%s: the sample changes nothing", s)
	}
	mustProfile(t, after)
	for _, f := range after.Settings {
		if f.Setting == s.String() && f.Result != Filled {
			t.Errorf("%s: %s: %s", s, f.Result, f.Why)
		}
	}
	for _, key := range strings.Split(s.Key, ", ") {
		key, _, _ = strings.Cut(key, ":")
		path := strings.Split(key, ".")
		if len(at(after.draft.root, path)) == 0 && len(at(before.draft.root, path)) == 0 {
			t.Errorf("%s: the profile has no %s\n%s", s, key, after.Profile)
		}
	}
}

// at gives the values at a path, in which NAME stands for any key.
func at(m *yaml.Node, path []string) []*yaml.Node {
	if len(path) == 0 {
		return []*yaml.Node{m}
	}
	var found []*yaml.Node
	for i := 0; m.Kind == yaml.MappingNode && i+1 < len(m.Content); i += 2 {
		if path[0] == "NAME" || m.Content[i].Value == path[0] {
			found = append(found, at(m.Content[i+1], path[1:])...)
		}
	}
	return found
}

// isKey tells whether the loader knows a key of profiles: it may refuse a value that is none, but not the key.
func isKey(t *testing.T, key string) bool {
	t.Helper()
	d := mustInspect(t, withDjoser).draft
	path := strings.Split(key, ".")
	if parents := at(d.root, path[:len(path)-1]); len(parents) > 0 {
		drop(parents[0], path[len(path)-1])
		if err := setIn(parents[0], []string{"no value"}, path[len(path)-1]); err != nil {
			t.Fatal(err)
		}
	} else if err := setIn(d.root, []string{"no value"}, path...); err != nil {
		t.Fatal(err)
	}
	text, err := d.yaml()
	if err != nil {
		t.Fatal(err)
	}
	_, err = profiles.Parse("profile.yaml", text)
	var all *profiles.Problems
	if !errors.As(err, &all) {
		return err == nil // such as a template, which may be a list
	}
	for _, problem := range all.List {
		if strings.HasPrefix(problem.Text, "unknown key") {
			return false
		}
	}
	return true
}

// TestIsKey holds the test of keys to one that is there and two that are not.
func TestIsKey(t *testing.T) {
	for key, want := range map[string]bool{"messages": true, "endpoints.NAME.view.name": true, "endpoints.NAME.visible": false, "nothing": false} {
		if got := isKey(t, key); got != want {
			t.Errorf("%s: %v", key, got)
		}
	}
}

// TestBases holds the profiles to start from to be there, and each way to find one to find it.
func TestBases(t *testing.T) {
	var all []base
	if err := yaml.Unmarshal(basesFile, &all); err != nil {
		t.Fatal(err)
	}
	for _, b := range all {
		if _, there := profiles.Source(b.Profile); !there {
			t.Errorf("there is no profile %s", b.Profile)
		}
	}
}
