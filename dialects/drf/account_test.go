package drf_test

import (
	"strings"
	"testing"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/dialects"
	"github.com/authcompat/authcompat/dialects/internal/apitest"
	"github.com/authcompat/authcompat/store/sqlite/sqlitetest"
)

// accounts is djoser 2.1 with a user model of more columns.
const accounts = `
name: accounts
family: drf
stack: drf-3.14
tokens: {hex: 40, ttl: never, per_user: one}
attributes: {first_name: text, followers: integer, vip: boolean, born: {type: date, null: true}, note: {type: text, null: true}}
endpoints:
  list:
    path: /users/
    others: OTHERS
    renderers: [json]
    reply: {status: 200, body: {email: $user.email, id: $user.id, username: $user.username}}
  create:
    action: register
    path: /users/
    fields:
      username: {max_length: 150, characters: django}
      email: {required: false, blank: true}
      password: {}
      first_name: {role: attribute, required: false}
      fans: {role: attribute, attribute: followers, required: false}
      vip: {role: attribute, required: false}
      born: {role: attribute, required: false}
    reply: &account
      status: 200
      body: {id: $user.id, first_name: $user.attributes.first_name, fans: $user.attributes.followers, vip: $user.attributes.vip, born: $user.attributes.born, note: $user.attributes.note}
  me:
    action: account
    path: /users/me/
    renderers: [json]
    view: {name: User Me, actions: true}
    reply: {status: 200, body: {email: $user.email, id: $user.id, username: $user.username}}
  me_update:
    action: update
    path: /users/me/
    fields: &fields
      email: {required: false, blank: true, max_length: 254, label: Email address}
      id: {label: ID}
      username: {read_only: true, label: Username}
      first_name: {role: attribute, max_length: 5}
      fans: {role: attribute, attribute: followers, required: false}
      vip: {role: attribute, required: false}
      born: {role: attribute, required: false}
      note: {role: attribute, required: false, blank: true}
    reply: *account
  me_delete:
    action: delete
    path: /users/me/
    fields: {current_password: {}}
    reply: {status: 204}
  user:
    action: account
    path: '/users/{id}/'
    others: OTHERS
    renderers: [json]
    reply: {status: 200, body: {username: $user.username}}
  instance:
    action: account
    path: '/instances/{id}/'
    renderers: [json]
    parsers: [json]
    view: {name: User Instance, actions: true}
    reply: {status: 200, body: {username: $user.username}}
  instance_update:
    action: update
    path: '/instances/{id}/'
    fields: {email: {}}
    reply: {status: 200, body: {email: $user.email}}
  user_update:
    action: update
    path: '/users/{id}/'
    fields: {email: {}}
    reply: {status: 200, body: {email: $user.email}}
  user_delete:
    action: delete
    path: '/users/{id}/'
    others: forbidden
    fields: {current_password: {}}
    reply: {status: 204}
  named:
    action: account
    path: '/named/{username}/'
    others: hidden
    renderers: [json]
    reply: {status: 200, body: {username: $user.username}}
  rename:
    action: set_username
    path: /rename/
    renderers: [json]
    fields: {new_username: {role: username, max_length: 150, characters: django}, current_password: {}, re_new_username: {role: username_again}}
    reply: {status: 204}
  password:
    action: set_password
    path: /password/
    renderers: [json]
    logout: LOGOUT
    fields: {new_password: {role: password}, current_password: {}, re_new_password: {role: password_again}}
    reply: {status: 204}
passwords: {validators: [similarity, min_length]}
`

// TestNotCreated registers a name that only its normalised form is another user's: djoser's serializer finds it
// free, and the database does not.
func TestNotCreated(t *testing.T) {
	for messages, want := range map[string]string{
		"":                                       `400 {"username":["A user with that username already exists."]}`,
		"messages: {not_created: Can't create.}": `400 ["Can't create."]`,
	} {
		a, headers := newAccounts(t, accounts+messages, "OTHERS", "hidden", "LOGOUT", "false")
		run(t, a, headers, []exchange{
			{"", "POST", "/users/", `{"username": "\uff41nn", "password": "longenough"}`, want},
			{"", "POST", "/users/", `{"username": "ann", "password": "longenough"}`, `400 {"username":["A user with that username already exists."]}`},
			// A name that a user has changed to is as it was typed.
			{"ann", "POST", "/rename/", `{"new_username": "\uff42ea", "re_new_username": "\uff42ea", "current_password": "secret"}`, "204"},
			{"ann", "GET", "/users/1/", "", `200 {"username":"ｂea"}`},
		})
	}
}

// exchange is a request and what it is answered.
type exchange struct{ as, method, path, body, want string }

// newAccounts makes the API with ann (1), bea (2) and clara (3), who is staff, and gives the
// header of each.
func newAccounts(t *testing.T, text string, pairs ...string) (*apitest.API, map[string]string) {
	t.Helper()
	p := apitest.MustParse(t, text, pairs...)
	a := apitest.MustNew(t, p, sqlitetest.MustOpen(t))
	headers := map[string]string{}
	for _, name := range []string{"ann", "bea", "clara"} {
		r := core.Registration{Username: name, Email: name + "@a.example", Password: "secret"}
		if name == "clara" {
			r.Attributes = map[string]string{"is_staff": "true"}
		}
		if _, err := a.Engine.CreateUser(t.Context(), core.Policy{}, r); err != nil {
			t.Fatal(err)
		}
		headers[name] = "Token " + a.MustLogin(t, dialects.Policy(p), name)
	}
	return a, headers
}

func run(t *testing.T, a *apitest.API, headers map[string]string, exchanges []exchange) {
	t.Helper()
	for _, e := range exchanges {
		h := []string{"Content-Type", "application/json"}
		if strings.Contains(e.body, "=") {
			h[1] = "application/x-www-form-urlencoded"
		}
		if e.as != "" {
			h = append(h, "Authorization", headers[e.as])
		}
		w := a.Ask(t, e.method, e.path, e.body, h...)
		if got := w.Result().Status[:3] + " " + w.Body.String(); strings.TrimSpace(got) != e.want {
			t.Errorf("%s %s %s %s:\n got %s\nwant %s", e.as, e.method, e.path, e.body, got, e.want)
		}
	}
}

const (
	unknown   = `404 {"detail":"Not found."}`
	forbidden = `403 {"detail":"You do not have permission to perform this action."}`
	anonymous = `401 {"detail":"Authentication credentials were not provided."}`
)

// TestAccounts asks for accounts as djoser 2.1 answers with HIDE_USERS (the default), without it,
// and with the permission CurrentUserOrAdminOrReadOnly.
func TestAccounts(t *testing.T) {
	for others, want := range map[string]struct{ list, other string }{
		"hidden":  {`200 [{"email":"ann@a.example","id":1,"username":"ann"}]`, unknown},
		"visible": {`200 [{"email":"ann@a.example","id":1,"username":"ann"},{"email":"bea@a.example","id":2,"username":"bea"},{"email":"clara@a.example","id":3,"username":"clara"}]`, `200 {"username":"bea"}`},
	} {
		a, headers := newAccounts(t, accounts, "OTHERS", others, "LOGOUT", "false")
		run(t, a, headers, []exchange{
			{"", "GET", "/users/me/", "", anonymous},
			{"", "GET", "/users/", "", anonymous},
			{"ann", "GET", "/users/me/", "", `200 {"email":"ann@a.example","id":1,"username":"ann"}`},
			{"ann", "GET", "/users/", "", want.list},
			{"ann", "GET", "/users/1/", "", `200 {"username":"ann"}`},
			{"ann", "GET", "/users/2/", "", want.other},
			{"ann", "GET", "/users/02/", "", want.other},
			{"ann", "GET", "/users/+0_1/", "", `200 {"username":"ann"}`},
			{"ann", "GET", "/users/%20%D9%A1%E3%80%80/", "", `200 {"username":"ann"}`}, // an Arabic digit, an ideographic space
			{"ann", "GET", "/users/%F0%9D%9F%99/", "", `200 {"username":"ann"}`},       // a mathematical digit
			{"ann", "GET", "/users/%C2%B9/", "", unknown},                              // a superscript is no digit
			{"ann", "GET", "/users/1_/", "", unknown},
			{"ann", "GET", "/users/1%00/", "", unknown},
			{"ann", "GET", "/users/9/", "", unknown},
			{"ann", "GET", "/users/99999999999999999999/", "", unknown},
			{"ann", "GET", "/users/bea/", "", unknown},
			{"ann", "OPTIONS", "/instances/1/", "", `200 {"name":"User Instance","description":"","renders":["application/json"],"parses":["application/json"],"actions":{"PUT":{"email":{"type":"email","required":true,"read_only":false}}}}`},
			{"ann", "OPTIONS", "/instances/2/", "", `200 {"name":"User Instance","description":"","renders":["application/json"],"parses":["application/json"]}`},
			{"ann", "GET", "/named/ann/", "", `200 {"username":"ann"}`},
			{"ann", "GET", "/named/bea/", "", unknown},
			{"clara", "GET", "/named/bea/", "", `200 {"username":"bea"}`},
			{"ann", "PUT", "/users/2/", `{}`, unknown},
			{"ann", "DELETE", "/users/2/", `{}`, forbidden},
			{"ann", "DELETE", "/users/9/", `{}`, unknown},
			{"clara", "GET", "/users/", "", `200 [{"email":"ann@a.example","id":1,"username":"ann"},{"email":"bea@a.example","id":2,"username":"bea"},{"email":"clara@a.example","id":3,"username":"clara"}]`},
			{"clara", "GET", "/users/2/", "", `200 {"username":"bea"}`},
			{"clara", "PUT", "/users/2/", `{"email":"b@b.example"}`, `200 {"email":"b@b.example"}`},
			{"clara", "DELETE", "/users/2/", `{}`, `400 {"current_password":["This field is required."]}`},
			{"clara", "DELETE", "/users/2/", `{"current_password":"wrong"}`, `400 {"current_password":["Invalid password."]}`},
			{"clara", "DELETE", "/users/2/", `{"current_password":"secret"}`, `204`},
			{"bea", "GET", "/users/me/", "", `401 {"detail":"Invalid token."}`},
			{"clara", "GET", "/users/me/", "", `200 {"email":"clara@a.example","id":3,"username":"clara"}`},
			{"ann", "DELETE", "/users/me/", `current_password=secret`, `204`},
			{"ann", "GET", "/users/me/", "", `401 {"detail":"Invalid token."}`},
		})
	}
}

// TestUpdates changes accounts: PUT wants what is required, PATCH nothing, and neither changes
// what is read-only.
func TestUpdates(t *testing.T) {
	a, headers := newAccounts(t, accounts, "OTHERS", "hidden", "LOGOUT", "false")
	run(t, a, headers, []exchange{
		{"ann", "PUT", "/users/me/", `{"email":"x@a.example"}`, `400 {"first_name":["This field is required."]}`},
		{"ann", "PATCH", "/users/me/", `{}`, `200 {"id":1,"first_name":"","fans":0,"vip":false,"born":null,"note":null}`},
		{"ann", "PATCH", "/users/me/", `{"email":"x@","first_name":"Ann Lou","fans":"many","vip":2,"born":"1815-13-10"}`,
			`400 {"email":["Enter a valid email address."],"first_name":["Ensure this field has no more than 5 characters."],"fans":["A valid integer is required."],"vip":["Must be a valid boolean."],"born":["Date has wrong format. Use one of these formats instead: YYYY-MM-DD."]}`},
		{"ann", "PATCH", "/users/me/", `{"first_name":null,"fans":null,"vip":null,"born":null,"note":null}`,
			`400 {"first_name":["This field may not be null."],"fans":["This field may not be null."],"vip":["This field may not be null."]}`},
		{"ann", "PATCH", "/users/me/", `{"email":"X@A.Example","username":"zoe","id":7,"first_name":" Ann ","fans":" 7.00 ","vip":"on","born":"1815-1-2","note":"n"}`,
			`200 {"id":1,"first_name":"Ann","fans":7,"vip":true,"born":"1815-01-02","note":"n"}`},
		{"ann", "GET", "/users/me/", "", `200 {"email":"X@A.Example","id":1,"username":"ann"}`},
		{"ann", "PATCH", "/users/me/", `fans=8&born=&note=`, `200 {"id":1,"first_name":"Ann","fans":8,"vip":true,"born":null,"note":""}`},
		{"ann", "PUT", "/users/me/", `first_name=Lou`, `200 {"id":1,"first_name":"Lou","fans":8,"vip":false,"born":null,"note":""}`},
		{"ann", "PATCH", "/users/me/", `[]`, `400 {"non_field_errors":["Invalid data. Expected a dictionary, but got list."]}`},
		{"", "PATCH", "/users/me/", `{}`, anonymous},
		{"", "POST", "/users/", `{"username":"dora","password":"long enough","first_name":"Dora","fans":3,"vip":true,"born":"1900-02-28"}`, `200 {"id":4,"first_name":"Dora","fans":3,"vip":true,"born":"1900-02-28","note":null}`},
		{"", "POST", "/users/", `{"username":"eva","password":"jonathan1","first_name":"Jonathan"}`, `400 {"password":["The password is too similar to the first name."]}`},
		{"ann", "OPTIONS", "/users/me/", "", `200 {"name":"User Me","description":"","renders":["application/json"],"parses":["application/json","application/x-www-form-urlencoded","multipart/form-data"],"actions":{"PUT":{` +
			`"email":{"type":"email","required":false,"read_only":false,"label":"Email address","max_length":254},"id":{"type":"integer","required":false,"read_only":true,"label":"ID"},"username":{"type":"string","required":false,"read_only":true,"label":"Username"},` +
			`"first_name":{"type":"string","required":true,"read_only":false,"max_length":5},"fans":{"type":"integer","required":false,"read_only":false},"vip":{"type":"boolean","required":false,"read_only":false},"born":{"type":"date","required":false,"read_only":false},"note":{"type":"string","required":false,"read_only":false}}}}`},
	})
}

// TestSetUsername renames the caller. Fields are validated first, the caller's own name is taken.
func TestSetUsername(t *testing.T) {
	a, headers := newAccounts(t, accounts, "OTHERS", "hidden", "LOGOUT", "false")
	const taken = `400 {"new_username":["A user with that username already exists."]}`
	run(t, a, headers, []exchange{
		{"ann", "POST", "/rename/", `{}`, `400 {"new_username":["This field is required."],"current_password":["This field is required."],"re_new_username":["This field is required."]}`},
		{"ann", "POST", "/rename/", `{"new_username":"a b","re_new_username":"a","current_password":"wrong"}`,
			`400 {"new_username":["Enter a valid username. This value may contain only letters, numbers, and @/./+/-/_ characters."],"current_password":["Invalid password."]}`},
		{"ann", "POST", "/rename/", `{"new_username":"bea","re_new_username":"bea","current_password":"secret"}`, taken},
		{"ann", "POST", "/rename/", `{"new_username":"ann","re_new_username":"ann","current_password":"secret"}`, taken},
		{"ann", "POST", "/rename/", `{"new_username":"zoe","re_new_username":"Zoe","current_password":"secret"}`, `400 {"non_field_errors":["The two username fields didn't match."]}`},
		{"ann", "POST", "/rename/", `{"new_username":"zoe","re_new_username":"zoe","current_password":"secret"}`, `204`},
		{"ann", "GET", "/users/me/", "", `200 {"email":"ann@a.example","id":1,"username":"zoe"}`},
	})
}

// TestSetPassword changes the caller's password: what is wrong with fields comes first, then the
// validators, then the password typed again.
func TestSetPassword(t *testing.T) {
	for logout, after := range map[string]string{
		"false": `200 {"email":"ann@a.example","id":1,"username":"ann"}`,
		"true":  `401 {"detail":"Invalid token."}`,
	} {
		a, headers := newAccounts(t, accounts, "OTHERS", "hidden", "LOGOUT", logout)
		run(t, a, headers, []exchange{
			{"", "POST", "/password/", `{}`, anonymous},
			{"ann", "POST", "/password/", `{"new_password":"ann@a.exam","re_new_password":"","current_password":"wrong"}`, `400 {"current_password":["Invalid password."],"re_new_password":["This field may not be blank."]}`},
			{"ann", "POST", "/password/", `{"new_password":"ann@a.example","re_new_password":"other","current_password":"secret"}`, `400 {"new_password":["The password is too similar to the email address."]}`},
			{"ann", "POST", "/password/", `{"new_password":"short","re_new_password":"other","current_password":"secret"}`, `400 {"new_password":["This password is too short. It must contain at least 8 characters."]}`},
			{"ann", "POST", "/password/", `{"new_password":"long enough","re_new_password":"other","current_password":"secret"}`, `400 {"non_field_errors":["The two password fields didn't match."]}`},
			{"ann", "POST", "/password/", `{"new_password":"long enough","re_new_password":"long enough","current_password":"secret"}`, `204`},
			{"ann", "GET", "/users/me/", "", after},
		})
		if _, err := a.Engine.Login(t.Context(), core.Policy{TokenHex: 40}, "ann", "long enough"); err != nil {
			t.Error(err)
		}
	}
}

// TestChangePassword is dj-rest-auth 5.0: the errors of Django's SetPasswordForm stand where the
// password is typed again, and what differs comes first.
func TestChangePassword(t *testing.T) {
	a, headers := newAccounts(t, `
name: changes
family: drf
stack: drf-3.14
tokens: {hex: 40, ttl: never, per_user: one}
passwords: {validators: [similarity, numeric], stage: field}
endpoints:
  change:
    action: set_password
    path: /change/
    renderers: [json]
    fields: {new_password1: {role: password, max_length: 128}, new_password2: {role: password_again, max_length: 128}, old_password: {role: current_password, max_length: 128}}
    reply: {status: 200, body: {detail: New password has been saved.}}
messages:
  change_mismatch: The two password fields didn’t match.
  current_password: Your old password was entered incorrectly. Please enter it again.
`)
	run(t, a, headers, []exchange{
		{"ann", "POST", "/change/", `{"new_password1":"a","new_password2":"","old_password":"wrong"}`, `400 {"new_password2":["This field may not be blank."],"old_password":["Your old password was entered incorrectly. Please enter it again."]}`},
		{"ann", "POST", "/change/", `{"new_password1":"123","new_password2":"124","old_password":"secret"}`, `400 {"new_password2":["The two password fields didn’t match."]}`},
		{"ann", "POST", "/change/", `{"new_password1":123,"new_password2":123,"old_password":"secret"}`, `400 {"new_password2":["This password is entirely numeric."]}`},
		{"ann", "POST", "/change/", `{"new_password1":"correct horse","new_password2":"correct horse","old_password":"secret"}`, `200 {"detail":"New password has been saved."}`},
	})
}

// TestLongNewUsernames refuses the names for which AbstractUser has no room (django/contrib/auth/models.py 3.2), where the profile
// says no limit either: each way to a new name was one around that of registrations.
func TestLongNewUsernames(t *testing.T) {
	a, headers := newAccounts(t, accounts, "OTHERS", "hidden", "LOGOUT", "false", "max_length: 150, ", "", "{read_only: true, label: Username}", "{required: false}")
	most, long := strings.Repeat("é", 150), strings.Repeat("é", 151)
	const said = `["Ensure this field has no more than 150 characters."]}`
	run(t, a, headers, []exchange{
		{"ann", "POST", "/rename/", `{"new_username":"` + long + `","current_password":"secret","re_new_username":"` + long + `"}`, `400 {"new_username":` + said},
		{"ann", "PATCH", "/users/me/", `{"username":"` + long + `"}`, `400 {"username":` + said},
		{"ann", "PATCH", "/users/me/", `{"username":"` + most + `"}`, `200 {"id":1,"first_name":"","fans":0,"vip":false,"born":null,"note":null}`},
	})
	if _, err := a.Engine.User(t.Context(), most); err != nil {
		t.Error(err)
	}
}
