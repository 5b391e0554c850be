package sqlite_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/transfer"
	"github.com/authcompat/authcompat/store/sqlite"
	"github.com/authcompat/authcompat/store/sqlite/restorediff"
	"github.com/authcompat/authcompat/store/sqlite/sqlitetest"
)

func restoreOptions() sqlite.RestoreOptions {
	return sqlite.RestoreOptions{Audit: core.NewOperation(core.ActionRestore, time.Now())}
}

func mustRestore(t *testing.T, path, backup string, o sqlite.RestoreOptions) sqlite.Restored {
	t.Helper()
	r, err := sqlite.Restore(t.Context(), path, backup, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// people registers users with a token each, of the same name.
func people(t *testing.T, s *sqlite.Store, names ...string) {
	t.Helper()
	for _, name := range names {
		if err := register(t.Context(), s, name); err != nil {
			t.Fatal(err)
		}
	}
}

// wantTokens checks which tokens live.
func wantTokens(t *testing.T, s *sqlite.Store, live, gone []string) {
	t.Helper()
	for _, name := range slices.Concat(live, gone) {
		_, _, err := s.FindToken(t.Context(), "default", core.Presented(name))
		if slices.Contains(live, name) && err != nil || slices.Contains(gone, name) && !errors.Is(err, core.ErrNotFound) {
			t.Errorf("token %s: %v", name, err)
		}
	}
}

// TestRestoreUnderServers restores over a database that two processes have open, with the
// tokens in the memory of one.
func TestRestoreUnderServers(t *testing.T) {
	dir := t.TempDir()
	path, file := filepath.Join(dir, "authcompat.db"), filepath.Join(dir, "backup.db")
	s := sqlitetest.MustOpenFile(t, path)
	people(t, s, "stays", "logged out", "disabled", "deleted", "changed")
	other := start(t, path)
	other.answer(t)
	mustBackup(t, path, file)
	account := func(name string) core.Account {
		a, err := s.Account(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	people(t, s, "new")
	if err := errors.Join(
		s.DeleteToken(t.Context(), core.Presented("logged out").SHA256(), nil),
		s.SetActive(t.Context(), account("disabled").ID, false, nil),
		s.DeleteUser(t.Context(), account("deleted").ID, nil),
		s.UpdatePassword(t.Context(), account("changed").ID, "", "another", false, nil),
	); err != nil {
		t.Fatal(err)
	}
	last := account("new").ID
	wantTokens(t, s, []string{"stays", "changed", "new"}, []string{"logged out", "deleted"})

	r := mustRestore(t, path, file, restoreOptions())
	if r.Unknown != nil || r.Ended != 3 || r.Users != 5 || r.Tokens != 2 || r.Changes != (restorediff.Changes{Passwords: 1, Returned: 1, Reenabled: 1, Registered: 1}) {
		t.Errorf("restored %+v", r)
	}
	live, gone := []string{"stays", "changed"}, []string{"logged out", "disabled", "deleted", "new"}
	wantTokens(t, s, live, gone)
	for _, name := range append(live, gone...) {
		want := "ok"
		if slices.Contains(gone, name) {
			want = "not found"
		}
		other.order(t, "find "+name)
		if got := other.answer(t); got != want {
			t.Errorf("another process: token %s: %s", name, got)
		}
	}
	if account("changed").PasswordHash != "" || account("deleted").Username == "" {
		t.Error("users are not those of the backup")
	}
	people(t, s, "newer")
	if id := account("newer").ID; id != last+1 {
		t.Errorf("id %d, want %d: an id is never used again", id, last+1)
	}
	entries, err := s.AuditEntries(t.Context(), core.AuditFilter{Action: core.ActionRestore}, 9)
	if err != nil || len(entries) != 1 || entries[0].Actor != core.Operator {
		t.Errorf("entries %+v, %v", entries, err)
	}

	// What was there can be put back, and tokens live that do so in both.
	kept := sqlitetest.MustOpenFile(t, r.Kept)
	wantTokens(t, kept, []string{"stays", "changed", "new"}, []string{"logged out", "deleted"})
	o := restoreOptions()
	o.Audit.At = o.Audit.At.Add(time.Minute) // another name for what was there
	if back := mustRestore(t, path, r.Kept, o); back.Ended != 2 || back.Users != 5 {
		t.Errorf("put back %+v", back)
	}
	wantTokens(t, s, live, gone)
}

// TestRestoreWhereNothingIs restores to a new place, where nothing tells which tokens have
// ended.
func TestRestoreWhereNothingIs(t *testing.T) {
	dir := t.TempDir()
	path, file := filepath.Join(dir, "authcompat.db"), filepath.Join(dir, "backup.db")
	people(t, sqlitetest.MustOpenFile(t, path), "ann", "bob")
	mustBackup(t, path, file)
	for name, keep := range map[string]bool{"ended.db": false, "kept.db": true} {
		place := filepath.Join(t.TempDir(), name)
		o := restoreOptions()
		o.KeepTokens = keep
		r := mustRestore(t, place, file, o)
		if got := names(t, filepath.Dir(place)); !slices.Equal(got, []string{name}) {
			t.Errorf("files %v", got)
		}
		s := sqlitetest.MustOpenFile(t, place)
		live, gone := []string{}, []string{"ann", "bob"}
		if keep {
			live, gone = gone, live
		}
		wantTokens(t, s, live, gone)
		if r.Unknown == nil || r.Kept != "" || r.Users != 2 || r.Ended != int64(len(gone)) || r.Tokens != int64(len(live)) {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

// TestRestoreWithoutComparison restores over databases that don't tell which tokens have
// ended: one that is empty, and one whose pages are damaged.
func TestRestoreWithoutComparison(t *testing.T) {
	for name, spoil := range map[string]func(t *testing.T, path string){
		"empty": func(t *testing.T, path string) { write(t, path, nil) },
		"damaged": func(t *testing.T, path string) {
			var page int
			db := raw(t, path)
			if err := errors.Join(db.QueryRow(`SELECT rootpage FROM sqlite_schema WHERE name = 'tokens'`).Scan(&page), db.Close()); err != nil {
				t.Fatal(err)
			}
			content, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			copy(content[(page-1)*4096:], bytes.Repeat([]byte("damage"), 500))
			write(t, path, content)
		},
	} {
		dir := t.TempDir()
		path, file := filepath.Join(dir, "authcompat.db"), filepath.Join(dir, "backup.db")
		s, err := sqlite.Open(t.Context(), path, sqlite.Options{})
		if err != nil {
			t.Fatal(err)
		}
		people(t, s, "ann", "bob")
		mustBackup(t, path, file)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		spoil(t, path)
		r := mustRestore(t, path, file, restoreOptions())
		if r.Unknown == nil || r.Ended != 2 || r.Users != 2 || r.Kept == "" {
			t.Errorf("%s: %+v", name, r)
		}
		wantTokens(t, sqlitetest.MustOpenFile(t, path), nil, []string{"ann", "bob"})
	}
}

// TestRestoreDuringLogouts logs users out while a backup with their tokens is restored: a
// logout that was acknowledged before the restore or after it is never undone.
func TestRestoreDuringLogouts(t *testing.T) {
	dir := t.TempDir()
	path, file := filepath.Join(dir, "authcompat.db"), filepath.Join(dir, "backup.db")
	s := sqlitetest.MustOpenFile(t, path)
	var all []string
	for i := range 1000 {
		all = append(all, fmt.Sprint("user ", i))
	}
	people(t, s, all...)
	mustBackup(t, path, file)
	restored := make(chan struct{})
	var ended []string
	var client sync.WaitGroup
	begun := make(chan struct{})
	client.Go(func() {
		for i, name := range all {
			err := s.DeleteToken(context.Background(), core.Presented(name).SHA256(), nil)
			if err != nil {
				t.Errorf("logout of %s: %v", name, err)
			}
			ended = append(ended, name)
			if i == 10 {
				close(begun)
			}
			select {
			case <-restored:
				return
			default:
			}
		}
	})
	<-begun
	r := mustRestore(t, path, file, restoreOptions())
	close(restored)
	client.Wait()
	if r.Ended < 10 {
		t.Errorf("%d tokens ended by the restore", r.Ended)
	}
	t.Logf("%d tokens ended by the restore, of %d that were logged out", r.Ended, len(ended))
	wantTokens(t, s, all[len(ended):], ended)
}

// TestRestoreRefuses checks that nothing is touched where a backup can't be restored.
func TestRestoreRefuses(t *testing.T) {
	dir, backups := t.TempDir(), t.TempDir()
	path := filepath.Join(dir, "authcompat.db")
	in := func(name string) string { return filepath.Join(backups, name) }
	s := sqlitetest.MustOpenFile(t, path)
	people(t, s, "ann")
	mustBackup(t, path, in("good"))
	good, err := os.ReadFile(in("good"))
	if err != nil {
		t.Fatal(err)
	}
	damaged := bytes.Clone(good)
	copy(damaged[len(damaged)/2:], bytes.Repeat([]byte("damage"), 5000))
	write(t, in("damaged"), damaged)
	write(t, in("cut off"), good[:len(good)/2])
	write(t, in("newer"), good)
	raw(t, in("newer"), `INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, 1)`).Close()
	write(t, in("no room"), good)
	raw(t, in("no room"), `CREATE TRIGGER audit_is_full BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'no room'); END`).Close()
	write(t, in("text"), bytes.Repeat([]byte("text"), 1000))
	write(t, in("empty"), nil)
	raw(t, in("another's"), `CREATE TABLE users (id)`).Close()
	if err := os.Symlink(path, in("linked")); err != nil {
		t.Fatal(err)
	}
	before := names(t, dir)
	canceled, cancel := context.WithCancel(t.Context())
	interrupted := restoreOptions()
	interrupted.Progress = func(int, int) { cancel() }
	cancel()
	for _, test := range []struct {
		ctx        context.Context
		path, file string
		want       string
	}{
		{t.Context(), path, path, "it is the database itself"},
		{t.Context(), path, in("linked"), "it is the database itself"},
		{t.Context(), path, in("no"), "no such file or directory"},
		{t.Context(), path, backups, "it is a directory"},
		{t.Context(), path, in("damaged"), "it is damaged"},
		{t.Context(), path, in("cut off"), "it is damaged"},
		{t.Context(), path, in("newer"), "it is of a newer authcompat (schema 999"},
		{t.Context(), path, in("no room"), "no room"}, // once the database is held and kept
		{t.Context(), path, in("text"), "it is not a SQLite database"},
		{t.Context(), path, in("empty"), "it is empty"},
		{t.Context(), path, in("another's"), "it is a database of another program"},
		{t.Context(), in("another's"), in("good"), "it is a database of another program"},
		{t.Context(), in("text"), in("good"), "stop the servers, move it and its -wal and -shm elsewhere, and restore again"},
		{t.Context(), backups, in("good"), "it is not a regular file"},
		{t.Context(), in("no/such.db"), in("good"), "does not exist"},
		{canceled, path, in("good"), "context canceled"},
	} {
		_, err := sqlite.Restore(test.ctx, test.path, test.file, interrupted)
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s from %s: error %v, want %q", test.path, test.file, err, test.want)
		}
	}
	wantTokens(t, s, []string{"ann"}, nil)
	if got := names(t, dir); !slices.Equal(got, before) {
		t.Errorf("files %v, want %v", got, before)
	}
	if got := names(t, backups); !slices.Equal(got, []string{"another's", "cut off", "damaged", "empty", "good", "linked", "newer", "no room", "text"}) {
		t.Errorf("files %v", got)
	}
}

// TestRestoreImported checks that a token which was imported after the backup and ended
// here stays unknown to the next import.
func TestRestoreImported(t *testing.T) {
	dir := t.TempDir()
	path, file := filepath.Join(dir, "authcompat.db"), filepath.Join(dir, "backup.db")
	s := sqlitetest.MustOpenFile(t, path)
	mustBackup(t, path, file)
	people(t, s, "ann")
	place, err := s.BeginImport(t.Context(), "source", "")
	if err != nil {
		t.Fatal(err)
	}
	digest := core.Presented("ann").SHA256()
	if err := s.MarkExported(t.Context(), place, nil, map[string][]core.Digest{"t": {digest}}); err != nil {
		t.Fatal(err)
	}
	if err := s.DeleteToken(t.Context(), digest, nil); err != nil {
		t.Fatal(err)
	}
	mustRestore(t, path, file, restoreOptions())
	ended, err := s.RevokedAmong(t.Context(), []core.Digest{digest}, time.Now())
	if err != nil || len(ended) != 1 {
		t.Errorf("ended here: %v, %v", ended, err)
	}
	var again transfer.Checkpoint
	if again, err = s.BeginImport(t.Context(), "source", ""); err != nil || again.Run != 1 {
		t.Errorf("next import: %+v, %v", again, err)
	}
}

// TestRestoreKilled kills a restore while it overwrites the database: the old one is there,
// also for who has it open, and the next restore succeeds.
func TestRestoreKilled(t *testing.T) {
	dir := t.TempDir()
	path, file := filepath.Join(dir, "authcompat.db"), filepath.Join(dir, "backup.db")
	s := sqlitetest.MustOpenFile(t, path)
	enlarge(t, s)
	people(t, s, "ann")
	mustBackup(t, path, file)
	people(t, s, "bob")
	other := start(t, path)
	other.answer(t)
	other.order(t, "restore "+file)
	if got := other.answer(t); got != "copying true" {
		t.Fatal(got)
	}
	wantTokens(t, s, []string{"ann", "bob"}, nil)
	if err := other.process.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = other.process.Wait() // reports the kill
	wantTokens(t, s, []string{"ann", "bob"}, nil)
	people(t, s, "eve")
	wantTokens(t, sqlitetest.MustOpenFile(t, path), []string{"ann", "bob", "eve"}, nil)
	if r := mustRestore(t, path, file, restoreOptions()); r.Unknown != nil || r.Registered != 2 {
		t.Errorf("restored %+v", r)
	}
	wantTokens(t, s, []string{"ann"}, []string{"bob", "eve"})
}

// TestRestorePageSize restores a database with pages of another size, which SQLite does
// not copy by itself.
func TestRestorePageSize(t *testing.T) {
	dir := t.TempDir()
	path, file := filepath.Join(dir, "authcompat.db"), filepath.Join(dir, "backup.db")
	s := sqlitetest.MustOpenFile(t, path)
	people(t, s, "ann")
	mustBackup(t, path, file)
	raw(t, file, `PRAGMA page_size = 8192`, `VACUUM`).Close()
	if r := mustRestore(t, path, file, restoreOptions()); r.Unknown != nil || r.Tokens != 1 {
		t.Errorf("restored %+v", r)
	}
	wantTokens(t, s, []string{"ann"}, nil)
}

// TestRestoreKeepsExpiry checks that a token which was used since the backup lives as long
// as it did.
func TestRestoreKeepsExpiry(t *testing.T) {
	dir := t.TempDir()
	path, file := filepath.Join(dir, "authcompat.db"), filepath.Join(dir, "backup.db")
	s := sqlitetest.MustOpenFile(t, path)
	people(t, s, "ann")
	now := time.Now().UTC().Truncate(time.Microsecond)
	token := core.Token{Digest: core.Presented("sliding").SHA256(), UserID: 1, Realm: "default", ExpiresAt: now.Add(time.Hour), Sliding: time.Hour}
	if err := s.IssueToken(t.Context(), token, "", 0, nil); err != nil {
		t.Fatal(err)
	}
	mustBackup(t, path, file)
	want := now.Add(2 * time.Hour)
	if err := s.ExtendExpiry(t.Context(), token.Digest, want, now); err != nil {
		t.Fatal(err)
	}
	mustRestore(t, path, file, restoreOptions())
	if got, _, err := s.FindToken(t.Context(), "default", "sliding"); err != nil || !got.ExpiresAt.Equal(want) {
		t.Errorf("expires at %v, %v, want %v", got.ExpiresAt, err, want)
	}
}
