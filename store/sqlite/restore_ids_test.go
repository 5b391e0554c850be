package sqlite_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/transfer"
	"github.com/authcompat/authcompat/store/sqlite/sqlitetest"
)

// TestRestoreEndsUsedLinks checks that a link which was used since the backup stays used: it is made of the last login, which its use
// sets. One that was not used is good as it was.
func TestRestoreEndsUsedLinks(t *testing.T) {
	dir := t.TempDir()
	path, file := filepath.Join(dir, "authcompat.db"), filepath.Join(dir, "backup.db")
	s := sqlitetest.MustOpenFile(t, path)
	people(t, s, "ann", "bob")
	mustBackup(t, path, file)
	before, err := s.AccountByID(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	used := time.Now().UTC().Truncate(time.Second)
	use := core.LinkUse{PasswordHash: before.PasswordHash, Email: before.Email, LastLogin: before.LastLogin, At: used}
	if _, err := s.ChangePassword(t.Context(), core.PasswordChange{UserID: 1, Old: before.PasswordHash, New: "new", Link: &use}, nil); err != nil {
		t.Fatal(err)
	}
	mustRestore(t, path, file, restoreOptions())
	for id, want := range map[int64]time.Time{1: used, 2: {}} {
		if got, err := s.AccountByID(t.Context(), id); err != nil || got.PasswordHash != before.PasswordHash && id == 1 || !got.LastLogin.Equal(want) {
			t.Errorf("user %d: last login %v, %v, want %v", id, got.LastLogin, err, want)
		}
	}
}

// TestRestoreKeepsIDs checks that an import gives nobody the ids of users who were deleted, or had registered, since the backup.
func TestRestoreKeepsIDs(t *testing.T) {
	dir := t.TempDir()
	path, file := filepath.Join(dir, "authcompat.db"), filepath.Join(dir, "backup.db")
	s := sqlitetest.MustOpenFile(t, path)
	people(t, s, "ann")
	mustBackup(t, path, file)
	people(t, s, "bob", "cid")
	if err := s.DeleteUser(t.Context(), 2, nil); err != nil {
		t.Fatal(err)
	}
	mustRestore(t, path, file, restoreOptions())
	var users []transfer.ImportedUser
	for id := int64(1); id < 5; id++ {
		users = append(users, transfer.ImportedUser{Key: fmt.Sprint(id), Account: core.Account{User: core.User{ID: id, Username: fmt.Sprint("there", id)}}})
	}
	facts, err := s.UserFacts(t.Context(), 1, users)
	if slices.Sort(facts.Deleted); err != nil || !slices.Equal(facts.Deleted, []int64{2, 3}) {
		t.Errorf("deleted %v, %v", facts.Deleted, err)
	}
}
