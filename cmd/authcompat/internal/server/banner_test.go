package server

import (
	"slices"
	"testing"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/config"
	"github.com/authcompat/authcompat/profiles"
)

// TestBannerLogsIn checks the commands that say how to log in: with a body, or by HTTP Basic where
// the login reads none.
func TestBannerLogsIn(t *testing.T) {
	for name, want := range map[string]string{
		"ocd-users":     `curl -i -X POST http://h/api/login/ -H 'Content-Type: application/json' -d '{"username": "alice", "password": "correct horse battery"}'`,
		"drf-authtoken": `curl -i -X POST http://h/api-token-auth/ -H 'Content-Type: application/json' -d '{"username": "alice", "password": "correct horse battery"}'`,
		"knox":          `curl -i -X POST http://h/api/auth/login/ -u 'alice:correct horse battery'`,
	} {
		p, err := profiles.Load(name)
		if err != nil {
			t.Fatal(err)
		}
		bound := config.BoundProfile{Profile: p, Address: "http://h"}
		if lines := (banner{store: "sqlite:x.db"}).lines(bound); !slices.Contains(lines, want) {
			t.Errorf("%s: %q", name, lines)
		}
	}
}

// TestBannerWorksInItsOrder checks what an API with accounts prints: who is to log in registers before, and is removed
// last; what only a mail has is not taken for a password.
func TestBannerWorksInItsOrder(t *testing.T) {
	const json = ` -H 'Content-Type: application/json' -d `
	for name, want := range map[string][]string{
		"djoser": {
			`curl -i -X POST http://h/auth/users/` + json + `'{"email": "alice@example.com", "username": "alice", "password": "correct horse battery"}'`,
			`curl -i -X POST http://h/auth/token/login/` + json + `'{"password": "correct horse battery", "username": "alice"}'`,
			`curl -i http://h/auth/users/me/ -H "Authorization: Token $(token)"`,
			`curl -i -X PUT http://h/auth/users/me/ -H "Authorization: Token $(token)"` + json + `'{"email": "alice@example.com"}'`,
			`curl -i -X POST http://h/auth/users/activation/` + json + `'{"uid": "UID-OF-THE-MAIL", "token": "TOKEN-OF-THE-MAIL"}'`,
			`curl -i -X POST http://h/auth/users/set_password/ -H "Authorization: Token $(token)"` + json + `'{"new_password": "correct horse battery", "current_password": "correct horse battery"}'`,
			`curl -i -X DELETE http://h/auth/users/me/ -H "Authorization: Token $(token)"` + json + `'{"current_password": "correct horse battery"}'`,
		},
		"dj-rest-auth": {
			`curl -i -X POST http://h/dj-rest-auth/registration/` + json + `'{"username": "alice", "email": "alice@example.com", "password1": "correct horse battery", "password2": "correct horse battery"}'`,
			`curl -i -X POST http://h/dj-rest-auth/registration/verify-email/` + json + `'{"key": "KEY-OF-THE-MAIL"}'`,
		},
	} {
		p, err := profiles.Load(name)
		if err != nil {
			t.Fatal(err)
		}
		lines := (banner{store: "sqlite:x.db"}).lines(config.BoundProfile{Profile: p, Address: "http://h"})
		at := -1
		for _, line := range want {
			i := slices.Index(lines, line)
			if i <= at {
				t.Errorf("%s: %s is line %d, after %d, of %q", name, line, i, at, lines)
			}
			at = i
		}
	}
}
