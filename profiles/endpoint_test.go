package profiles

import (
	"strings"
	"testing"
)

func TestEndpointProblems(t *testing.T) {
	endpoints := restProfile[strings.Index(restProfile, "endpoints:"):]
	checkProblems(t, restProfile, []problem{
		{"none", endpoints, "endpoints: {}\n", []string{"f.yaml:5:12: endpoints: a profile has at least one endpoint"}},
		{"null", endpoints, "endpoints:\n", []string{"f.yaml:5:1: endpoints: has no value: want a map, or {} to leave all to its defaults"}},
		{"odd name", "  login:", "  Log in:", []string{
			`f.yaml:10:3: endpoints."Log in": an endpoint's name is at most 64 lower-case letters, digits, _ and -, the first a letter`,
			`f.yaml:11:5: endpoints."Log in".action: is missing: "Log in" is none of register, login, logout, logoutall, account, update, delete, list, set_password, set_username, reset_password, reset_password_confirm, reset_username, reset_username_confirm, resend_activation, activate, resend_verification, verify_email`,
		}},
		{"no action", "  login:", "  signin:", []string{`f.yaml:11:5: endpoints.signin.action: is missing: "signin" is none of register, login, logout, logoutall, account, update, delete, list, set_password, set_username, reset_password, reset_password_confirm, reset_username, reset_username_confirm, resend_activation, activate, resend_verification, verify_email`}},
		{"bad action", "    path: /login/", "    path: /login/\n    action: signin", []string{`f.yaml:12:13: endpoints.login.action: want register, login, logout, logoutall, account, update, delete, list, set_password, set_username, reset_password, reset_password_confirm, reset_username, reset_username_confirm, resend_activation, activate, resend_verification or verify_email, not "signin"`}},
		{"unknown key", "    path: /login/", "    path: /login/\n    feilds: {}", []string{"f.yaml:12:5: endpoints.login.feilds: unknown key; did you mean fields?"}},
		{"nothing", "  logout:\n    path: /logout/\n    reply: {status: 204}", "  logout:", []string{"f.yaml:14:3: endpoints.logout: has no value: want a map, or {} to leave all to its defaults"}},
		{"no path", "    path: /login/\n", "", []string{"f.yaml:11:5: endpoints.login.path: is missing"}},
		{"method", "    path: /login/", "    path: /login/\n    method: GET", []string{`f.yaml:12:13: endpoints.login.method: want POST, not "GET"`}},
		{"account method", "    path: /users/{username}/", "    path: /users/{username}/\n    method: PATCH", []string{`f.yaml:19:13: endpoints.account.method: want GET, POST or PUT, not "PATCH"`}},
		{"open logout", "    path: /logout/", "    path: /logout/\n    access: open\n    methods: [GET, POST]\n    view: {allow: [POST, OPTIONS, HEAD]}", nil},
		{"odd allow", "    path: /logout/", "    path: /logout/\n    view: {allow: [TRACE, GET, GET]}", []string{
			`f.yaml:16:20: endpoints.logout.view.allow[0]: want GET, POST, PUT, PATCH, DELETE, HEAD or OPTIONS, not "TRACE"`,
			"f.yaml:16:32: endpoints.logout.view.allow[2]: stands here twice",
		}},
		{"logout by PUT", "    path: /logout/", "    path: /logout/\n    method: PUT", []string{`f.yaml:16:13: endpoints.logout.method: want POST or GET, not "PUT"`}},
		{"key of other errors", "endpoints:", "errors: {non_field: 'a b'}\nendpoints:", []string{`f.yaml:5:21: errors.non_field: want at most 64 letters, digits, _ and -, the first a letter or _, not "a b"`}},
		{"another key of other errors", "endpoints:", "errors: {non_field: all}\nendpoints:", nil},
		{"open account", "    path: /users/{username}/", "    path: /users/{username}/\n    access: open", []string{`f.yaml:19:13: endpoints.account.access: want token, not "open"`}},
		{"bad access", "    path: /login/", "    path: /login/\n    access: public", []string{`f.yaml:12:13: endpoints.login.access: want open or token, not "public"`}},
		{"unchecked token", "    path: /logout/", "    path: /logout/\n    authenticate: false", []string{"f.yaml:16:19: endpoints.logout.authenticate: want true: the endpoint's access is token"}},
		{"fields of logout", "    path: /logout/", "    path: /logout/\n    fields: {username: {}}", []string{"f.yaml:16:5: endpoints.logout.fields: logout reads no fields"}},
		{"view", "    path: /logout/", "    path: /logout/\n    view: {name: '', description: [], action: true, actions: maybe}", []string{
			"f.yaml:16:18: endpoints.logout.view.name: is empty",
			"f.yaml:16:35: endpoints.logout.view.description: want a text, not a list",
			"f.yaml:16:39: endpoints.logout.view.action: unknown key; did you mean actions?",
			`f.yaml:16:62: endpoints.logout.view.actions: want true, false or the name of an endpoint with fields`,
		}},
		{"renderers", "    path: /logout/", "    path: /logout/\n    renderers: [html, xml, html]", []string{
			`f.yaml:16:23: endpoints.logout.renderers[1]: want json or html, not "xml"`,
			"f.yaml:16:28: endpoints.logout.renderers[2]: stands here twice",
		}},
		{"renderers without json", "    path: /logout/", "    path: /logout/\n    renderers: [html]", []string{"f.yaml:16:16: endpoints.logout.renderers: want json among them"}},
		{"no renderers", "    path: /logout/", "    path: /logout/\n    renderers: []", []string{"f.yaml:16:16: endpoints.logout.renderers: is empty: want at least one of json or html"}},
		{"parsers", "    path: /logout/", "    path: /logout/\n    parsers: json", []string{`f.yaml:16:14: endpoints.logout.parsers: want a list of json, form or multipart, not "json"`}},
		{"same path", "/logout/", "/login/", []string{"f.yaml:15:11: endpoints.logout.path: POST /login/ is login above already"}},
		{"hidden path", "    path: /users/{username}/\n    reply: {status: 200, body: {name: $user.username}}",
			"    path: /users/{username}/\n    reply: {status: 200}\n  logoutall:\n    path: /users/logoutall/\n    reply: {status: 204}", []string{"f.yaml:21:11: endpoints.logoutall.path: is matched by the path of account above; put this endpoint first"}},
		{"relative path", "/login/", "login/", []string{"f.yaml:11:11: endpoints.login.path: a path starts with a slash"}},
		{"no slash", "/login/", "login", []string{"f.yaml:11:11: endpoints.login.path: a path starts with a slash"}},
		{"query", "/login/", "/login/?a=b", []string{"f.yaml:11:11: endpoints.login.path: a path has no query and no fragment"}},
		{"fragment", "/login/", "'/login/#a'", []string{"f.yaml:11:11: endpoints.login.path: a path has no query and no fragment"}},
		{"space", "/login/", "/log in/", []string{"f.yaml:11:11: endpoints.login.path: a path is ASCII letters, digits and -._~!$&'()*+,;=:@ between slashes"}},
		{"percent", "/login/", "/log%20in/", []string{"f.yaml:11:11: endpoints.login.path: a path is ASCII letters, digits and -._~!$&'()*+,;=:@ between slashes"}},
		{"not ASCII", "/login/", "/anmeldung-für-alle/", []string{"f.yaml:11:11: endpoints.login.path: a path is ASCII letters, digits and -._~!$&'()*+,;=:@ between slashes"}},
		{"empty segment", "/login/", "/api//login/", []string{"f.yaml:11:11: endpoints.login.path: a path has no empty segments (//)"}},
		{"dots", "/login/", "/api/../login/", []string{"f.yaml:11:11: endpoints.login.path: a path has no . and .. segments, which clients take out"}},
		{"variable", "/login/", "/{name}/login/", []string{"f.yaml:11:11: endpoints.login.path: the only variables of a path are {username} and {id}, whole segments"}},
		{"half a segment", "/login/", "'/x{username}/login/'", []string{"f.yaml:11:11: endpoints.login.path: the only variables of a path are {username} and {id}, whole segments"}},
		{"username of login", "/login/", "'/{username}/login/'", []string{"f.yaml:11:11: endpoints.login.path: only the path of an account has {username} or {id}"}},
		{"account with two", "/users/{username}/", "'/users/{username}/{id}/'", []string{"f.yaml:18:11: endpoints.account.path: a path has {username} or {id} once"}},
		{"no reply", "    reply: {status: 204}\n", "", []string{"f.yaml:15:5: endpoints.logout.reply: is missing"}},
		{"no status", "{status: 204}", "{}", []string{"f.yaml:16:12: endpoints.logout.reply.status: is missing"}},
		{"small status", "{status: 204}", "{status: 199}", []string{"f.yaml:16:21: endpoints.logout.reply.status: want a whole number from 200 to 599, not the number 199"}},
		{"big status", "{status: 204}", "{status: 600}", []string{"f.yaml:16:21: endpoints.logout.reply.status: want a whole number from 200 to 599, not the number 600"}},
		{"status text", "{status: 204}", "{status: '204'}", []string{`f.yaml:16:21: endpoints.logout.reply.status: want a whole number from 200 to 599, not "204"`}},
		{"status fraction", "{status: 204}", "{status: 204.0}", []string{"f.yaml:16:21: endpoints.logout.reply.status: want a whole number from 200 to 599, not the number 204.0"}},
		{"body of 204", "{status: 204}", "{status: 204, body: {}}", []string{"f.yaml:16:32: endpoints.logout.reply.body: a reply with status 204 has no body"}},
	})
}

func TestFormProblems(t *testing.T) {
	checkProblems(t, formProfile, []problem{
		{"view", "    path: /signup", "    path: /signup\n    view: {}\n    renderers: [json]\n    parsers: [form]", []string{
			"f.yaml:10:5: endpoints.signup.view: register is no REST framework view in family formjson",
			"f.yaml:11:5: endpoints.signup.renderers: register is no REST framework view in family formjson",
			"f.yaml:12:5: endpoints.signup.parsers: register is no REST framework view in family formjson",
		}},
		{"access", "    path: /signup", "    path: /signup\n    access: token\n    authenticate: true", []string{
			`f.yaml:10:13: endpoints.signup.access: want open, not "token"`,
			"f.yaml:11:5: endpoints.signup.authenticate: register is no REST framework view in family formjson",
		}},
		{"no body", "{status: 200, body: {token: $token.key}}", "{status: 200}", []string{"f.yaml:11:12: endpoints.signup.reply.body: is missing: the reply of register answers with JSON"}},
		{"no shape", "errors: {body: {errors: $errors}}\n", "", []string{"f.yaml:1:1: errors: is missing: it says with body what a form that failed answers"}},
		{"no body in shape", "{body: {errors: $errors}}", "{status: 400}", []string{"f.yaml:5:9: errors.body: is missing"}},
		{"shape", "{body: {errors: $errors}}", "{status: 1, body: {e: $message, f: '${errors}', g: $status}, detail: $errors}", []string{
			"f.yaml:5:18: errors.status: want a whole number from 200 to 599, not the number 1",
			"f.yaml:5:31: errors.body.e: $message is not known in the body of errors; known here are $errors",
			"f.yaml:5:44: errors.body.f: $errors is an object, which no text can hold",
			"f.yaml:5:60: errors.body.g: $status is not known in the body of errors; known here are $errors",
			"f.yaml:5:78: errors.detail: $errors is not known in the detail of errors; known here are $message, $status",
		}},
		{"preflight", "endpoints:", "preflight_headers: {A: b}\nendpoints:", []string{"f.yaml:6:1: preflight_headers: is of family plainjson alone"}},
		{"rules", "endpoints:", "rules: {blank: refused}\nendpoints:", []string{"f.yaml:6:9: rules.blank: is a rule of family drf, not formjson"}},
		{"labels", "{username: {}", "{username: {label: User, help_text: Help}", []string{
			"f.yaml:10:25: endpoints.signup.fields.username.label: is of family drf alone: OPTIONS tells it",
			"f.yaml:10:38: endpoints.signup.fields.username.help_text: is of family drf alone: OPTIONS tells it",
		}},
		{"accept", "{role: accept}", "{role: accept, blank: true, trim: true, max_length: 3, characters: any}", []string{
			"f.yaml:10:112: endpoints.signup.fields.tos.blank: a field with the role accept is no text",
			"f.yaml:10:125: endpoints.signup.fields.tos.trim: a field with the role accept is no text",
			"f.yaml:10:137: endpoints.signup.fields.tos.max_length: a field with the role accept is no text",
			"f.yaml:10:152: endpoints.signup.fields.tos.characters: a field with the role accept is no text",
		}},
		{"id", "{role: accept}", "{role: id}", []string{`f.yaml:10:104: endpoints.signup.fields.tos.role: want username, password, email, password_again or accept, not "id"`}},
		{"stack", "forms-2.2", "drf-3.14", []string{"f.yaml:3:8: stack: drf-3.14 is a stack of family drf, not formjson"}},
	})
}

func TestPlainProblems(t *testing.T) {
	checkProblems(t, plainProfile, []problem{
		{"view", "    path: /login", "    path: /login\n    view: {}\n    renderers: [json]\n    parsers: [form]", []string{
			"f.yaml:8:5: endpoints.login.view: login is no REST framework view in family plainjson",
			"f.yaml:9:5: endpoints.login.renderers: login is no REST framework view in family plainjson",
			"f.yaml:10:5: endpoints.login.parsers: login is no REST framework view in family plainjson",
		}},
		{"access", "    path: /login", "    path: /login\n    access: token\n    authenticate: true", []string{
			`f.yaml:8:13: endpoints.login.access: want open, not "token"`,
			"f.yaml:9:5: endpoints.login.authenticate: login is no REST framework view in family plainjson",
		}},
		{"shape", "endpoints:", "errors: {status: 200, detail: a}\nendpoints:", []string{
			"f.yaml:5:10: errors.status: is of family formjson alone",
			"f.yaml:5:23: errors.detail: is of families drf and formjson; the failures of family plainjson have the shape of body",
		}},
		{"slashes", "endpoints:", "trailing_slash: optional\nendpoints:\n  other: {action: logout, path: /login/, reply: {status: 200}}", []string{"f.yaml:9:11: endpoints.login.path: is the path of other already"}},
		{"roles", "{username: {}, password: {}}", "{username: {}, password: {}, password_again: {}, accept: {}, id: {}, email: {}}", []string{
			`f.yaml:8:58: endpoints.login.fields.password_again.role: is missing: "password_again" is none of username, password`,
			`f.yaml:8:70: endpoints.login.fields.accept.role: is missing: "accept" is none of username, password`,
			`f.yaml:8:78: endpoints.login.fields.id.role: is missing: "id" is none of username, password`,
			`f.yaml:8:89: endpoints.login.fields.email.role: is missing: "email" is none of username, password`,
		}},
	})
}
