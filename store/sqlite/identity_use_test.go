package sqlite

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/internal/dbfile"
)

// TestIndexOfAnotherDatabase replaces a database whose log is empty under a store that does not notice:
// the other file is not opened with its index, which speaks of more pages than it has. Once the
// store notices, it is.
func TestIndexOfAnotherDatabase(t *testing.T) {
	needLocks(t)
	late, path, _, _ := openFiles(t)
	other, otherPath, _, _ := openFiles(t)
	late.stop() // or it notices
	late.looking.Wait()
	if _, err := late.writer.Exec(`PRAGMA wal_checkpoint(TRUNCATE)`); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(other.Close(), os.Rename(path, path+".moved"), os.Rename(otherPath, path)); err != nil {
		t.Fatal(err)
	}
	refused(t, path, dbfile.ErrIndexOfAnother)
	if err := late.Ping(t.Context()); !errors.Is(err, core.ErrUnavailable) {
		t.Error(err)
	}
	again, err := Open(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := again.CreateUser(t.Context(), core.NewUser{Username: "eve", PasswordHash: "!"}, nil, nil); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(late.Close(), again.Close()); err != nil {
		t.Fatal(err)
	}
	if dbfile.HasLog(path) {
		t.Error("the log is left")
	}
	has(t, path, "eve", "nobody")
	has(t, path+".moved", "ann", "eve")
}

// TestRenamedDatabase renames a database under a store that does not notice, and then does: it is not
// opened under its new name before the log has come into it.
func TestRenamedDatabase(t *testing.T) {
	needLocks(t)
	for _, notices := range []bool{false, true} {
		s, path, _, _ := openFiles(t)
		if !notices {
			s.stop()
			s.looking.Wait()
		}
		renamed := filepath.Join(t.TempDir(), "renamed.db")
		if err := os.Rename(path, renamed); err != nil {
			t.Fatal(err)
		}
		if !notices {
			refused(t, renamed, dbfile.ErrUsedElsewhere)
			continue
		}
		has(t, renamed, "ann", "nobody")
	}
}

// TestRemovedLog removes the log under a store that does not notice, and then does: nobody begins a
// new one before what was in it has come into the database.
func TestRemovedLog(t *testing.T) {
	needLocks(t)
	for _, notices := range []bool{false, true} {
		s, path, _, _ := openFiles(t)
		if !notices {
			s.stop()
			s.looking.Wait()
		}
		if err := os.Remove(path + "-wal"); err != nil {
			t.Fatal(err)
		}
		if !notices {
			refused(t, path, dbfile.ErrLogCut)
			if err := os.WriteFile(path+"-wal", make([]byte, 5000), 0o600); err != nil { // of one page
				t.Fatal(err)
			}
			refused(t, path, dbfile.ErrLogCut)
			continue
		}
		has(t, path, "ann", "nobody")
		hasAlone(t, path, "ann")
	}
}

// TestBackupCopiedOverACrashedDatabase writes a backup into a database file beside which there is a
// log: it is refused, even where the log does not say whose it is.
func TestBackupCopiedOverACrashedDatabase(t *testing.T) {
	needLocks(t)
	s, path, _, _ := openFiles(t)
	backup := filepath.Join(t.TempDir(), "backup.db")
	if _, err := Backup(t.Context(), path, backup, BackupOptions{}); err != nil {
		t.Fatal(err)
	}
	log, err := os.ReadFile(path + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(backup)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.WriteFile(path, content, 0o600), os.WriteFile(path+"-wal", log, 0o600)); err != nil {
		t.Fatal(err)
	}
	refused(t, path, dbfile.ErrLogOfAnother)
	if err := os.Remove(path + "-wal"); err != nil {
		t.Fatal(err)
	}
	has(t, path, "ann", "nobody")
}

// TestMovedToAnotherFileSystem copies a database and removes it under a store, as mv does between
// file systems: its log stays as it is, and may follow. If another file comes in its place instead, the
// log is emptied.
func TestMovedToAnotherFileSystem(t *testing.T) {
	needLocks(t)
	for _, follows := range []bool{true, false} {
		s, path, _, _ := openFiles(t)
		other, otherPath, _, _ := openFiles(t)
		if _, err := other.CreateUser(t.Context(), core.NewUser{Username: "eve", PasswordHash: "!"}, nil, nil); err != nil {
			t.Fatal(err)
		}
		copied := filepath.Join(t.TempDir(), "auth.db")
		if err := errors.Join(other.Close(), copyFile(path, copied), os.Remove(path)); err != nil {
			t.Fatal(err)
		}
		if err := s.Ping(t.Context()); !errors.Is(err, core.ErrUnavailable) {
			t.Error(err)
		}
		s.rescue.Wait()
		s.left.Wait()
		if !dbfile.HasLog(path) {
			t.Fatal("the log was emptied")
		}
		if !follows {
			if err := os.Rename(otherPath, path); err != nil {
				t.Fatal(err)
			}
			has(t, path, "eve", "nobody")
			continue
		}
		if err := errors.Join(copyFile(path+"-wal", copied+"-wal"), os.Remove(path+"-wal"), s.Close()); err != nil {
			t.Fatal(err)
		}
		has(t, copied, "ann", "eve")
	}
}

// TestRemovedLogOfTwo removes the log under two stores, of which one does not know what the other has
// written last: both let go, so that the database can be opened, with all that was acknowledged.
func TestRemovedLogOfTwo(t *testing.T) {
	needLocks(t)
	s, path, _, _ := openFiles(t)
	idle, err := Open(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer idle.Close()
	idle.stop()
	idle.looking.Wait()
	if _, err := s.CreateUser(t.Context(), core.NewUser{Username: "late", PasswordHash: "!"}, nil, nil); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path + "-wal"); err != nil {
		t.Fatal(err)
	}
	for _, s := range []*Store{idle, s} {
		if err := s.Ping(t.Context()); !errors.Is(err, dbfile.ErrLogReplaced) {
			t.Error(err)
		}
	}
	has(t, path, "late", "eve")
	hasAlone(t, path, "late")
}

// TestLastFrameOfTheLog compares the index with the log that the store has open: they belong together as
// long as nobody has written to another log.
func TestLastFrameOfTheLog(t *testing.T) {
	s, _, _, _ := openFiles(t)
	index := s.cache.Index()
	if index == nil {
		t.Skip("the system has no index")
	}
	header, ok := index.Read()
	number, page, sum := header.LastFrame()
	if !ok || number == 0 {
		t.Fatalf("frame %d", number)
	}
	if !s.files.LogHas(number, page, sum) || !s.files.LogHas(0, page, sum) || !s.isOwnLog(dbfile.ErrLogReplaced) {
		t.Error("the log lacks its last frame")
	}
	another := sum
	another[1]++
	if s.files.LogHas(number+1, page, sum) || s.files.LogHas(number, page, another) {
		t.Error("the log has another frame")
	}
}

// TestLogTakenByAnother replaces a database under a store, and says in its log that it belongs to the
// new file, as an earlier version does that opens it: the store does not take it for its own.
func TestLogTakenByAnother(t *testing.T) {
	needTags(t)
	s, path, _, _ := openFiles(t)
	s.stop()
	s.looking.Wait()
	other, otherPath, _, _ := openFiles(t)
	if err := errors.Join(other.Close(), os.Rename(path, path+".moved"), os.Rename(otherPath, path)); err != nil {
		t.Fatal(err)
	}
	if !s.isOwnLog(dbfile.ErrReplaced) {
		t.Error("the log is another's before anybody says so")
	}
	dbfile.At(path).Claim()
	if s.isOwnLog(dbfile.ErrReplaced) {
		t.Error("the log of another file is taken for the store's own")
	}
}

func copyFile(from, to string) error {
	content, err := os.ReadFile(from)
	return errors.Join(err, os.WriteFile(to, content, 0o600))
}

// TestLogIsClaimedAgain takes the tag of a log away under a store, as a command that opened another
// file does: the store says again whose the log is.
func TestLogIsClaimedAgain(t *testing.T) {
	needTags(t)
	s, path, _, _ := openFiles(t)
	forgetOwner(t, path)
	for began := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		if own, known := s.files.OwnsLog(); own && known {
			return
		}
		if time.Since(began) > 20*time.Second {
			t.Fatal("the log does not say whose it is")
		}
	}
}

// TestCommandsClaimTheirLogs looks at the log of a database that a backup, and a restore, has open.
func TestCommandsClaimTheirLogs(t *testing.T) {
	needTags(t)
	s, path, _, _ := openFiles(t)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	claimed := func(int, int) {
		if _, known := dbfile.At(path).OwnsLog(); !known { // whether it is empty yet or not
			t.Error("nothing says whose the log is")
		}
	}
	if _, err := Backup(t.Context(), path, path+".backup", BackupOptions{Progress: claimed}); err != nil {
		t.Fatal(err)
	}
	if _, err := Restore(t.Context(), path, path+".backup", RestoreOptions{Progress: claimed}); err != nil {
		t.Fatal(err)
	}
}

// TestRestoreOfABackupBesideALog restores a backup that was put in the place of a crashed database:
// nothing of the log comes with it.
func TestRestoreOfABackupBesideALog(t *testing.T) {
	needLocks(t)
	s, path, _, _ := openFiles(t)
	backup := filepath.Join(t.TempDir(), "auth.db")
	if _, err := Backup(t.Context(), path, backup, BackupOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(copyFile(path+"-wal", backup+"-wal"), s.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := Restore(t.Context(), path+".new", backup, RestoreOptions{}); !errors.Is(err, dbfile.ErrLogOfAnother) {
		t.Errorf("restored: %v", err)
	}
}

// refused checks that a database is not opened.
func refused(t *testing.T, path string, want error) {
	t.Helper()
	s, err := Open(t.Context(), path, Options{Wait: short})
	if !errors.Is(err, want) {
		t.Errorf("opened: %v, want %v", err, want)
	}
	if err == nil {
		s.Close()
	}
}

// needLocks skips a test where it is not known who has a file open.
func needLocks(t *testing.T) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("the system does not tell who has a file open")
	}
}
