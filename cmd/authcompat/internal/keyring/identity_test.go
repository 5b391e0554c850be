package keyring

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestIdentityFile makes a key beside a database once, and none where another was.
func TestIdentityFile(t *testing.T) {
	folder := t.TempDir()
	database := filepath.Join(folder, "auth.db")
	if err := os.WriteFile(database, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	beside := IdentityFile{DSN: "sqlite:" + database}
	sealing := Location{DSN: beside.DSN}
	if err := beside.Check(t.Context(), sealing); err != nil {
		t.Errorf("before the start: %v", err)
	}
	if _, created, err := beside.Load(t.Context(), false); !errors.Is(err, fs.ErrNotExist) || created {
		t.Errorf("a lost file: %v, created %t", err, created)
	}
	keys, created, err := beside.Load(t.Context(), true)
	if err != nil || !created || keys.Len() != 1 {
		t.Fatalf("%d keys, %v, created %t", keys.Len(), err, created)
	}
	info, err := os.Stat(database + ".identity-key")
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	if again, created, err := beside.Load(t.Context(), true); err != nil || created || again.Len() != 1 {
		t.Errorf("again: %v, created %t", err, created)
	}
	if got := (IdentityFile{DSN: "django+sqlite:" + database}).Path(); got != database+".identity-key" {
		t.Errorf("beside Django's database: %q", got)
	}

	if err := createKeys(sealing.path(), database); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(folder, "link")
	if err := os.Symlink(sealing.path(), link); err != nil {
		t.Fatal(err)
	}
	misplaced, err := newKey()
	if err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]string{
		sealing.path():                  "has the sealing keys",
		link:                            "has the sealing keys",
		filepath.Join(folder, "nobody"): "no such file",
		misplaced:                       "it may be a key itself",
		database:                        "there is no identity key",
	} {
		err := IdentityFile{File: file, DSN: beside.DSN}.Check(t.Context(), sealing)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), misplaced) {
			t.Errorf("%s: %v, want %s", file, err, want)
		}
		if _, created, _ := (IdentityFile{File: file, DSN: beside.DSN}).Load(t.Context(), true); created {
			t.Errorf("%s: a file that is named was made", file)
		}
	}
	if err := (IdentityFile{DSN: "postgres://x/y"}).Check(t.Context(), sealing); !errors.Is(err, ErrNoIdentityFile) {
		t.Errorf("on PostgreSQL: %v", err)
	}
}
