package djangosettings

import (
	"errors"
	"fmt"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/djangosettings/python"
)

// django are settings of Django's own (django/conf/global_settings.py 3.2).
func django() []Setting {
	all := []Setting{
		{Name: "INSTALLED_APPS", Use: NoEffect, Why: "says which profile to start from, and whether dj-rest-auth's has a registration and allauth"},
		{Name: "MIDDLEWARE", Use: InProfile, Key: "headers, trailing_slash", apply: middleware, Why: "headers of a middleware that is not there are left out; LocaleMiddleware and those of the project are not reproduced"},
		{Name: "APPEND_SLASH", Use: InProfile, Key: "trailing_slash", Default: "True", apply: appendSlash, Why: "redirect for True, exact for False; djoser's own patterns are optional"},
		{Name: "AUTH_PASSWORD_VALIDATORS", Use: InProfile, Key: "passwords", apply: validators, Why: "common needs a list of passwords in the configuration"},
		{Name: "X_FRAME_OPTIONS", Use: InProfile, Key: "headers.X-Frame-Options", apply: frameOptions},
		{Name: "SECURE_REFERRER_POLICY", Use: InProfile, Key: "headers.Referrer-Policy", apply: referrerPolicy, Why: "None leaves the header out"},
		{Name: "SECURE_CONTENT_TYPE_NOSNIFF", Use: InProfile, Key: "headers.X-Content-Type-Options", Default: "True", apply: noSniff},
		{Name: "TIME_ZONE", Use: InProfile, Key: "formats.expiry.zone", Default: "'UTC'", apply: timeZone, Why: "of knox's expiry; in the configuration django_time_zone, of links in mails; without USE_TZ the zone of dates in the database, too: import django --time-zone"},
		{Name: "USE_TZ", Use: Configuration, Key: "import django --time-zone", Why: "False: dates in the database are those of TIME_ZONE"},
		{Name: "AUTH_USER_MODEL", Use: Configuration, Key: "import django --user-table", Default: "'auth.User'", Why: "needed only where the table isn't found"},
		{Name: "PASSWORD_RESET_TIMEOUT", Use: Configuration, Key: "link_timeout", Default: "259200"},
		{Name: "PASSWORD_RESET_TIMEOUT_DAYS", Use: Configuration, Key: "link_timeout", Default: "3", Why: "before Django 3.1"},
		{Name: "KNOX_TOKEN_MODEL", Use: Configuration, Key: "import django --token-table", Default: "'knox.AuthToken'", Why: "knox 5"},
	}
	for _, name := range []string{"REST_AUTH_SERIALIZERS", "REST_AUTH_REGISTER_SERIALIZERS", "REST_AUTH_TOKEN_CREATOR"} {
		all = append(all, Setting{Name: name, Use: ByHand, Key: "as in REST_AUTH", Why: "dj-rest-auth before 3.0"})
	}
	all = append(all, of("dj_rest_auth", []Setting{
		{Name: "OLD_PASSWORD_FIELD_ENABLED", Use: InProfile, Key: oldPasswordKey, Default: "False", apply: oldPassword, Why: "dj-rest-auth before 3.0"},
		{Name: "LOGOUT_ON_PASSWORD_CHANGE", Use: NoEffect, Why: "dj-rest-auth before 3.0; it ends a session, and no token"},
	})...)
	all = append(all,
		Setting{Name: "REST_USE_JWT", Use: NotSupported, Default: "False", Why: out},
		Setting{Name: "REST_SESSION_LOGIN", Use: NotSupported, Default: "False", Why: out}) // as SESSION_LOGIN of REST_AUTH
	return append(all, unread(NotSupported, out, "JWT_AUTH_COOKIE", "JWT_AUTH_REFRESH_COOKIE", "SIMPLE_JWT")...)
}

// header sets a header that the profile has: without it, no middleware is there that writes it.
func header(d *draft, name, value string) error {
	if d.value("headers", name) == "" {
		return errors.New("MIDDLEWARE has no class that writes this header")
	}
	return d.set(value, "headers", name)
}

// frameOptions fills in the header, in capitals (django/middleware/clickjacking.py 3.2).
func frameOptions(d *draft, v *python.Value) error {
	if v.Kind != python.String {
		return errors.New("it is no text")
	}
	return header(d, "X-Frame-Options", strings.ToUpper(v.Text))
}

// referrerPolicy fills in the header or, for None, leaves it out (django/middleware/security.py 3.2).
func referrerPolicy(d *draft, v *python.Value) error {
	policies, _, isList := v.Texts()
	switch {
	case v.Kind == python.None || v.Kind == python.String && v.Text == "":
		return d.remove("headers", "Referrer-Policy")
	case v.Kind == python.String:
		for _, policy := range strings.Split(v.Text, ",") {
			policies = append(policies, strings.TrimSpace(policy))
		}
	case !isList:
		return errors.New("it is no text")
	}
	return header(d, "Referrer-Policy", strings.Join(policies, ","))
}

func noSniff(d *draft, v *python.Value) error {
	if v.Kind != python.Bool {
		return errors.New("it is neither True nor False")
	}
	if v.Bool {
		return header(d, "X-Content-Type-Options", "nosniff")
	}
	return d.remove("headers", "X-Content-Type-Options")
}

// middleware leaves out what a middleware does that is not there.
func middleware(d *draft, v *python.Value) error {
	if !v.Complete() {
		return errors.New("not all of it is known")
	}
	for _, m := range []struct {
		class string
		keys  [][]string
	}{
		{"django.middleware.security.SecurityMiddleware", [][]string{{"headers", "X-Content-Type-Options"}, {"headers", "Referrer-Policy"}}},
		{"django.middleware.clickjacking.XFrameOptionsMiddleware", [][]string{{"headers", "X-Frame-Options"}}},
	} {
		for _, key := range m.keys {
			if v.Has(m.class) {
				continue
			}
			if err := d.remove(key...); err != nil {
				return err
			}
		}
	}
	if !v.Has("django.middleware.common.CommonMiddleware") && d.value("trailing_slash") == "redirect" {
		return d.set("exact", "trailing_slash")
	}
	return nil
}

// appendSlash switches the redirect off. Patterns with an optional slash don't need it.
func appendSlash(d *draft, v *python.Value) error {
	if v.Kind != python.Bool {
		return errors.New("it is neither True nor False")
	}
	if v.Bool || d.value("trailing_slash") != "redirect" {
		return nil
	}
	return d.set("exact", "trailing_slash")
}

// validators fills in Django's validators (django/contrib/auth/password_validation.py).
func validators(d *draft, v *python.Value) error {
	words := map[string]string{
		"django.contrib.auth.password_validation.UserAttributeSimilarityValidator": "similarity",
		"django.contrib.auth.password_validation.MinimumLengthValidator":           "min_length",
		"django.contrib.auth.password_validation.CommonPasswordValidator":          "common",
		"django.contrib.auth.password_validation.NumericPasswordValidator":         "numeric",
	}
	if v.Kind != python.List {
		return errors.New("it is no list")
	}
	stage := d.value("passwords", "stage") // says more than when validators are asked
	if len(v.Items) == 0 {
		if stage == "" {
			return d.remove("passwords")
		}
		return d.set(map[string]string{"stage": stage}, "passwords")
	}
	var names []string
	minLength := int64(0)
	for _, item := range v.Items {
		name := item.Key("NAME")
		if name == nil || name.Kind != python.String {
			return errors.New("not all of it is known")
		}
		word, known := words[name.Text]
		if !known {
			return fmt.Errorf("%s is a validator of the project or of another package", name.Text)
		}
		names = append(names, word)
		options := item.Key("OPTIONS")
		if options == nil {
			continue
		}
		for i, key := range options.Keys {
			if word != "min_length" || key.Text != "min_length" || options.Items[i].Kind != python.Int {
				return fmt.Errorf("the option %s of %s has no key", key.Text, name.Text)
			}
			minLength = options.Items[i].Int
		}
		if options.Kind != python.Dict || options.Open != nil {
			return errors.New("not all of it is known")
		}
	}
	passwords := map[string]any{"validators": names}
	if minLength != 0 {
		passwords["min_length"] = minLength
	}
	if stage != "" {
		passwords["stage"] = stage
	}
	// What sets a password asks them.
	if err := d.endpoints(func(*yaml.Node) error { return nil }, "register", "set_password", "reset_password_confirm"); err != nil {
		return err
	}
	return d.set(passwords, "passwords")
}

// cors are the settings of django-cors-headers (corsheaders/conf.py 3.14 and 4.0), with the names that they had
// before 3.5.
func cors() []Setting {
	all := []Setting{
		{Name: "CORS_ALLOW_ALL_ORIGINS", Use: InProfile, Key: "cors.origins: all", Default: "False", apply: allOrigins},
		{Name: "CORS_ORIGIN_ALLOW_ALL", Use: InProfile, Key: "cors.origins: all", Default: "False", apply: allOrigins, Why: "before django-cors-headers 3.5"},
		{Name: "CORS_ALLOWED_ORIGINS", Use: InProfile, Key: "cors.origins", Default: "[]", apply: origins},
		{Name: "CORS_ORIGIN_WHITELIST", Use: InProfile, Key: "cors.origins", Default: "[]", apply: origins, Why: "before django-cors-headers 3.5"},
		{Name: "CORS_ALLOWED_ORIGIN_REGEXES", Use: InProfile, Key: "cors.origin_patterns", Default: "[]", apply: put("cors.origin_patterns", texts)},
		{Name: "CORS_ORIGIN_REGEX_WHITELIST", Use: InProfile, Key: "cors.origin_patterns", Default: "[]", apply: put("cors.origin_patterns", texts), Why: "before django-cors-headers 3.5"},
		{Name: "CORS_ALLOW_CREDENTIALS", Use: InProfile, Key: "cors.credentials", Default: "False", apply: put("cors.credentials", boolean)},
		{Name: "CORS_ALLOW_METHODS", Use: InProfile, Key: "cors.methods", apply: put("cors.methods", texts)},
		{Name: "CORS_ALLOW_HEADERS", Use: InProfile, Key: "cors.headers", apply: put("cors.headers", texts), Why: "default_headers is read as that of 3.14: 4.0 has neither accept-encoding nor dnt nor origin in it"},
		{Name: "CORS_EXPOSE_HEADERS", Use: InProfile, Key: "cors.expose_headers", Default: "[]", apply: put("cors.expose_headers", texts)},
		{Name: "CORS_PREFLIGHT_MAX_AGE", Use: InProfile, Key: "cors.max_age", Default: "86400", apply: put("cors.max_age", integer)},
		{Name: "CORS_URLS_REGEX", Use: InProfile, Key: "cors.paths", Default: "'^.*$'", apply: put("cors.paths", text)},
		{Name: "CORS_ALLOW_PRIVATE_NETWORK", Use: InProfile, Key: "cors.private_network", Default: "False", apply: privateNetwork, Why: "django-cors-headers 4.0 and later; sets cors.release"},
		{Name: "CORS_REPLACE_HTTPS_REFERER", Use: NoEffect, Why: "is for CSRF checks of sessions"},
	}
	for i, s := range all {
		if s.apply == nil {
			continue
		}
		all[i].apply = func(d *draft, v *python.Value) error {
			const class = "corsheaders.middleware.CorsMiddleware"
			if installed := d.settings.Value("MIDDLEWARE"); installed.Complete() && !installed.Has(class) {
				return errors.New("MIDDLEWARE has no " + class)
			}
			return s.apply(d, v)
		}
	}
	return all
}

func allOrigins(d *draft, v *python.Value) error {
	if v.Kind != python.Bool {
		return errors.New("it is neither True nor False")
	}
	if !v.Bool {
		return nil
	}
	return d.set("all", "cors", "origins")
}

// origins fills in the list, which says nothing where all origins may.
func origins(d *draft, v *python.Value) error {
	if d.value("cors", "origins") == "all" {
		return nil
	}
	return put("cors.origins", texts)(d, v)
}

func privateNetwork(d *draft, v *python.Value) error {
	value, err := boolean(v)
	if err != nil {
		return err
	}
	return d.change(func(root *yaml.Node) error {
		return errors.Join(setIn(root, "4.0", "cors", "release"), setIn(root, value, "cors", "private_network"))
	})
}
