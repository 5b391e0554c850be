package drf_test

import (
	"strings"
	"testing"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/dialects/internal/apitest"
	"github.com/authcompat/authcompat/store/sqlite/sqlitetest"
)

const logins = `
name: logins
family: drf
stack: drf-3.14
tokens: {hex: 40, ttl: never, per_user: one}
usernames: {case: USERNAMES}
emails: {case: EMAILS, unique: true}
endpoints:
  login:
    path: /login/
    renderers: [json]
    fields: {FIELDS, password: {}}
    reply: {status: 200, body: {name: $user.username}}
  register:
    path: /register/
    renderers: [json]
    fields: {username: {max_length: 150}, email: {required: false, blank: true}, password: {}}
    reply: {status: 201, body: {name: $user.username}}
  me:
    action: update
    path: /me/
    renderers: [json]
    fields: {username: {}, email: {}}
    reply: {status: 200, body: {name: $user.username, email: $user.email}}
`

// TestLogins logs in by what the fields of the login are: as djoser with LOGIN_FIELD, and as
// dj-rest-auth, where of an address and a username the address counts.
func TestLogins(t *testing.T) {
	const (
		ann     = `200 {"name":"Ann"}`
		unable  = `400 {"non_field_errors":["Unable to log in with provided credentials."]}`
		lacking = `400 {"non_field_errors":["Must include \"username\" and \"password\"."]}`
		invalid = `400 {"email":["Enter a valid email address."]}`
	)
	for _, test := range []struct {
		name, fields, usernames, emails string
		exchanges                       []exchange
	}{
		{"username", "username: {}", "exact", "exact", []exchange{
			{"", "POST", "/login/", `{"username":"Ann","password":"secret"}`, ann},
			{"", "POST", "/login/", `{"username":"ann","password":"secret"}`, unable},
			{"", "POST", "/login/", `{"username":"ann@a.example","password":"secret"}`, unable},
			{"", "POST", "/register/", `{"username":"ann","password":"secret"}`, `201 {"name":"ann"}`},
		}},
		{"case-blind username", "username: {}", "insensitive", "exact", []exchange{
			{"", "POST", "/login/", `{"username":"aNN","password":"secret"}`, ann},
			{"", "POST", "/login/", `{"username":"aNN","password":"Secret"}`, unable},
			{"", "POST", "/register/", `{"username":"ann","password":"secret"}`, `400 {"username":["A user with that username already exists."]}`},
		}},
		{"address", "email: {}", "exact", "exact", []exchange{
			{"", "POST", "/login/", `{"email":"Ann@a.example","password":"secret"}`, ann},
			{"", "POST", "/login/", `{"email":"ann@a.example","password":"secret"}`, unable},
			{"", "POST", "/login/", `{"email":"Ann","password":"secret"}`, invalid},
			{"", "POST", "/login/", `{"username":"Ann","password":"secret"}`, `400 {"email":["This field is required."]}`},
		}},
		{"any text as address", "email: {validate: false, required: false}", "exact", "insensitive", []exchange{
			{"", "POST", "/login/", `{"email":"ann@A.example","password":"secret"}`, ann},
			{"", "POST", "/login/", `{"email":"Ann","password":"secret"}`, unable},
			{"", "POST", "/login/", `{"password":"secret"}`, lacking},
		}},
		{"either", "login: {role: username_or_email}", "exact", "insensitive", []exchange{
			{"", "POST", "/login/", `{"login":"ann@a.example","password":"secret"}`, ann},
			{"", "POST", "/login/", `{"login":"Ann","password":"secret"}`, ann},
			{"", "POST", "/login/", `{"login":"ann","password":"secret"}`, unable},
		}},
		{"both", "username: {required: false, blank: true}, email: {required: false, blank: true}", "exact", "insensitive", []exchange{
			{"", "POST", "/login/", `{"username":"Ann","password":"secret"}`, ann},
			{"", "POST", "/login/", `{"email":"ann@a.example","password":"secret"}`, ann},
			{"", "POST", "/login/", `{"username":"nobody","email":"ann@a.example","password":"secret"}`, ann},
			{"", "POST", "/login/", `{"username":"Ann","email":"b@a.example","password":"secret"}`, unable},
			{"", "POST", "/login/", `{"username":"Ann","email":"","password":"secret"}`, ann},
			{"", "POST", "/login/", `{"username":"ann@a.example","password":"secret"}`, unable},
			{"", "POST", "/login/", `{"password":"secret"}`, lacking},
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := apitest.MustParse(t, logins, "USERNAMES", test.usernames, "EMAILS", test.emails, "FIELDS", test.fields)
			a := apitest.MustNew(t, p, sqlitetest.MustOpen(t))
			if _, err := a.Engine.CreateUser(t.Context(), core.Policy{}, core.Registration{Username: "Ann", Email: "Ann@a.example", Password: "secret"}); err != nil {
				t.Fatal(err)
			}
			run(t, a, nil, test.exchanges)
		})
	}
}

// TestTaken refuses names and addresses of others, in whatever case, but not one's own.
func TestTaken(t *testing.T) {
	a, headers := newAccounts(t, logins, "USERNAMES", "insensitive", "EMAILS", "exact", "FIELDS", "username: {}")
	const both = `400 {"username":["A user with that username already exists."],"email":["user with this email address already exists."]}`
	run(t, a, headers, []exchange{
		{"", "POST", "/register/", `{"username":"ANN","email":"BEA@a.example","password":"secret"}`, both},
		{"ann", "PUT", "/me/", `{"username":"BEA","email":"Bea@a.example"}`, both},
		{"ann", "PUT", "/me/", `{"username":"ann","email":"ANN@A.example"}`, `200 {"name":"ann","email":"ANN@A.example"}`},
		{"", "POST", "/register/", `{"username":"dora","password":"secret"}`, `201 {"name":"dora"}`},
		{"", "POST", "/register/", `{"username":"eva","email":"","password":"secret"}`, `201 {"name":"eva"}`},
	})
}

// addressed has users whose name is their address, as django.contrib.auth.base_user.AbstractBaseUser with
// USERNAME_FIELD = "email" and djoser 2.1 have it.
const addressed = `
name: addressed
family: drf
stack: drf-3.14
tokens: {hex: 40, ttl: never, per_user: one}
usernames: {email: true}
endpoints:
  register:
    path: /users/
    renderers: [json]
    view: {name: Users, actions: true}
    fields: {email: {role: username, max_length: 254}, password: {}}
    reply: {status: 201, body: {email: $user.email, name: $user.username}}
  login:
    path: /login/
    renderers: [json]
    view: {name: Login, actions: true}
    fields: {email: {role: username}, password: {}}
    reply: {status: 200, body: {email: $user.email}}
  set_email:
    action: set_username
    path: /set_email/
    renderers: [json]
    fields: {new_email: {role: username}, current_password: {}}
    reply: {status: 200, body: {email: $user.email, name: $user.username}}
messages: {username_taken: user with this email already exists.}
`

// TestAddressedUsers registers, renames and logs in users whose name is their address.
func TestAddressedUsers(t *testing.T) {
	long := strings.Repeat("a", 50) + "@" + strings.Repeat(strings.Repeat("b", 60)+".", 2) + "example"
	a, headers := newAccounts(t, addressed)
	const invalid = `400 {"email":["Enter a valid email address."]}`
	run(t, a, headers, []exchange{
		{"", "POST", "/users/", `{"email":"Dora@Example.ORG","password":"secret"}`, `201 {"email":"Dora@example.org","name":"Dora@example.org"}`},
		{"", "POST", "/users/", `{"email":"Dora@example.org","password":"secret"}`, `400 {"email":["user with this email already exists."]}`},
		{"", "POST", "/users/", `{"password":"secret"}`, `400 {"email":["This field is required."]}`},
		{"", "POST", "/users/", `{"email":"dora","password":"secret"}`, invalid},
		{"", "POST", "/users/", `{"email":true,"password":"secret"}`, invalid},
		{"", "POST", "/users/", `{"email":"` + long + `","password":"secret"}`, `201 {"email":"` + long + `","name":"` + long + `"}`},
		{"", "POST", "/login/", `{"email":"dora","password":"secret"}`, `400 {"non_field_errors":["Unable to log in with provided credentials."]}`},
		{"", "POST", "/login/", `{"email":"Dora@example.org","password":"secret"}`, `200 {"email":"Dora@example.org"}`},
		{"ann", "POST", "/set_email/", `{"new_email":"annie","current_password":"secret"}`, `400 {"new_email":["Enter a valid email address."]}`},
		{"ann", "POST", "/set_email/", `{"new_email":"anﬁ@Example.org","current_password":"secret"}`, `400 {"new_email":["Enter a valid email address."]}`},
		{"ann", "POST", "/set_email/", `{"new_email":"ann@Example.org","current_password":"secret"}`, `200 {"email":"ann@Example.org","name":"ann@Example.org"}`},
	})
}
