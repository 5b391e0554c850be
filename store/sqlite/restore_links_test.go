package sqlite_test

import (
	"bytes"
	"errors"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/transfer"
	"github.com/authcompat/authcompat/store/sqlite"
	"github.com/authcompat/authcompat/store/sqlite/sqlitetest"
)

// exchanged is a database with users whose tokens have their names, of which a backup was made before they were exported.
type exchanged struct {
	*sqlite.Store
	path, backup string
	place        transfer.Checkpoint
	accounts     map[string]core.Account
}

func mustExchange(t *testing.T, users ...string) exchanged {
	t.Helper()
	dir := t.TempDir()
	e := exchanged{path: filepath.Join(dir, "authcompat.db"), backup: filepath.Join(dir, "backup.db"), accounts: map[string]core.Account{}}
	e.Store = sqlitetest.MustOpenFile(t, e.path)
	people(t, e.Store, users...)
	place, err := e.BeginImport(t.Context(), "source", "")
	if err != nil {
		t.Fatal(err)
	}
	e.place = place
	page, err := e.ExportUsers(t.Context(), 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range page {
		e.accounts[a.Username] = a
	}
	mustBackup(t, e.path, e.backup)
	return e
}

// imported is a user with the fingerprint of what was last moved.
func (e exchanged) imported(name string, fingerprint []byte) transfer.ImportedUser {
	return transfer.ImportedUser{Key: "key-" + name, Fingerprint: fingerprint, Account: e.accounts[name]}
}

func (e exchanged) mustMark(t *testing.T, users []transfer.ImportedUser, tokens ...string) {
	t.Helper()
	var digests []core.Digest
	for _, name := range tokens {
		digests = append(digests, core.Presented(name).SHA256())
	}
	if err := e.MarkExported(t.Context(), e.place, users, map[string][]core.Digest{"t": digests}); err != nil {
		t.Fatal(err)
	}
}

// TestRestoreKeepsExportedTokens checks that a token of the backup that was exported since counts as exported, in its form
// there too: else an export would bring it back where it has been logged out, and an import would not end it here.
func TestRestoreKeepsExportedTokens(t *testing.T) {
	e := mustExchange(t, "ann", "bob")
	digest := core.Presented("ann").SHA256()
	form := core.Digest(bytes.Repeat([]byte{7}, 64))
	ann, _, err := e.FindToken(t.Context(), "default", core.Presented("ann"))
	if err != nil {
		t.Fatal(err)
	}
	ann.Legacy = core.Legacy{Format: core.Knox5, Prefix: "prefix", Digest: form}
	if err := e.KeepForms(t.Context(), []core.Token{ann}); err != nil {
		t.Fatal(err)
	}
	e.mustMark(t, nil, "ann")
	mustRestore(t, e.path, e.backup, restoreOptions())
	both := []core.Digest{digest, core.Presented("bob").SHA256()}
	unlinked, err := e.UnlinkedTokens(t.Context(), e.place.Source, []string{"t"}, both)
	if err != nil || len(unlinked) != 1 || !bytes.Equal(unlinked[0], both[1]) {
		t.Errorf("never exported: %x, %v; want bob's alone", unlinked, err)
	}
	if err := e.DeleteToken(t.Context(), digest, nil); err != nil {
		t.Fatal(err)
	}
	ended, err := e.RevokedAmong(t.Context(), []core.Digest{digest, form}, time.Now())
	if err != nil || len(ended) != 2 {
		t.Errorf("ended here: %x, %v; want both forms", ended, err)
	}
}

// TestRestoreKeepsLinks checks what counts as last moved of a user after a restore: what the database says, of each half that
// the restore leaves as it is; of the others, what the user is again.
func TestRestoreKeepsLinks(t *testing.T) {
	e := mustExchange(t, "ann", "bob", "eve")
	moved := bytes.Repeat([]byte{1}, 32)
	e.mustMark(t, []transfer.ImportedUser{e.imported("eve", bytes.Repeat([]byte{2}, 32))})
	backup := e.backup + "-2" // has eve's link, and none of the others
	mustBackup(t, e.path, backup)
	for _, name := range []string{"bob", "eve"} {
		if _, err := e.ChangePassword(t.Context(), core.PasswordChange{UserID: e.accounts[name].ID, New: "another"}, nil); err != nil {
			t.Fatal(err)
		}
	}
	e.mustMark(t, []transfer.ImportedUser{e.imported("ann", moved), e.imported("bob", moved), e.imported("eve", moved)})
	mustRestore(t, e.path, backup, restoreOptions())
	var ids []int64
	for _, a := range e.accounts {
		ids = append(ids, a.ID)
	}
	links, err := e.LinkedFingerprints(t.Context(), e.place.Source, ids)
	if err != nil {
		t.Fatal(err)
	}
	got := map[int64]transfer.UserLink{}
	for _, l := range links {
		got[l.UserID] = l
	}
	for name, want := range map[string][]byte{
		"ann": moved,
		"bob": slices.Concat(transfer.PasswordFingerprint(e.accounts["bob"].PasswordHash), moved[16:]),
		"eve": slices.Concat(bytes.Repeat([]byte{2}, 16), moved[16:]),
	} {
		if l := got[e.accounts[name].ID]; !bytes.Equal(l.Fingerprint, want) || l.Key != "key-"+name {
			t.Errorf("%s: %+v, want fingerprint %x", name, l, want)
		}
	}
}

// TestRestoreKeepsNotes checks that what an export that was cut off may have written is known after a restore, as long as the
// user is still what was written; and what the backup says of one that has ended is not.
func TestRestoreKeepsNotes(t *testing.T) {
	e := mustExchange(t, "ann", "bob")
	mark := bytes.Repeat([]byte{1}, 32)
	note := func(token string, names ...string) {
		noted := transfer.NotedExport{Tokens: map[string][]core.Digest{"t": {core.Presented(token).SHA256()}}}
		for _, name := range names {
			noted.Users = append(noted.Users, transfer.UserLink{UserID: e.accounts[name].ID, Key: "key-" + name, Fingerprint: mark})
		}
		if err := e.NoteExported(t.Context(), e.place.Source, noted); err != nil {
			t.Fatal(err)
		}
	}
	note("bob", "bob")
	backup := e.backup + "-2"
	mustBackup(t, e.path, backup)
	if _, err := e.ChangePassword(t.Context(), core.PasswordChange{UserID: e.accounts["bob"].ID, New: "another"}, nil); err != nil {
		t.Fatal(err)
	}
	note("ann", "ann", "bob")
	mustRestore(t, e.path, backup, restoreOptions())
	noted, err := e.NotedExport(t.Context(), e.place.Source)
	if err != nil || len(noted.Users) != 1 || noted.Users[0].UserID != e.accounts["ann"].ID ||
		len(noted.Tokens["t"]) != 1 || !bytes.Equal(noted.Tokens["t"][0], core.Presented("ann").SHA256()) {
		t.Errorf("noted: %+v, %v", noted, err)
	}
}

// TestRestoreEndsImports checks that an import that was under way goes no further: it has not seen what is linked now.
func TestRestoreEndsImports(t *testing.T) {
	e := mustExchange(t, "ann")
	e.mustMark(t, nil, "ann")
	e.place.Run, e.place.Stage, e.place.Now = 1, "t", time.Now()
	if _, err := e.ImportTokens(t.Context(), e.place, nil); err != nil {
		t.Fatal(err)
	}
	mustRestore(t, e.path, e.backup, restoreOptions())
	if _, err := e.ImportTokens(t.Context(), e.place, nil); !errors.Is(err, transfer.ErrOvertaken) {
		t.Errorf("an import that began before the restore: %v", err)
	}
}
