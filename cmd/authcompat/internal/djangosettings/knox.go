package djangosettings

import (
	"errors"
	"fmt"

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
				return errNoExpiry
			}
			shown.Value = "$token.expiry|expiry"
			return setIn(root, value, "formats", "expiry", key)
		})
	}
}

// timeZone fills in the zone in which an expiry is written. That of UTC is there already. A profile that shows none may
// send links, whose times are in it.
func timeZone(d *draft, v *python.Value) error {
	if v.Text == "UTC" {
		return nil
	}
	err := ofExpiry("zone")(d, v)
	if errors.Is(err, errNoExpiry) {
		err = fmt.Errorf("%w; for links in mails write django_time_zone in the configuration", err)
	}
	return err
}

// errNoExpiry is the reason why nothing of an expiry is filled in.
var errNoExpiry = errors.New("this profile shows no expiry")

// userSerializer fills in the user whom a login shows (knox/serializers.py, UserSerializer).
func userSerializer(d *draft, v *python.Value) error {
	if v.Text != "knox.serializers.UserSerializer" {
		return errors.New("its fields are in its code: write them as endpoints.login.reply.body.user")
	}
	return d.endpoints(func(endpoint *yaml.Node) error {
		return setIn(endpoint, map[string]string{"username": "$user.username"}, "reply", "body", "user")
	}, "login")
}
