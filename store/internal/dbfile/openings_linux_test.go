package dbfile

import (
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	_ "modernc.org/sqlite"
)

// TestFilesInUse looks at a database that is open in SQLite, as it is and with other files in the
// place of some.
func TestFilesInUse(t *testing.T) {
	move := func(suffix string) func(string) error {
		return func(path string) error { return os.Rename(path+suffix, path+suffix+".moved") }
	}
	for _, test := range []struct {
		name   string
		change func(path string) error
		want   error
	}{
		{"as it is", func(string) error { return nil }, nil},
		{"without its index", move("-shm"), ErrUsedElsewhere},
		{"without its log", move("-wal"), ErrLogCut},
		{"with a log of one page", func(path string) error {
			return errors.Join(move("-wal")(path), os.WriteFile(path+"-wal", make([]byte, 32+24+4096), 0o600))
		}, ErrLogCut},
		{"with a copy of its log", func(path string) error {
			log, err := os.ReadFile(path + "-wal")
			return errors.Join(err, move("-wal")(path), os.WriteFile(path+"-wal", log, 0o600))
		}, nil},
		{"with a log that is said to be another's", func(path string) error {
			database, _ := objectAt(path)
			log, _ := objectAt(path + "-wal")
			setTag(t, path, tagText(object{inode: database.inode + 1}, log))
			return nil
		}, ErrLogOfAnother},
		{"another file", func(path string) error {
			content, err := os.ReadFile(path)
			return errors.Join(err, move("")(path), os.WriteFile(path, content, 0o600))
		}, ErrIndexOfAnother},
	} {
		path := filepath.Join(t.TempDir(), "a.db")
		db, err := sql.Open("sqlite", path)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		db.SetMaxOpenConns(1)
		for _, statement := range []string{`PRAGMA journal_mode = WAL`, `CREATE TABLE t (x)`, `INSERT INTO t VALUES (1)`} {
			if _, err := db.ExecContext(t.Context(), statement); err != nil {
				t.Fatal(err)
			}
		}
		if err := test.change(path); err != nil {
			t.Fatal(err)
		}
		if err := CheckLog(path, time.Millisecond); !errors.Is(err, test.want) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

// TestLooksKeepLocks looks at a database that this process has open: that releases no lock, by which
// other processes know that it is.
func TestLooksKeepLocks(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(t.Context(), `PRAGMA journal_mode = WAL; CREATE TABLE t (x)`); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := CheckLog(path, time.Millisecond); err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range []string{path, path + "-shm"} {
		p := newProbe(file)
		if used, known := p.used(); !used || !known {
			t.Errorf("%s: used %t, known %t", file, used, known)
		}
		p.close()
	}
}
