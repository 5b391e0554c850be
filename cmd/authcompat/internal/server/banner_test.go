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
