package sqlite_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/sqlite"
	"github.com/authcompat/authcompat/store/sqlite/restorediff"
	"github.com/authcompat/authcompat/store/sqlite/sqlitetest"
)

// drawKey does what every server and most commands do when they open a database.
func drawKey(t *testing.T, s *sqlite.Store) []byte {
	t.Helper()
	key, err := s.DatabaseKey(t.Context(), func() ([]byte, error) {
		drawn := make([]byte, core.DatabaseKeySize)
		_, err := rand.Read(drawn)
		return drawn, err
	})
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// mustClose closes a store before the end of the test.
func mustClose(t *testing.T, s *sqlite.Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// mustMake makes a database with users and a token each, and closes it.
func mustMake(t *testing.T, path string, keyed bool, users ...string) {
	t.Helper()
	s, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if keyed {
		drawKey(t, s)
	}
	people(t, s, users...)
	mustClose(t, s)
}

// TestRestoreOverAnother restores over a database that never was the one of the backup:
// what is not in it has not ended there.
func TestRestoreOverAnother(t *testing.T) {
	for name, test := range map[string]struct {
		there  func(t *testing.T, path string)
		nextID int64
	}{
		"a new one of a server":  {func(t *testing.T, path string) { mustMake(t, path, true) }, 3},
		"a new one of an import": {func(t *testing.T, path string) { mustMake(t, path, false) }, 3},
		"a new one with users":   {func(t *testing.T, path string) { mustMake(t, path, true, "ann", "x", "y") }, 4},
		"an empty file":          {func(t *testing.T, path string) { write(t, path, nil) }, 3},
	} {
		for _, keyed := range []bool{true, false} {
			for _, keep := range []bool{true, false} {
				t.Run(fmt.Sprintf("%s, keyed %t, keep %t", name, keyed, keep), func(t *testing.T) {
					path, file := filepath.Join(t.TempDir(), "a.db"), filepath.Join(t.TempDir(), "b.db")
					mustMake(t, path, keyed, "ann", "bob")
					mustBackup(t, path, file)
					if !keyed {
						raw(t, file, `DELETE FROM secrets`).Close() // as backups once were
					}
					if err := os.Remove(path); err != nil {
						t.Fatal(err)
					}
					test.there(t, path)
					o := restoreOptions()
					o.KeepTokens = keep
					r := mustRestore(t, path, file, o)
					live, gone := []string{"ann", "bob"}, []string(nil)
					if !keep {
						live, gone = gone, live
					}
					if !errors.Is(r.Unknown, restorediff.ErrAnother) || r.Changes != (restorediff.Changes{}) || r.Ended != int64(len(gone)) || r.Kept == "" {
						t.Errorf("restored %+v", r)
					}
					s := sqlitetest.MustOpenFile(t, path)
					wantTokens(t, s, live, gone)
					people(t, s, "next")
					if a, err := s.Account(t.Context(), "next"); err != nil || a.ID != test.nextID {
						t.Errorf("id %d, %v, want %d: an id is never used again", a.ID, err, test.nextID)
					}
				})
			}
		}
	}
}

// TestRestoreKeepsNoEndedToken asks for all tokens where the database tells that some have
// ended: nothing is changed. Where none has, there is nothing to refuse.
func TestRestoreKeepsNoEndedToken(t *testing.T) {
	path, file := filepath.Join(t.TempDir(), "a.db"), filepath.Join(t.TempDir(), "b.db")
	s := sqlitetest.MustOpenFile(t, path)
	people(t, s, "ann", "bob")
	mustBackup(t, path, file)
	people(t, s, "new")
	o := restoreOptions()
	o.KeepTokens = true
	if r := mustRestore(t, path, file, o); r.Unknown != nil || r.Ended != 0 || r.Registered != 1 {
		t.Errorf("restored %+v", r)
	}
	wantTokens(t, s, []string{"ann", "bob"}, []string{"new"})
	people(t, s, "newer")
	if err := s.DeleteToken(t.Context(), core.Presented("bob").SHA256(), nil); err != nil {
		t.Fatal(err)
	}
	before := names(t, filepath.Dir(path))
	o.Audit.At = o.Audit.At.Add(time.Minute)
	_, err := sqlite.Restore(t.Context(), path, file, o)
	var ended *sqlite.EndedError
	if !errors.As(err, &ended) || ended.Tokens != 1 {
		t.Errorf("error %v", err)
	}
	wantTokens(t, s, []string{"ann", "newer"}, []string{"bob"})
	if got := names(t, filepath.Dir(path)); !slices.Equal(got, before) {
		t.Errorf("files %v, want %v", got, before)
	}
}

// TestRestoreTakenBack restores the wrong backup, and takes that back with what was kept: a
// token that was issued since the backup lives again only where the database is moved away.
func TestRestoreTakenBack(t *testing.T) {
	path, file := filepath.Join(t.TempDir(), "a.db"), filepath.Join(t.TempDir(), "b.db")
	mustMake(t, path, true, "old")
	mustBackup(t, path, file)
	mustMake(t, path, true, "new")
	kept := mustRestore(t, path, file, restoreOptions()).Kept
	if err := os.Rename(path, path+".aside"); err != nil {
		t.Fatal(err)
	}
	o := restoreOptions()
	o.KeepTokens = true
	if r := mustRestore(t, path, kept, o); r.Ended != 0 || r.Tokens != 2 {
		t.Errorf("taken back %+v", r)
	}
	wantTokens(t, sqlitetest.MustOpenFile(t, path), []string{"old", "new"}, nil)
}

// TestRestoreOfABackupWithoutAKey restores what was backed up before the database drew its
// key: its audit record tells that it is the same, and it keeps the key.
func TestRestoreOfABackupWithoutAKey(t *testing.T) {
	path, file := filepath.Join(t.TempDir(), "a.db"), filepath.Join(t.TempDir(), "b.db")
	s := sqlitetest.MustOpenFile(t, path)
	people(t, s, "ann", "bob")
	mustBackup(t, path, file)
	raw(t, file, `DELETE FROM secrets`).Close() // as backups once were
	key := drawKey(t, s)
	if err := s.DeleteToken(t.Context(), core.Presented("bob").SHA256(), nil); err != nil {
		t.Fatal(err)
	}
	if r := mustRestore(t, path, file, restoreOptions()); r.Unknown != nil || r.Ended != 1 {
		t.Errorf("restored %+v", r)
	}
	wantTokens(t, s, []string{"ann"}, []string{"bob"})
	if now := drawKey(t, sqlitetest.MustOpenFile(t, path)); !bytes.Equal(now, key) {
		t.Error("the database has another key")
	}
}

// TestBackupReplaces checks what a backup replaces when it may: an earlier one of the same
// database, and nothing else: neither a later one, nor that of a copy which has gone its own way.
func TestBackupReplaces(t *testing.T) {
	dir, backups := t.TempDir(), t.TempDir()
	path := filepath.Join(dir, "a.db")
	in := func(name string) string { return filepath.Join(backups, name) }
	mustMake(t, path, false, "ann") // an import draws no key
	mustBackup(t, path, in("earlier"))
	earlier, err := os.ReadFile(in("earlier"))
	if err != nil {
		t.Fatal(err)
	}
	copied := func(name string, change ...string) {
		write(t, in(name), earlier)
		if len(change) > 0 {
			raw(t, in(name), change...).Close()
		}
	}
	copied("without a key", `DELETE FROM secrets`) // as backups once were
	copied("older", `DELETE FROM goose_db_version WHERE version_id = 16`)
	copied("in use", `PRAGMA journal_mode = WAL`)
	copied("of another key", `UPDATE secrets SET value = zeroblob(32)`)
	write(t, in("damaged"), append(bytes.Clone(earlier[:100]), bytes.Repeat([]byte("damage"), 5000)...))
	raw(t, in("django"), `CREATE TABLE auth_user (id)`).Close()
	other := filepath.Join(t.TempDir(), "other.db")
	mustMake(t, other, true, "ann")
	mustBackup(t, other, in("another's"))
	clone := filepath.Join(t.TempDir(), "clone.db")
	mustRestore(t, clone, in("earlier"), restoreOptions())
	mustBackup(t, clone, in("of a clone"))
	mustBackup(t, path, in("newer"))
	mustRestore(t, path, in("earlier"), restoreOptions())
	const more = "has what this database does not have: it was made later, or of a copy of it that others have used"
	for name, want := range map[string]string{
		"earlier": "", "without a key": "", "older": "",
		"newer": more, "of a clone": more,
		"in use":         "is a database that was in use (in write-ahead mode), and no backup",
		"of another key": "is of another database",
		"another's":      "is of another database",
		"django":         "is a database of another program",
		"damaged":        "is damaged, so that nothing tells of which database it is",
	} {
		before, err := os.ReadFile(in(name))
		if err != nil {
			t.Fatal(err)
		}
		o := backupOptions()
		o.Replace = true
		_, err = sqlite.Backup(t.Context(), path, in(name), o)
		if want == "" && err != nil || want != "" && (err == nil || !strings.HasSuffix(err.Error(), "it is no earlier backup, and is not replaced: it "+want+"; give another name")) {
			t.Errorf("%s: error %v, want %q", name, err, want)
		}
		if after, err := os.ReadFile(in(name)); err != nil || bytes.Equal(before, after) != (want != "") {
			t.Errorf("%s: replaced %t, %v", name, !bytes.Equal(before, after), err)
		}
	}
	if left := names(t, backups); len(left) != 10 {
		t.Errorf("files %v", left)
	}
}

// TestBackupAfterAPurge checks that an earlier backup is replaced when its part of the audit record
// was purged, and that a later one is not, after an earlier one was restored.
func TestBackupAfterAPurge(t *testing.T) {
	dir := t.TempDir()
	path, earlier, later := filepath.Join(dir, "a.db"), filepath.Join(dir, "earlier.db"), filepath.Join(dir, "later.db")
	mustMake(t, path, true, "ann")
	mustBackup(t, path, earlier)
	people(t, sqlitetest.MustOpenFile(t, path), "bob")
	mustBackup(t, path, later)
	replace := func(file string) error {
		t.Helper()
		s := sqlitetest.MustOpenFile(t, path)
		if err := s.Record(t.Context(), core.AuditEntry{At: time.Now().Add(time.Hour), Action: core.ActionLogin}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.PurgeAudit(t.Context(), time.Now().Add(time.Minute), 1000); err != nil {
			t.Fatal(err)
		}
		o := backupOptions()
		o.Replace = true
		_, err := sqlite.Backup(t.Context(), path, file, o)
		return err
	}
	if err := replace(earlier); err != nil {
		t.Errorf("an earlier one: %v", err)
	}
	// Before what is restored, so that both have been purged.
	mustRestore(t, path, earlier, restoreOptions())
	if err := replace(later); err == nil {
		t.Error("a later one was replaced")
	}
}
