package sqlite

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestLogBesideABackup checks beside which files a backup is read without making any, as it
// has to be where nothing can be written.
func TestLogBesideABackup(t *testing.T) {
	for name, test := range map[string]struct {
		beside    map[string]string // by suffix
		immutable bool
	}{
		"nothing":                   {nil, true},
		"an empty log":              {map[string]string{"-wal": ""}, true},
		"an empty log, opened":      {map[string]string{"-wal": "", "-shm": ""}, false},
		"a log":                     {map[string]string{"-wal": "frames"}, false},
		"a rollback journal":        {map[string]string{"-journal": ""}, false},
		"the index of a former log": {map[string]string{"-shm": ""}, true},
	} {
		file := filepath.Join(t.TempDir(), "b.db")
		for suffix, text := range test.beside {
			if err := os.WriteFile(file+suffix, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if got := strings.Contains(backupDSN(file), "immutable=1"); got != test.immutable {
			t.Errorf("%s: immutable %t", name, got)
		}
	}
}

// TestExplainUnreadable checks what is said of a backup that SQLite can't open, with a log
// beside it and without one.
func TestExplainUnreadable(t *testing.T) {
	file := filepath.Join(t.TempDir(), "b.db")
	cannotOpen := copyDatabase(t.Context(), dsn(file, "mode=ro"), file, nil)
	if got := explainUnreadable(cannotOpen, file).Error(); !strings.Contains(got, "can't be read and written") {
		t.Error(got)
	}
	if err := os.WriteFile(file+"-wal", []byte("frames"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := explainUnreadable(cannotOpen, file).Error(); !strings.Contains(got, "copy the files to another directory, and restore the copy") {
		t.Error(got)
	}
}
