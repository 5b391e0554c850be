package server

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spf13/pflag"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/config"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/config/frontconfig"
	"github.com/authcompat/authcompat/core"
)

// writeSettings writes c.yaml, with additional settings at the end.
func writeSettings(t testing.TB, more string) {
	t.Helper()
	text := "listeners: [{profile: authtokens}]\nlisten: 127.0.0.1:0\nmanage: 127.0.0.1:0\nstore: sqlite:auth.db\npassword_iterations: 100\n"
	if err := os.WriteFile("c.yaml", []byte(text+more), 0o600); err != nil {
		t.Fatal(err)
	}
}

// unheard returns a server without listeners, with the settings of c.yaml.
func unheard(t testing.TB) *server {
	t.Helper()
	f := config.NewServer()
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	f.AddFlags(flags)
	if err := flags.Parse([]string{"--config", "c.yaml"}); err != nil {
		t.Fatal(err)
	}
	all, err := f.Resolve(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	s := newServer(f, slog.New(slog.DiscardHandler))
	if err := s.open(t.Context()); err != nil {
		t.Fatal(err)
	}
	a := &api{address: all[0].Address}
	a.bound.Store(&all[0])
	s.apis = []*api{a}
	return s
}

// age stores a token that expired at a given time, and an audit entry of the same
// time.
func (s *server) age(t testing.TB, ended time.Time) {
	t.Helper()
	alice, err := s.engine.CreateUser(t.Context(), core.Policy{}, core.Registration{Username: "alice"})
	if err != nil {
		t.Fatal(err)
	}
	err = errors.Join(
		s.engine.Backend.IssueToken(t.Context(), core.Token{
			Digest: core.Presented("x").SHA256(), UserID: alice.ID, Realm: "default", Issuer: "another", CreatedAt: ended.Add(-24 * time.Hour), ExpiresAt: ended,
		}, "", 0,

			nil),

		s.engine.Backend.Auditor.Record(t.Context(), core.AuditEntry{At: ended, Action: core.ActionLogin, Outcome: core.OK}),
	)
	if err != nil {
		t.Fatal(err)
	}
}

// left counts what remains of the rows that age stored.
func (s *server) left(t testing.TB) (tokens, entries int) {
	t.Helper()
	found, tokenErr := s.engine.Backend.Admin.Tokens(t.Context(), core.TokenFilter{}, 10)
	record, auditErr := s.engine.Backend.Auditor.AuditEntries(t.Context(), core.AuditFilter{Action: core.ActionLogin}, 10)
	if err := errors.Join(tokenErr, auditErr); err != nil {
		t.Fatal(err)
	}
	return len(found), len(record)
}

// TestReloadOfWhatIsKept checks what the garbage collection removes after each reload. It
// runs every ten minutes, so the test uses a fake clock.
func TestReloadOfWhatIsKept(t *testing.T) {
	t.Chdir(t.TempDir())
	synctest.Test(t, func(t *testing.T) {
		writeSettings(t, "")
		s := unheard(t)
		s.age(t, time.Now().Add(-48*time.Hour))
		ctx, cancel := context.WithCancel(t.Context())
		var collecting sync.WaitGroup
		collecting.Go(func() { s.collectGarbage(ctx) })
		for _, test := range []struct {
			changes         string
			tokens, entries int
		}{
			{"", 1, 1},
			{"expired_token_retention: 3d\naudit_retention: 3d\n", 1, 1},
			{"expired_token_retention: 1d\n", 0, 1},
			{"audit_retention: 1d\n", 0, 0},
		} {
			writeSettings(t, test.changes)
			if err := s.reload(t.Context()); err != nil {
				t.Fatal(err)
			}
			time.Sleep(collectInterval) // in fake time
			synctest.Wait()
			if tokens, entries := s.left(t); tokens != test.tokens || entries != test.entries {
				t.Errorf("%q: %d tokens and %d entries are left, want %d and %d", test.changes, tokens, entries, test.tokens, test.entries)
			}
		}
		cancel()
		collecting.Wait()
		if err := s.engine.Close(); err != nil {
			t.Error(err)
		}
	})
}

// TestApplicationsTakeFiles divides the open files: an address before an application has half as many connections,
// since each of its requests may take another one.
func TestApplicationsTakeFiles(t *testing.T) {
	s := newServer(config.NewServer(), slog.New(slog.DiscardHandler))
	f := &config.Config{MaxConnections: 10_000_000}
	s.divideFiles(f, []config.BoundProfile{{}})
	alone := s.connections
	s.divideFiles(f, []config.BoundProfile{{Front: &frontconfig.Front{}}})
	before := s.connections
	s.divideFiles(f, []config.BoundProfile{{}, {}})
	if before != alone/2 || before != s.connections {
		t.Errorf("%d connections, %d before an application, %d at each of two addresses", alone, before, s.connections)
	}
}
