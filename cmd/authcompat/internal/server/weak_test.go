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

// TestWarnsOfSites holds that the log warns of a profile whose users any site can act for.
func TestWarnsOfSites(t *testing.T) {
	t.Chdir(t.TempDir())
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
		if err := os.WriteFile("mine.yaml", []byte(strings.Replace(profile, "CREDENTIALS", credentials, 1)), 0o600); err != nil {
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
		if got := strings.Contains(log.String(), "pages of any site can act"); got != warns {
			t.Errorf("credentials: %s: %s", credentials, log.String())
		}
		if err := s.engine.Close(); err != nil {
			t.Error(err)
		}
	}
}
