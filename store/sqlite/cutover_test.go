package sqlite_test

import (
	"bytes"
	"path/filepath"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/cutover"
	"github.com/authcompat/authcompat/store/sqlite"
	"github.com/authcompat/authcompat/store/sqlite/sqlitetest"
)

// switched sets the cutover to a share of the users at login.
func switched(t *testing.T, s *sqlite.Store, share cutover.Share, audit *core.AuditEntry) (int64, error) {
	t.Helper()
	state := atLogin(t, s)
	previous := state.Version
	state.Key, state.ChangedAt = bytes.Repeat([]byte{byte(share)}, cutover.KeySize), time.Unix(int64(share), 0)
	state.Set(cutover.Rule{Endpoint: "login", Share: share})
	return previous + 1, s.SetCutover(t.Context(), previous, state, audit)
}

func mustSwitch(t *testing.T, s *sqlite.Store, share cutover.Share) (version int64) {
	t.Helper()
	version, err := switched(t, s, share, nil)
	if err != nil {
		t.Fatal(err)
	}
	return version
}

func atLogin(t *testing.T, s *sqlite.Store) cutover.State {
	t.Helper()
	state, err := s.CutoverState(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return state
}

// TestCutoverIsRecorded has an audit record that can't be written: nothing is switched.
func TestCutoverIsRecorded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	s := sqlitetest.MustOpenFile(t, path)
	mustSwitch(t, s, 1)
	raw(t, path, `ALTER TABLE audit RENAME TO other`)
	if _, err := switched(t, s, 2, &core.AuditEntry{Action: core.ActionCutover, Outcome: core.OK, Detail: "login=0.02%"}); err == nil {
		t.Error("no error")
	}
	if got := atLogin(t, s); got.Version != 1 || got.Rule("login").Share != 1 {
		t.Errorf("switched all the same: %+v", got)
	}
}

// TestCutoverRestored restores backups over databases on which the cutover has gone on, and
// where there is none, or another: who is sent where stays as operators have set it last, and
// so do the positions of users.
func TestCutoverRestored(t *testing.T) {
	for name, test := range map[string]struct {
		before, after, want cutover.Share
		elsewhere, another  bool
	}{
		"set since":               {10, 20, 20, false, false},
		"set again since":         {10, 10, 10, false, false},
		"first set since":         {0, 20, 20, false, false},
		"not set since":           {10, 0, 10, false, false},
		"never set":               {0, 0, 0, false, false},
		"where there is none":     {10, 20, 10, true, false},
		"over another database":   {10, 20, 10, true, true},
		"over another, never set": {0, 20, 0, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			path, file := filepath.Join(t.TempDir(), "a.db"), filepath.Join(t.TempDir(), "b.db")
			s := sqlitetest.MustOpenFile(t, path)
			drawKey(t, s)
			var want cutover.State
			if test.before > 0 {
				mustSwitch(t, s, test.before)
				want = atLogin(t, s)
			}
			mustBackup(t, path, file)
			if test.elsewhere {
				path = filepath.Join(t.TempDir(), "c.db")
			}
			if test.another {
				s = sqlitetest.MustOpenFile(t, path)
				drawKey(t, s)
			}
			if test.after > 0 && (test.another || !test.elsewhere) {
				mustSwitch(t, s, test.after)
			}
			if !test.elsewhere {
				want = atLogin(t, s)
			}
			mustRestore(t, path, file, restoreOptions())
			got := atLogin(t, sqlitetest.MustOpenFile(t, path))
			if got.Version != want.Version || !bytes.Equal(got.Key, want.Key) || len(got.Changed(want)) > 0 || got.Rule("login").Share != test.want {
				t.Errorf("after the restore %+v, want %+v", got, want)
			}
		})
	}
}
