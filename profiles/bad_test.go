package profiles

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const restProfile = `name: sixth
family: drf
stack: drf-3.14
tokens: {hex: 40, ttl: 10h, per_user: many}
endpoints:
  register:
    path: /register/
    fields: {username: {max_length: 150}, email: {}, password: {}}
    reply: {status: 201, body: {id: $user.id}}
  login:
    path: /login/
    fields: {username: {}, password: {trim: false}}
    reply: {status: 200, body: {token: $token.key}}
  logout:
    path: /logout/
    reply: {status: 204}
  account:
    path: /users/{username}/
    reply: {status: 200, body: {name: $user.username}}
`

const formProfile = `name: forms
family: formjson
stack: forms-2.2
tokens: {hex: 40, ttl: 24h, per_user: many}
errors: {body: {errors: $errors}}
endpoints:
  signup:
    action: register
    path: /signup
    fields: {username: {}, password1: {role: password}, password2: {role: password_again}, tos: {role: accept}}
    reply: {status: 200, body: {token: $token.key}}
  logout:
    path: /logout
    reply: {status: 200}
`

const plainProfile = `name: plain
family: plainjson
stack: views-1.6
tokens: {hex: 40, ttl: never, per_user: one}
endpoints:
  login:
    path: /login
    fields: {username: {}, password: {}}
    reply: {status: 200, body: {token: $token.key}}
`

// problem changes one place of a good profile, and lists everything that is then wrong, which
// may be nothing.
type problem struct {
	name     string
	old, new string
	want     []string
}

func checkProblems(t *testing.T, good string, cases []problem) {
	t.Helper()
	if _, err := Parse("f.yaml", []byte(good)); err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if strings.Count(good, c.old) != 1 {
				t.Fatalf("%q is there %d times", c.old, strings.Count(good, c.old))
			}
			p, err := Parse("f.yaml", []byte(strings.Replace(good, c.old, c.new, 1)))
			if len(c.want) == 0 && err == nil {
				checkRoundTrip(t, p)
				return
			}
			if err == nil {
				t.Fatal("loaded")
			}
			var problems *Problems
			if !errors.As(err, &problems) {
				t.Fatalf("no *Problems: %v", err)
			}
			if diff := cmp.Diff(c.want, strings.Split(err.Error(), "\n")); diff != "" {
				t.Error(diff)
			}
		})
	}
}
