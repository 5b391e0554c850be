package profiles

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// accountProfile has one endpoint, with an action and fields.
const accountProfile = `name: accounts
family: drf
stack: drf-3.14
tokens: {hex: 40, ttl: 10h, per_user: many}
endpoints:
  it:
    action: %s
    path: %s
    fields: %s
    reply: {status: 204}
mails: {password_reset_confirm_url: "{uid}/{token}", username_reset_confirm_url: "{uid}/{token}", email_confirm_url: "{key}"}
emails: {verification: optional}
`

func TestActions(t *testing.T) {
	for _, c := range []struct {
		action, path, fields string
		methods              string
		access               Access
		problems             []string
	}{
		{action: "update", path: "/me/", fields: "{id: {}, email: {}, first_name: {role: attribute}, born: {role: attribute, attribute: birthday}}", methods: "PUT PATCH", access: AccessToken},
		{action: "update", path: "'/users/{id}/'", fields: "{}", methods: "PUT PATCH", access: AccessToken},
		{action: "update", path: "/me/", fields: "{a: {role: attribute, attribute: x}, b: {role: attribute, attribute: x}}", problems: []string{"f.yaml:9:53: endpoints.it.fields.b: is the attribute x, as a is"}},
		{action: "delete", path: "/me/", fields: "{current_password: {}}", methods: "DELETE", access: AccessToken},
		{action: "delete", path: "'/users/{username}/'", fields: "{}", methods: "DELETE", access: AccessToken},
		{action: "list", path: "/users/", fields: "{}", problems: []string{
			"f.yaml:9:5: endpoints.it.fields: list reads no fields",
			"f.yaml:10:12: endpoints.it.reply.body: is missing: the reply of list answers with JSON",
		}},
		{action: "list", path: "'/users/{id}/'", fields: "{}", problems: []string{
			"f.yaml:8:11: endpoints.it.path: only the path of an account has {username} or {id}",
			"f.yaml:9:5: endpoints.it.fields: list reads no fields",
			"f.yaml:10:12: endpoints.it.reply.body: is missing: the reply of list answers with JSON",
		}},
		{action: "set_password", path: "/p/", fields: "{current_password: {}, new_password: {role: password}, re_new_password: {role: password_again}}", methods: "POST", access: AccessToken},
		{action: "set_password", path: "/p/", fields: "{current_password: {}}", problems: []string{"f.yaml:9:13: endpoints.it.fields: no field has the role password"}},
		{action: "set_username", path: "/n/", fields: "{current_password: {}, new_username: {role: username}, re_new_username: {role: username_again}}", methods: "POST", access: AccessToken},
		{action: "set_password", path: "/p/", fields: "{current_password: {required: false}, password: {required: false}}", problems: []string{
			"f.yaml:9:43: endpoints.it.fields.current_password.required: whoever leaves the password out would have confirmed nothing: without the field, none is asked for",
			"f.yaml:9:72: endpoints.it.fields.password.required: whoever leaves the new password out would get an empty one",
		}},
		{action: "set_username", path: "/n/", fields: "{username: {}, current_password: {required: false}}", problems: []string{
			"f.yaml:9:57: endpoints.it.fields.current_password.required: whoever leaves the password out would have confirmed nothing: without the field, none is asked for",
		}},
		{action: "delete", path: "/d/", fields: "{current_password: {required: false}}", problems: []string{
			"f.yaml:9:43: endpoints.it.fields.current_password.required: whoever leaves the password out would have confirmed nothing: without the field, none is asked for",
		}},
		{action: "reset_password", path: "/r/", fields: "{email: {}}", methods: "POST", access: AccessOpen},
		{action: "reset_password", path: "/r/", fields: "{}", problems: []string{"f.yaml:9:13: endpoints.it.fields: no field has the role email"}},
		{action: "reset_password_confirm", path: "/r/", fields: "{uid: {}, token: {}, new_password: {role: password}, re_new_password: {role: password_again}}", methods: "POST", access: AccessOpen},
		{action: "reset_password_confirm", path: "/r/", fields: "{uid: {}, token: {}, password: {required: false}, password_again: {required: false}}", problems: []string{
			"f.yaml:9:55: endpoints.it.fields.password.required: whoever leaves the new password out would get an empty one",
		}},
		{action: "reset_password_confirm", path: "/r/", fields: "{uid: {}, password: {}}", problems: []string{"f.yaml:9:13: endpoints.it.fields: no field has the role token"}},
		{action: "reset_username", path: "/r/", fields: "{email: {}}", methods: "POST", access: AccessOpen},
		{action: "reset_username_confirm", path: "/r/", fields: "{uid: {}, token: {}, new_username: {role: username}, again: {role: username_again}}", methods: "POST", access: AccessOpen},
		{action: "resend_activation", path: "/r/", fields: "{email: {}}", methods: "POST", access: AccessOpen},
		{action: "activate", path: "/a/", fields: "{uid: {}, token: {}}", methods: "POST", access: AccessOpen},
		{action: "activate", path: "/a/", fields: "{key: {role: token}}", problems: []string{"f.yaml:9:13: endpoints.it.fields: no field has the role uid"}},
		{action: "verify_email", path: "/a/", fields: "{key: {role: token}}", methods: "POST", access: AccessOpen},
		{action: "verify_email", path: "/a/", fields: "{}", problems: []string{"f.yaml:9:13: endpoints.it.fields: no field has the role token"}},
		{action: "resend_verification", path: "/a/", fields: "{email: {}}", methods: "POST", access: AccessOpen},
	} {
		t.Run(c.action+" "+c.fields, func(t *testing.T) {
			p, err := Parse("f.yaml", fmt.Appendf(nil, accountProfile, c.action, c.path, c.fields))
			if err != nil {
				if diff := cmp.Diff(strings.Join(c.problems, "\n"), err.Error()); diff != "" {
					t.Error(diff)
				}
				return
			}
			if c.problems != nil {
				t.Fatal("loaded")
			}
			checkRoundTrip(t, p)
			e := p.Endpoints[0]
			if got := strings.Join(e.Methods, " "); got != c.methods || e.Access != c.access {
				t.Errorf("methods %s, access %s", got, e.Access)
			}
		})
	}
}

// Families without accounts have neither the actions nor the roles.
func TestActionsOfOtherFamilies(t *testing.T) {
	checkProblems(t, plainProfile, []problem{
		{"action", "  login:\n", "  login:\n    action: update\n", []string{
			`f.yaml:7:13: endpoints.login.action: want register, login, logout, logoutall, account, delete or set_password, not "update"`,
		}},
		{"password", "  login:\n", "  change:\n    action: set_password\n    path: /change/\n    logout: true\n    fields: {old: {role: current_password}, new: {role: password}, again: {role: password_again}}\n    reply: {status: 204}\n  login:\n", nil},
		{"password's view", "  login:\n", "  change:\n    action: set_password\n    path: /change/\n    renderers: [json]\n    fields: {new: {role: password}}\n    reply: {status: 204}\n  login:\n", []string{
			"f.yaml:9:5: endpoints.change.renderers: set_password is no REST framework view in family plainjson",
		}},
		{"deletion", "  login:\n", "  gone:\n    action: delete\n    path: /me/\n    fields: {old: {role: current_password}}\n    reply: {status: 204}\n  login:\n", nil},
		{"deletion of others", "  login:\n", "  gone:\n    action: delete\n    path: '/users/{id}/'\n    reply: {status: 204}\n  login:\n", []string{
			"f.yaml:8:11: endpoints.gone.path: delete removes the caller's own account in family plainjson: its path has no variable",
		}},
		{"role", "fields: {username: {}", "fields: {email: {}", []string{
			`f.yaml:8:21: endpoints.login.fields.email.role: is missing: "email" is none of username, password`,
		}},
	})
}

func TestAccountKeys(t *testing.T) {
	good := strings.Replace(fmt.Sprintf(accountProfile, "update", "/me/", "{email: {}}"), "endpoints:", "attributes: {n: integer, born: {type: date, null: true}}\nendpoints:", 1)
	checkProblems(t, good, []problem{
		{"typed field", "{email: {}}", "{born: {role: attribute, trim: true}}", []string{"f.yaml:10:38: endpoints.it.fields.born.trim: a field with the type date is no text"}},
		{"read-only", "{email: {}}", "{email: {read_only: true}, n: {role: attribute, required: false}}", nil},
		{"read-only and required", "{email: {}}", "{email: {read_only: true, required: true}}", []string{"f.yaml:10:39: endpoints.it.fields.email.required: a read-only field is never required"}},
		{"staff", "{email: {}}", "{staff: {role: attribute, attribute: is_staff}}", []string{"f.yaml:10:21: endpoints.it.fields.staff: is_staff is a right, which no request writes"}},
		{"attribute of an address", "{email: {}}", "{email: {attribute: x}}", []string{"f.yaml:10:22: endpoints.it.fields.email.attribute: a field with the role email is no attribute"}},
		{"unknown type", "{n: integer,", "{n: float,", []string{`f.yaml:5:17: attributes.n: want text, integer, boolean or date, not "float"`}},
		{"no type", "{n: integer,", "{n: {null: true},", []string{"f.yaml:5:17: attributes.n.type: is missing"}},
		{"others", "path: /me/", "path: '/users/{id}/'\n    others: forbidden", nil},
		{"others of all", "path: /me/", "path: '/users/{id}/'\n    others: visible", []string{"f.yaml:10:13: endpoints.it.others: only what shows accounts has others visible: want hidden or forbidden"}},
		{"logout", "path: /me/", "path: /me/\n    logout: true", []string{"f.yaml:10:5: endpoints.it.logout: logout is of set_password alone"}},
	})
}

// TestAddressesAsNames has no second field for the address, and no characters of names.
func TestAddressesAsNames(t *testing.T) {
	p, err := Parse("f.yaml", []byte(strings.Replace(fmt.Sprintf(accountProfile, "update", "/me/", "{username: {}}"), "endpoints:", "usernames: {email: true}\nendpoints:", 1)))
	if err != nil {
		t.Fatal(err)
	}
	checkRoundTrip(t, p)
	good := strings.Replace(fmt.Sprintf(accountProfile, "update", "/me/", "{username: {max_length: 254}}"), "endpoints:", "usernames: {email: true}\nendpoints:", 1)
	checkProblems(t, good, []problem{
		{"address", "{username:", "{email: {}, username:", []string{"f.yaml:10:14: endpoints.it.fields.email: the address is the username here (usernames.email), and has its role"}},
		{"characters", "{max_length: 254}", "{characters: django}", []string{`f.yaml:10:37: endpoints.it.fields.username.characters: want any, not "django"`}},
		{"length", "254", "255", []string{"f.yaml:10:37: endpoints.it.fields.username.max_length: want a whole number from 1 to 254, not the number 255"}},
		{"other names", "usernames: {email: true}\n", "usernames: {email: false}\n", []string{"f.yaml:10:37: endpoints.it.fields.username.max_length: want a whole number from 1 to 150, not the number 254"}},
	})
}

func TestNames(t *testing.T) {
	for _, other := range []string{formProfile, plainProfile} {
		checkProblems(t, other, []problem{
			{"unique addresses", "tokens:", "emails: {unique: true}\ntokens:", []string{"f.yaml:4:10: emails.unique: is of family drf alone: the others have no answer for an address that is taken"}},
			{"addresses", "tokens:", "emails: {case: insensitive}\ntokens:", nil},
			{"addresses as names", "tokens:", "usernames: {email: true}\ntokens:", []string{"f.yaml:4:13: usernames.email: is of family drf alone: the others have Django's own users"}},
		})
	}
	checkProblems(t, restProfile, []problem{
		{"all", "tokens:", "usernames: {case: insensitive}\nemails: {case: insensitive, unique: true}\ntokens:", nil},
		{"words", "tokens:", "usernames: {case: blind}\nemails: {unique: yes}\ntokens:", []string{
			`f.yaml:4:19: usernames.case: want exact or insensitive, not "blind"`,
			`f.yaml:5:18: emails.unique: want true or false, not "yes"`,
		}},
		{"addresses twice", "tokens:", "usernames: {email: true}\nemails: {unique: true}\ntokens:", []string{
			"f.yaml:5:9: emails.unique: the address is the username here (usernames.email), which nobody else has",
			"f.yaml:10:43: endpoints.register.fields.email: the address is the username here (usernames.email), and has its role",
		}},
		{"last login", "    path: /login/", "    path: /login/\n    update_last_login: true", nil},
		{"last login of a logout", "    path: /logout/", "    path: /logout/\n    update_last_login: true", []string{"f.yaml:16:5: endpoints.logout.update_last_login: update_last_login is of login alone"}},
		{"any text", "{username: {}, password: {trim: false}}", "{email: {validate: false}, password: {}}", nil},
		{"any username", "{username: {}, password: {trim: false}}", "{username: {validate: false}, password: {}}", []string{"f.yaml:12:25: endpoints.login.fields.username.validate: only an address at login need not look like one, and a uid and a token of a link be any text"}},
	})
}
