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
	"github.com/authcompat/authcompat/store/sqlite"
	"github.com/authcompat/authcompat/store/sqlite/sqlitetest"
)

// enlarge adds users with about 20 MB of data, so that a copy takes several steps.
func enlarge(t *testing.T, s *sqlite.Store) {
	t.Helper()
	for i := range 20 {
		u := core.NewUser{Username: fmt.Sprint("large ", i), Attributes: map[string]string{"x": strings.Repeat("x", 1<<20)}}
		if _, err := s.CreateUser(t.Context(), u, nil, nil); err != nil {
			t.Fatal(err)
		}
	}
}

func backupOptions() sqlite.BackupOptions {
	return sqlite.BackupOptions{
		Audit:      core.NewOperation(core.ActionBackup, time.Now()),
		NotAudited: func(err error) { panic(err) },
	}
}

func mustBackup(t *testing.T, path, file string) sqlite.Snapshot {
	t.Helper()
	snapshot, err := sqlite.Backup(t.Context(), path, file, backupOptions())
	if err != nil {
		t.Fatal(err)
	}
	return snapshot
}

// TestBackupUnderLoad copies a database while others write to it without a pause, between
// any two steps of the copy too.
func TestBackupUnderLoad(t *testing.T) {
	path := filepath.Join(t.TempDir(), "authcompat.db")
	s := sqlitetest.MustOpenFile(t, path)
	enlarge(t, s)
	acknowledged := make(chan string, 1<<20)
	stop := make(chan struct{})
	var writers sync.WaitGroup
	defer writers.Wait()
	defer close(stop)
	for w := range 3 {
		other := sqlitetest.MustOpenFile(t, path)
		writers.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				name := fmt.Sprintf("%d-%d", w, i)
				if err := register(context.Background(), other, name); err != nil {
					t.Error(err)
					return
				}
				acknowledged <- name
			}
		})
	}
	timeout := time.After(2 * time.Minute)
	await := func(n int) (names []string) {
		for range n {
			select {
			case name := <-acknowledged:
				names = append(names, name)
			case <-timeout:
				t.Fatal("the writers don't get on")
			}
		}
		return names
	}
	before := await(10)
	file := filepath.Join(t.TempDir(), "backup.db")
	o := backupOptions()
	steps := 0
	o.Progress = func(done, of int) {
		// Others write between the steps, and the copy still advances.
		if steps++; steps > 20 {
			t.Fatalf("begun anew: %d of %d pages after %d steps", done, of, steps)
		}
		await(len(acknowledged) + 5)
	}
	snapshot, err := sqlite.Backup(t.Context(), path, file, o)
	if err != nil {
		t.Fatal(err)
	}
	if steps < 2 {
		t.Fatalf("copied in %d steps", steps)
	}
	// Each user was registered together with a token.
	if snapshot.Users != snapshot.Tokens+20 {
		t.Errorf("backup of %d users and %d tokens", snapshot.Users, snapshot.Tokens)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("file: %v, %v", info, err)
	}
	if left, _ := filepath.Glob(file + "?*"); len(left) > 0 {
		t.Errorf("left beside it: %v", left)
	}
	copied := sqlitetest.MustOpenFile(t, file)
	for _, name := range before {
		if _, _, err := copied.FindToken(t.Context(), "default", core.Presented(name)); err != nil {
			t.Errorf("the token of %s: %v", name, err)
		}
	}
	entries, err := copied.AuditEntries(t.Context(), core.AuditFilter{Action: core.ActionBackup}, 9)
	if err != nil || len(entries) != 1 {
		t.Errorf("entries %v, %v", entries, err)
	}
}

// TestBackupNeedsNoLog checks that nothing is left beside a database that nobody else has
// open, nor beside a backup, whose header asks for no log.
func TestBackupNeedsNoLog(t *testing.T) {
	dir := t.TempDir()
	path, file := filepath.Join(dir, "a.db"), filepath.Join(dir, "b.db")
	if s, err := sqlite.Open(t.Context(), path, sqlite.Options{}); err != nil || s.Close() != nil {
		t.Fatal(err)
	}
	mustBackup(t, path, file)
	content, err := os.ReadFile(file)
	if err != nil || !bytes.Equal(content[18:20], []byte{1, 1}) {
		t.Errorf("header %v, %v", content[18:20], err)
	}
	if got := names(t, dir); !slices.Equal(got, []string{"a.db", "b.db"}) {
		t.Errorf("files %v", got)
	}
}

// TestBackupRefuses checks that nothing is replaced that must not be, and that a backup
// that fails leaves an earlier one as it was, and nothing else.
func TestBackupRefuses(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "authcompat.db")
	s := sqlitetest.MustOpenFile(t, path)
	enlarge(t, s)
	backups := t.TempDir()
	in := func(name string) string { return filepath.Join(backups, name) }
	mustBackup(t, path, in("earlier.db"))
	earlier, err := os.ReadFile(in("earlier.db"))
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{"key": "c2VjcmV0", "logged.db-wal": "", "empty": ""} {
		write(t, in(name), []byte(content))
	}
	if err := os.Symlink(path, in("linked.db")); err != nil {
		t.Fatal(err)
	}
	canceled, cancel := context.WithCancel(t.Context())
	interrupted := backupOptions()
	interrupted.Replace, interrupted.Progress = true, func(int, int) { cancel() }
	force := backupOptions()
	force.Replace = true
	for _, test := range []struct {
		ctx        context.Context
		path, file string
		o          sqlite.BackupOptions
		want       string
	}{
		{t.Context(), path, in("earlier.db"), backupOptions(), "there is a file already"},
		{t.Context(), path, path, force, "it is the database itself"},
		{t.Context(), path, in("linked.db"), force, "it is not a regular file"},
		{t.Context(), path, path + "-wal", force, "it is a part of the database"},
		{t.Context(), path, path + "-journal", force, "it is a part of the database"},
		{t.Context(), path, in("key"), force, "it is no earlier backup, and is not replaced"},
		{t.Context(), path, in("empty"), force, "it is no earlier backup, and is not replaced"},
		{t.Context(), path, backups, force, "it is a directory"},
		{t.Context(), path, in("logged.db"), force, `logged.db-wal" is there, which SQLite would take for a part of it`},
		{t.Context(), path, in("no/such.db"), force, "does not exist"},
		{t.Context(), in("no.db"), in("x.db"), force, "no such file or directory"},
		{t.Context(), in("key"), in("x.db"), force, "it is not a SQLite database"},
		{canceled, path, in("earlier.db"), interrupted, "context canceled"},
	} {
		_, err := sqlite.Backup(test.ctx, test.path, test.file, test.o)
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s to %s: error %v, want %q", test.path, test.file, err, test.want)
		}
		if (test.want == "there is a file already") != errors.Is(err, sqlite.ErrBackupExists) {
			t.Errorf("%s: %v", test.file, err)
		}
	}
	if got := names(t, backups); !slices.Equal(got, []string{"earlier.db", "empty", "key", "linked.db", "logged.db-wal"}) {
		t.Errorf("files %v", got)
	}
	if now, err := os.ReadFile(in("earlier.db")); err != nil || !bytes.Equal(now, earlier) {
		t.Errorf("the earlier backup was changed: %v", err)
	}
	if _, err := sqlite.Backup(t.Context(), path, in("earlier.db"), force); err != nil {
		t.Error(err)
	}
	if now, err := os.ReadFile(in("earlier.db")); err != nil || bytes.Equal(now, earlier) {
		t.Errorf("the earlier backup was not replaced: %v", err)
	}
}
