package server

import (
	"bytes"
	"log/slog"
	"os"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/config"
)

// TestWarnsOfSharedEmails holds that the log warns of a profile whose users others can keep from logging in by their address.
func TestWarnsOfSharedEmails(t *testing.T) {
	const profile = `name: mine
family: drf
stack: drf-3.14
tokens: {hex: 40, ttl: never, per_user: one}
emails: {unique: UNIQUE}
endpoints:
  login: {path: /login/, fields: {email: {}, password: {}}, reply: {status: 200, body: {token: $token.key}}}
  users: {path: /users/, action: register, fields: {username: {}, email: {}, password: {}}, reply: {status: 201, body: {id: $user.id}}}
`
	for unique, warns := range map[string]bool{"true": false, "false": true} {
		if log := warnings(t, strings.Replace(profile, "UNIQUE", unique, 1)); strings.Contains(log, "keeps that user from logging in") != warns {
			t.Errorf("unique: %s: %s", unique, log)
		}
	}
}

// TestWarnsOfSites holds that the log warns of a profile whose users any site can act for.
func TestWarnsOfSites(t *testing.T) {
	const profile = `name: mine
family: drf
stack: drf-3.14
tokens: {hex: 40, ttl: never, per_user: one}
authentication: [basic, token]
cors: {origins: all, credentials: CREDENTIALS}
endpoints:
  logout: {path: /logout/, reply: {status: 204}}
`
	for credentials, warns := range map[string]bool{"true": true, "false": false} {
		if log := warnings(t, strings.Replace(profile, "CREDENTIALS", credentials, 1)); strings.Contains(log, "pages of any site can act") != warns {
			t.Errorf("credentials: %s: %s", credentials, log)
		}
	}
}

// warnings returns what the log says of weak settings where a profile is served.
func warnings(t *testing.T, profile string) string {
	t.Helper()
	t.Chdir(t.TempDir())
	if err := os.WriteFile("mine.yaml", []byte(profile), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("c.yaml", []byte("listeners: [{profile: mine.yaml}]\nlisten: 127.0.0.1:0\nstore: sqlite:auth.db\npassword_iterations: 100\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := unheard(t)
	var log bytes.Buffer
	s.log = slog.New(slog.NewTextHandler(&log, nil))
	f := config.NewServer()
	f.AddFlags(pflag.NewFlagSet("", pflag.ContinueOnError))
	s.warnWeak(f)
	if err := s.engine.Close(); err != nil {
		t.Error(err)
	}
	return log.String()
}
