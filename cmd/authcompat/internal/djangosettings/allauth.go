package djangosettings

import (
	"errors"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/djangosettings/python"
)

// allauth are the settings of django-allauth that dj-rest-auth's views ask (allauth/account/app_settings.py
// 0.57, and the names of 65).
func allauth() []Setting {
	all := []Setting{
		{Name: "ACCOUNT_AUTHENTICATION_METHOD", Use: InProfile, Key: "endpoints.login.fields", Default: "'username'", apply: loginMethod, Why: "username, email or username_email: which of the fields username and email the login has"},
		{Name: "ACCOUNT_LOGIN_METHODS", Use: InProfile, Key: "endpoints.login.fields", Default: "{'username'}", apply: loginMethods, Why: "allauth 65; as ACCOUNT_AUTHENTICATION_METHOD"},
		{Name: "ACCOUNT_EMAIL_REQUIRED", Use: InProfile, Key: "endpoints.NAME.fields.email.required", Default: "False", apply: emailRequired},
		{Name: "ACCOUNT_SIGNUP_FIELDS", Use: ByHand, Key: "endpoints.NAME.fields", Why: "allauth 65; a star means required"},
		{Name: "ACCOUNT_USERNAME_REQUIRED", Use: NotSupported, Default: "True", Why: "nobody registers without a user name"},
		{Name: "ACCOUNT_USER_MODEL_USERNAME_FIELD", Use: Configuration, Key: "import django --map", Default: "'username'", Why: "None: users have no name but their address, which becomes their name"},
		{Name: "ACCOUNT_USER_MODEL_EMAIL_FIELD", Use: Configuration, Key: "import django --map", Default: "'email'"},
		{Name: "ACCOUNT_EMAIL_VERIFICATION", Use: InProfile, Key: "emails.verification", Default: "'optional'", apply: emailVerification, Why: "none also leaves out verify-email and resend-email; mandatory also says what the registration answers, and that it takes an address"},
		{Name: "ACCOUNT_PRESERVE_USERNAME_CASING", Use: InProfile, Key: "endpoints.NAME.fields.username.lower", Default: "True", apply: lowerNames, Why: "False: names are put into lower case"},
		{Name: "ACCOUNT_LOGOUT_ON_GET", Use: InProfile, Key: "endpoints.logout.methods", Default: "False", apply: logoutOnGet, Why: "dj-rest-auth's logout"},
		{Name: "ACCOUNT_EMAIL_CONFIRMATION_EXPIRE_DAYS", Use: NotSupported, Default: "3", Why: "keys are good for three days"},
		{Name: "ACCOUNT_EMAIL_CONFIRMATION_HMAC", Use: NotSupported, Default: "True", Why: "keys are signed: those that False keeps in the database are not read"},
		{Name: "ACCOUNT_SALT", Use: NotSupported, Default: "'account'", Why: "keys are signed with allauth's own"},
		{Name: "ACCOUNT_PASSWORD_MIN_LENGTH", Use: NotSupported, Why: "asked only without AUTH_PASSWORD_VALIDATORS: write passwords: {validators: [min_length]}"},
		{Name: "ACCOUNT_USERNAME_MIN_LENGTH", Use: InProfile, Key: "endpoints.NAME.fields.username.min_length", Default: "1", apply: shortestName},
		{Name: "ACCOUNT_USERNAME_BLACKLIST", Use: NotSupported, Default: "[]", Why: "register the names, and disable them"},
		{Name: "ACCOUNT_USERNAME_VALIDATORS", Use: NotSupported, Default: "None", Why: "characters: is a closed set"},
		{Name: "ACCOUNT_UNIQUE_EMAIL", Use: ByHand, Key: "emails.unique", Default: "True", Why: "without emails.verification: none, an address that another user has verified is refused, as by dj-rest-auth 5.0; emails.unique refuses any that another has"},
		{Name: "ACCOUNT_ADAPTER", Use: NotSupported, Default: "'allauth.account.adapter.DefaultAccountAdapter'", Why: "it is code"},
	}
	all = append(of("dj_rest_auth", all), unread(Configuration, "limits are the server's own", "ACCOUNT_LOGIN_ATTEMPTS_LIMIT", "ACCOUNT_LOGIN_ATTEMPTS_TIMEOUT", "ACCOUNT_RATE_LIMITS")...)
	for i := len(all) - 3; i < len(all); i++ {
		all[i].Key = "login_limits"
	}
	return append(all, unread(NoEffect, "is for allauth's own pages", "ACCOUNT_CONFIRM_EMAIL_ON_GET", "ACCOUNT_LOGIN_ON_EMAIL_CONFIRMATION", "ACCOUNT_SESSION_REMEMBER", "ACCOUNT_FORMS",
		"ACCOUNT_LOGOUT_REDIRECT_URL", "ACCOUNT_SIGNUP_REDIRECT_URL", "ACCOUNT_SIGNUP_PASSWORD_ENTER_TWICE", "ACCOUNT_DEFAULT_HTTP_PROTOCOL", "ACCOUNT_EMAIL_SUBJECT_PREFIX")...)
}

// emailVerification reads a word or a name of allauth's EmailVerificationMethod.
func emailVerification(d *draft, v *python.Value) error {
	word := v.Text
	if v.Kind == python.Name {
		word = strings.ToLower(word[strings.LastIndex(word, ".")+1:])
	}
	if !slices.Contains([]string{"none", "optional", "mandatory"}, word) {
		return errors.New("it is none of none, optional and mandatory")
	}
	return verification(d, word)
}

// verification says who has to verify an address, and what goes with it: without, nobody sends or follows a key; where it is
// mandatory, a registration takes an address, and gives no token (dj_rest_auth/registration/views.py 5.0, RegisterView).
func verification(d *draft, word string) error {
	return d.change(func(root *yaml.Node) error {
		endpoints := entry(root, "endpoints")
		if word == "none" {
			drop(endpoints, "verify_email")
			drop(endpoints, "resend_email")
		}
		if register := entry(endpoints, "register"); register != nil && word == "mandatory" {
			if f := field(register, "email"); f != nil {
				drop(f, "required")
			}
			body := &yaml.Node{Kind: yaml.MappingNode, Style: yaml.FlowStyle, Content: []*yaml.Node{scalar("detail"), scalar("Verification e-mail sent.")}}
			if err := setIn(register, body, "reply", "body"); err != nil {
				return err
			}
		}
		return setIn(root, word, "emails", "verification")
	})
}

func shortestName(d *draft, v *python.Value) error {
	value, err := integer(v)
	if err != nil {
		return err
	}
	return d.endpoints(func(endpoint *yaml.Node) error {
		if f := field(endpoint, "username"); f != nil {
			return setIn(f, value, "min_length")
		}
		return nil
	}, "register")
}

func emailRequired(d *draft, v *python.Value) error {
	value, err := boolean(v)
	if err != nil {
		return err
	}
	return d.endpoints(func(endpoint *yaml.Node) error {
		f := field(endpoint, "email")
		if f == nil {
			return errors.New("the registration has no field with the role email")
		}
		return setIn(f, value, "required")
	}, "register")
}

func lowerNames(d *draft, v *python.Value) error {
	value, err := boolean(v)
	if err != nil {
		return err
	}
	return d.endpoints(func(endpoint *yaml.Node) error {
		if f := field(endpoint, "username"); f != nil {
			return setIn(f, !value.(bool), "lower")
		}
		return nil
	}, "register", "login")
}

// loginMethod fills in by what users log in, a word or a name of allauth's AuthenticationMethod.
func loginMethod(d *draft, v *python.Value) error {
	word := v.Text
	if v.Kind == python.Name {
		word = strings.ToLower(word[strings.LastIndex(word, ".")+1:])
	}
	switch word {
	case "username", "email":
		return loginBy(d, word)
	case "username_email":
		return loginBy(d, "username", "email")
	}
	return errors.New("it is none of username, email and username_email")
}

func loginMethods(d *draft, v *python.Value) error {
	methods, _, known := v.Texts()
	if !known || len(methods) == 0 || slices.ContainsFunc(methods, func(m string) bool { return m != "username" && m != "email" }) {
		return errors.New("users log in by username, by email or by either")
	}
	return loginBy(d, methods...)
}

// loginBy has the login ignore the field of each other way to name a user, and says what is missing without
// (dj_rest_auth/serializers.py 5.0, LoginSerializer).
func loginBy(d *draft, methods ...string) error {
	err := d.endpoints(func(endpoint *yaml.Node) error {
		for _, f := range []struct{ name, label, before string }{{"username", "Username", "email"}, {"email", "Email", "password"}} {
			if err := addField(endpoint, f.name, "{required: false, blank: true, label: "+f.label+"}", f.before); err != nil {
				return err
			}
			given := field(endpoint, f.name)
			drop(given, "ignored")
			if slices.Contains(methods, f.name) {
				continue
			}
			if err := setIn(given, true, "ignored"); err != nil {
				return err
			}
		}
		return nil
	}, "login")
	if err != nil {
		return err
	}
	missing := `Must include "username" and "password".`
	if slices.Contains(methods, "email") {
		missing = `Must include "email" and "password".`
		if slices.Contains(methods, "username") {
			missing = `Must include either "username" or "email" and "password".`
		}
	}
	return d.set(missing, "messages", "incomplete")
}

func logoutOnGet(d *draft, v *python.Value) error {
	on, err := boolean(v)
	if err != nil || on == false {
		return err
	}
	return d.endpoints(func(endpoint *yaml.Node) error { return setIn(endpoint, []string{"GET", "POST"}, "methods") }, "logout")
}
