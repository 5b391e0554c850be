package djangosettings

import (
	"errors"

	"gopkg.in/yaml.v3"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/djangosettings/python"
)

// restFramework is REST_FRAMEWORK (rest_framework/settings.py, DEFAULTS, of Django REST framework 3.14).
func restFramework() []Setting {
	all := []Setting{
		{Name: "DEFAULT_AUTHENTICATION_CLASSES", Use: InProfile, Key: "authentication", apply: authentication,
			Why: "session serves no sessions: it decides what a client without one is told"},
		{Name: "DEFAULT_RENDERER_CLASSES", Use: InProfile, Key: "endpoints.NAME.renderers", apply: renderers,
			Default: "['rest_framework.renderers.JSONRenderer', 'rest_framework.renderers.BrowsableAPIRenderer']", Why: "html is the browsable API"},
		{Name: "DEFAULT_PARSER_CLASSES", Use: InProfile, Key: "endpoints.NAME.parsers", apply: parsers,
			Default: "['rest_framework.parsers.JSONParser', 'rest_framework.parsers.FormParser', 'rest_framework.parsers.MultiPartParser']"},
		{Name: "NON_FIELD_ERRORS_KEY", Use: InProfile, Key: "errors.non_field", Default: "'non_field_errors'", apply: put("errors.non_field", text)},
		{Name: "DATETIME_FORMAT", Use: InProfile, Key: "formats.expiry", Default: "'iso-8601'", apply: ofExpiry("strftime"),
			Why: "of knox's expiry, unless EXPIRY_DATETIME_FORMAT has another"},
		{Name: "COMPACT_JSON", Use: InProfile, Key: "rules.json", Default: "True", apply: jsonStyle, Why: "spaced stands for False here and at UNICODE_JSON"},
		{Name: "UNICODE_JSON", Use: InProfile, Key: "rules.json", Default: "True", apply: jsonStyle, Why: "spaced stands for False here and at COMPACT_JSON"},
		{Name: "STRICT_JSON", Use: InProfile, Key: "rules.constants", Default: "True", apply: strictJSON},
		{Name: "EXCEPTION_HANDLER", Use: ByHand, Key: "errors.detail", Default: "'rest_framework.views.exception_handler'", Why: "what it answers is in its code"},
		{Name: "VIEW_NAME_FUNCTION", Use: ByHand, Key: "endpoints.NAME.view.name", Default: "'rest_framework.views.get_view_name'", Why: "OPTIONS shows it"},
		{Name: "VIEW_DESCRIPTION_FUNCTION", Use: ByHand, Key: "endpoints.NAME.view.description", Default: "'rest_framework.views.get_view_description'", Why: "OPTIONS shows it"},
		{Name: "DEFAULT_THROTTLE_CLASSES", Use: Configuration, Key: "login_limits", Default: "[]", Why: "limits are the server's own, for logins and registrations"},
		{Name: "DEFAULT_THROTTLE_RATES", Use: Configuration, Key: "login_limits", Why: "limits are the server's own, for logins and registrations"},
		{Name: "NUM_PROXIES", Use: Configuration, Key: "trusted_proxies", Default: "None", Why: "networks, not a number"},
		{Name: "DEFAULT_CONTENT_NEGOTIATION_CLASS", Use: NotSupported, Default: "'rest_framework.negotiation.DefaultContentNegotiation'", Why: "it is code"},
		{Name: "DEFAULT_METADATA_CLASS", Use: NotSupported, Default: "'rest_framework.metadata.SimpleMetadata'", Why: "OPTIONS answers as SimpleMetadata does"},
		{Name: "DEFAULT_VERSIONING_CLASS", Use: NotSupported, Default: "None", Why: "a version in the path is written in the endpoints' paths; one in a header or a query is not looked at"},
		{Name: "DEFAULT_PAGINATION_CLASS", Use: NotSupported, Default: "None", Why: "lists of users have one page"},
		{Name: "DEFAULT_FILTER_BACKENDS", Use: NotSupported, Default: "[]", Why: "lists of users are not filtered"},
		{Name: "URL_FORMAT_OVERRIDE", Use: NotSupported, Default: "'format'", Why: "the query's format is the only name"},
	}
	all = append(all, unread(NotSupported, "goes with DEFAULT_VERSIONING_CLASS", "DEFAULT_VERSION", "ALLOWED_VERSIONS", "VERSION_PARAM")...)
	all = append(all, unread(NotSupported, "goes with DEFAULT_PAGINATION_CLASS", "PAGE_SIZE")...)
	all = append(all, unread(NotSupported, "goes with DEFAULT_FILTER_BACKENDS", "SEARCH_PARAM", "ORDERING_PARAM")...)
	all = append(all, unread(NoEffect, "the views of these packages say themselves who may use them", "DEFAULT_PERMISSION_CLASSES")...)
	all = append(all, unread(NoEffect, "no schema is served", "DEFAULT_SCHEMA_CLASS", "SCHEMA_COERCE_PATH_PK", "SCHEMA_COERCE_METHOD_NAMES")...)
	all = append(all, unread(NoEffect, "is for code behind the API", "UNAUTHENTICATED_USER", "UNAUTHENTICATED_TOKEN")...)
	all = append(all, unread(NoEffect, "is for tests", "TEST_REQUEST_RENDERER_CLASSES", "TEST_REQUEST_DEFAULT_FORMAT")...)
	all = append(all, unread(NoEffect, "is for views that these packages don't have", "FORMAT_SUFFIX_KWARG", "URL_FIELD_NAME", "DATE_FORMAT", "DATE_INPUT_FORMATS",
		"DATETIME_INPUT_FORMATS", "TIME_FORMAT", "TIME_INPUT_FORMATS", "COERCE_DECIMAL_TO_STRING", "UPLOADED_FILES_USE_URL")...)
	return under("REST_FRAMEWORK", append(all, unread(NoEffect, "is for forms of the browsable API", "HTML_SELECT_CUTOFF", "HTML_SELECT_CUTOFF_TEXT")...)...)
}

// errOut is the reason for classes that are plainly out.
var errOut = errors.New("JWT, cookies, sessions and social login are not served")

// outClasses are those that know no token of these APIs.
var outClasses = map[string]bool{
	"rest_framework_simplejwt.authentication.JWTAuthentication":              true,
	"rest_framework_simplejwt.authentication.JWTTokenUserAuthentication":     true,
	"rest_framework_simplejwt.authentication.JWTStatelessUserAuthentication": true,
	"rest_framework_jwt.authentication.JSONWebTokenAuthentication":           true,
	"dj_rest_auth.jwt_auth.JWTAuthentication":                                true,
	"dj_rest_auth.jwt_auth.JWTCookieAuthentication":                          true,
	"oauth2_provider.contrib.rest_framework.OAuth2Authentication":            true,
}

// authentication fills in the ways to authenticate, in order.
func authentication(d *draft, v *python.Value) error {
	for _, item := range v.Items {
		if outClasses[item.Text] {
			return errOut
		}
	}
	ways, err := classes(v, map[string]string{
		"rest_framework.authentication.SessionAuthentication": "session",
		"rest_framework.authentication.BasicAuthentication":   "basic",
		"rest_framework.authentication.TokenAuthentication":   "token",
		"knox.auth.TokenAuthentication":                       "token",
	})
	if err != nil {
		return err
	}
	return d.set(ways, "authentication")
}

// ofViews fills in a list of every view that has none of its own.
func ofViews(d *draft, key string, words []string) error {
	return d.endpoints(func(endpoint *yaml.Node) error {
		if entry(endpoint, key) != nil {
			return nil // the view says it itself
		}
		return setIn(endpoint, words, key)
	})
}

func renderers(d *draft, v *python.Value) error {
	words, err := classes(v, map[string]string{
		"rest_framework.renderers.JSONRenderer":         "json",
		"rest_framework.renderers.BrowsableAPIRenderer": "html",
	})
	if err != nil {
		return err
	}
	return ofViews(d, "renderers", words)
}

func parsers(d *draft, v *python.Value) error {
	words, err := classes(v, map[string]string{
		"rest_framework.parsers.JSONParser":      "json",
		"rest_framework.parsers.FormParser":      "form",
		"rest_framework.parsers.MultiPartParser": "multipart",
	})
	if err != nil {
		return err
	}
	return ofViews(d, "parsers", words)
}

// jsonStyle fills in how JSON is written: in one of two styles.
func jsonStyle(d *draft, v *python.Value) error {
	other := d.settings.Value("REST_FRAMEWORK")
	compact, unicode := other.Key("COMPACT_JSON"), other.Key("UNICODE_JSON")
	isFalse := func(v *python.Value) bool { return v != nil && v.Kind == python.Bool && !v.Bool }
	if !isFalse(compact) || !isFalse(unicode) {
		return errors.New("a profile has both COMPACT_JSON and UNICODE_JSON or neither")
	}
	return d.set("spaced", "rules", "json")
}

func strictJSON(d *draft, v *python.Value) error {
	if v.Kind != python.Bool {
		return errors.New("it is neither True nor False")
	}
	return d.set(map[bool]string{true: "reject", false: "accept"}[v.Bool], "rules", "constants")
}
