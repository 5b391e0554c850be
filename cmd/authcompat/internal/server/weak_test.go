package server

import (
	"bytes"
	"errors"
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

// TestWarnsOfUnverified holds that the log warns where HTTP Basic lets in who can't log in.
func TestWarnsOfUnverified(t *testing.T) {
	const profile = `name: mine
family: drf
stack: drf-3.14
tokens: {hex: 40, ttl: never, per_user: one}
authentication: [AUTHENTICATION]
emails: {verification: VERIFICATION}
mails: {email_confirm_url: '/confirm/{key}/'}
endpoints:
  login: {path: /login/, fields: {username: {}, password: {}}, reply: {status: 200, body: {token: $token.key}}}
  me: {path: /me/, action: account, reply: {status: 200, body: {id: $user.id}}}
  verify_email: {path: /verify/, fields: {key: {role: token}}, reply: {status: 200, body: {detail: ok}}}
`
	for _, test := range []struct {
		authentication, verification string
		warns                        bool
	}{{"token, basic", "mandatory", true}, {"token", "mandatory", false}, {"token, basic", "optional", false}} {
		log := warnings(t, strings.NewReplacer("AUTHENTICATION", test.authentication, "VERIFICATION", test.verification).Replace(profile))
		if strings.Contains(log, "are let in by HTTP Basic") != test.warns {
			t.Errorf("%+v: %s", test, log)
		}
	}
}

// TestWarnsOfReusedNames holds that the log warns where an application is told names that change hands.
func TestWarnsOfReusedNames(t *testing.T) {
	const profile = `name: mine
family: drf
stack: drf-3.14
tokens: {hex: 40, ttl: never, per_user: one}
endpoints:
  users: {path: /users/, action: register, fields: {username: {}, password: {}}, reply: {status: 201, body: {id: $user.id}}}
`
	const rename = "  set_username: {path: /name/, fields: {new_username: {role: username}}, reply: {status: 204}}\n"
	const identity = ", front: {old: 'http://127.0.0.1:1', identity: {}, paths: [{path: /, token: needed}]}"
	for _, test := range []struct {
		profile, binding string
		warns            bool
	}{{profile + rename, identity, true}, {profile, identity, false}, {profile + rename, "", false}} {
		log := warnings(t, test.profile, test.binding)
		if strings.Contains(log, "can give up their names") != test.warns {
			t.Errorf("%s %s: %s", test.profile, test.binding, log)
		}
	}
}

// TestRegistersWithoutPassword holds that users who register without a password get the link of their activation without one.
func TestRegistersWithoutPassword(t *testing.T) {
	for fields, later := range map[string]bool{"{username: {}, email: {}}": true, "{username: {}, email: {}, password: {}}": false} {
		t.Chdir(t.TempDir())
		profile := "name: mine\nfamily: drf\nstack: drf-3.14\ntokens: {hex: 40, ttl: never, per_user: one}\nendpoints:\n" +
			"  register: {path: /users/, fields: " + fields + ", reply: {status: 201, body: {id: $user.id}}}\n"
		if err := errors.Join(os.WriteFile("mine.yaml", []byte(profile), 0o600), os.WriteFile("c.yaml", []byte("listeners: [{profile: mine.yaml}]\nlisten: 127.0.0.1:0\nstore: sqlite:auth.db\n"), 0o600)); err != nil {
			t.Fatal(err)
		}
		s := unheard(t)
		if links, ok := s.profileLinks("mine"); !ok || links.PasswordLater != later {
			t.Errorf("%s: %+v, %v", fields, links, ok)
		}
		if err := s.engine.Close(); err != nil {
			t.Error(err)
		}
	}
}

// warnings returns what the log says of weak settings where a profile is served; binding goes to its listener.
func warnings(t *testing.T, profile string, binding ...string) string {
	t.Helper()
	t.Chdir(t.TempDir())
	if err := os.WriteFile("mine.yaml", []byte(profile), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("c.yaml", []byte("listeners: [{profile: mine.yaml"+strings.Join(binding, "")+"}]\nlisten: 127.0.0.1:0\nstore: sqlite:auth.db\npassword_iterations: 100\n"), 0o600); err != nil {
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
