package profiles

import "testing"

func TestFieldProblems(t *testing.T) {
	checkProblems(t, restProfile, []problem{
		{"none", "{username: {}, password: {trim: false}}", "{}", []string{
			"f.yaml:12:13: endpoints.login.fields: no field has the role username, email or username_or_email",
			"f.yaml:12:13: endpoints.login.fields: no field has the role password",
		}},
		{"null", "{username: {}, password: {trim: false}}", "{username: , password: {}}", []string{"f.yaml:12:14: endpoints.login.fields.username: has no value: want a map, or {} to leave all to its defaults"}},
		{"missing", "    fields: {username: {}, password: {trim: false}}\n", "", []string{"f.yaml:11:5: endpoints.login.fields: is missing"}},
		{"a list", "{username: {}, password: {trim: false}}", "[username, password]", []string{"f.yaml:12:13: endpoints.login.fields: want a map, not a list"}},
		{"login without password", ", password: {trim: false}", "", []string{"f.yaml:12:13: endpoints.login.fields: no field has the role password"}},
		{"register without username", "username: {max_length: 150}, ", "", []string{"f.yaml:8:13: endpoints.register.fields: no field has the role username"}},
		{"role twice", "{username: {}, password: {trim: false}}", "{username: {}, login: {role: username}, password: {}}", []string{"f.yaml:12:35: endpoints.login.fields.login: has the role username, as username has"}},
		{"unknown role", "{username: {}, password: {trim: false}}", "{username: {role: user}, password: {}}", []string{`f.yaml:12:31: endpoints.login.fields.username.role: want username, password, email, username_or_email or key, not "user"`}},
		{"unknown name", "{username: {}, password: {trim: false}}", "{username: {}, secret: {}}", []string{`f.yaml:12:36: endpoints.login.fields.secret.role: is missing: "secret" is none of username, password, email, username_or_email, key`}},
		{"odd name", "{username: {}, password: {trim: false}}", "{'user[name]': {role: username}, 'pass word': {role: password}}", []string{
			"f.yaml:12:14: endpoints.login.fields.user[name]: a field's name is at most 64 letters, digits, _ and -, the first a letter or _",
			`f.yaml:12:46: endpoints.login.fields."pass word": a field's name is at most 64 letters, digits, _ and -, the first a letter or _`,
		}},
		{"logins by address", "{username: {}, password: {trim: false}}", "{email: {}, password: {}}", nil},
		{"logins by either", "{username: {}, password: {trim: false}}", "{login: {role: username_or_email}, password: {}}", nil},
		{"terms", "email: {}, ", "password_again: {}, accept: {}, ", []string{`f.yaml:8:71: endpoints.register.fields.accept.role: is missing: "accept" is none of username, password, email, password_again, id, attribute`}},
		{"password again at login", "password: {trim: false}", "password: {}, password_again: {}", []string{`f.yaml:12:58: endpoints.login.fields.password_again.role: is missing: "password_again" is none of username, password, email, username_or_email, key`}},
		{"id of login", "{username: {}, password: {trim: false}}", "{id: {}, username: {}, password: {}}", []string{`f.yaml:12:18: endpoints.login.fields.id.role: is missing: "id" is none of username, password, email, username_or_email, key`}},
		{"limits of id", "email: {}, ", "id: {required: true, blank: true, trim: true, max_length: 5, characters: any, label: ID}, ", []string{
			"f.yaml:8:48: endpoints.register.fields.id.required: a field with the role id is read-only",
			"f.yaml:8:64: endpoints.register.fields.id.blank: a field with the role id is read-only",
			"f.yaml:8:77: endpoints.register.fields.id.trim: a field with the role id is no text",
			"f.yaml:8:89: endpoints.register.fields.id.max_length: a field with the role id is no text",
			"f.yaml:8:104: endpoints.register.fields.id.characters: a field with the role id is no text",
		}},
		{"the token of register", "email: {}, ", "key: {}, ", []string{`f.yaml:8:48: endpoints.register.fields.key.role: is missing: "key" is none of username, password, email, password_again, id, attribute`}},
		{"limits of the token", "{username: {}, password: {trim: false}}", "{username: {}, password: {}, token: {role: key, required: false, max_length: 40, label: Token}}", []string{
			"f.yaml:12:61: endpoints.login.fields.token.required: a field with the role key is read-only",
			"f.yaml:12:78: endpoints.login.fields.token.max_length: a field with the role key is no text",
		}},
		{"unknown key", "username: {max_length: 150}", "username: {maxlength: 150}", []string{"f.yaml:8:25: endpoints.register.fields.username.maxlength: unknown key; did you mean max_length?"}},
		{"long username", "username: {max_length: 150}", "username: {max_length: 151}", []string{"f.yaml:8:37: endpoints.register.fields.username.max_length: want a whole number from 1 to 150, not the number 151"}},
		{"long email", "email: {}", "email: {max_length: 255}", []string{"f.yaml:8:63: endpoints.register.fields.email.max_length: want a whole number from 1 to 254, not the number 255"}},
		{"no length", "email: {}", "email: {max_length: 0}", []string{"f.yaml:8:63: endpoints.register.fields.email.max_length: want a whole number from 1 to 254, not the number 0"}},
		{"characters of email", "email: {}", "email: {characters: any}", []string{"f.yaml:8:51: endpoints.register.fields.email.characters: only a username has a set of characters"}},
		{"characters", "username: {max_length: 150}", "username: {characters: latin}", []string{`f.yaml:8:37: endpoints.register.fields.username.characters: want any, django or ascii, not "latin"`}},
		{"optional username", "username: {max_length: 150}", "username: {required: false, blank: true}", []string{
			"f.yaml:8:35: endpoints.register.fields.username.required: nobody can register without a username",
			"f.yaml:8:49: endpoints.register.fields.username.blank: nobody can register without a username",
		}},
		{"optional password", ", password: {}}", ", password: {required: false}}", []string{"f.yaml:8:75: endpoints.register.fields.password.required: nobody can register without a password"}},
		{"booleans", "email: {}", "email: {required: 1, blank: no, trim: 'true'}", []string{
			"f.yaml:8:61: endpoints.register.fields.email.required: want true or false, not the number 1",
			`f.yaml:8:71: endpoints.register.fields.email.blank: want true or false, not "no"`,
			`f.yaml:8:81: endpoints.register.fields.email.trim: want true or false, not "true"`,
		}},
		{"texts", "email: {}", "email: {label: '', help_text: 5}", []string{
			"f.yaml:8:58: endpoints.register.fields.email.label: is empty",
			"f.yaml:8:73: endpoints.register.fields.email.help_text: want a text (write it in quotes), not the number 5",
		}},
	})
}
