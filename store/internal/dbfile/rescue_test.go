package dbfile

import (
	"database/sql"
	"os"
	"path/filepath"
	"testing"

	_ "modernc.org/sqlite"
)

// TestRescue moves the log of a database away, or the database: what is in the log comes into
// the file, and the log is emptied if it could be replayed into another one.
func TestRescue(t *testing.T) {
	for _, test := range []struct {
		name  string
		cause error
		// What is moved away, and what is left of the log.
		suffix  string
		emptied bool
	}{
		{"the log is gone", ErrLogReplaced, "-wal", false},
		{"the database is gone", ErrReplaced, "", true},
	} {
		path := filepath.Join(t.TempDir(), "a.db")
		db, err := sql.Open("sqlite", path)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		for _, statement := range []string{`PRAGMA journal_mode = WAL`, `CREATE TABLE t (x)`, `INSERT INTO t VALUES (1)`} {
			if _, err := db.ExecContext(t.Context(), statement); err != nil {
				t.Fatal(err)
			}
		}
		conn, err := db.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if err := os.Rename(path+test.suffix, path+test.suffix+".moved"); err != nil {
			t.Fatal(err)
		}
		var r Rescue
		r.Start(ErrIndexReplaced, conn, nil, nil) // calls for nothing
		r.Start(test.cause, conn, func(error) bool { return false }, func() bool { return true })
		r.Wait()
		database, log := path, path+"-wal.moved"
		if test.suffix == "" {
			database, log = path+".moved", path+"-wal"
		}
		content, err := os.ReadFile(database)
		if err != nil {
			t.Fatal(err)
		}
		left, err := os.Stat(log)
		if err != nil || (left.Size() == 0) != test.emptied {
			t.Errorf("%s: log of %d bytes, %v", test.name, left.Size(), err)
		}
		copied := filepath.Join(t.TempDir(), "b.db")
		if err := os.WriteFile(copied, content, 0o600); err != nil {
			t.Fatal(err)
		}
		alone, err := sql.Open("sqlite", copied)
		if err != nil {
			t.Fatal(err)
		}
		defer alone.Close()
		var rows int
		if err := alone.QueryRowContext(t.Context(), `SELECT count(*) FROM t`).Scan(&rows); err != nil || rows != 1 {
			t.Errorf("%s: %d rows in the file, %v", test.name, rows, err)
		}
	}
}
