//go:build unix

package walindex_test

import (
	"context"
	"database/sql"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/authcompat/authcompat/store/sqlite/walindex"
	_ "modernc.org/sqlite"
)

// mustOpen creates a database in WAL mode with a table t, and returns its path and a
// connection to it.
func mustOpen(t *testing.T) (path string, conn *sql.Conn) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "x.db")
	conn = mustConnect(t, path)
	mustExec(t, conn, `PRAGMA journal_mode = WAL`)
	mustExec(t, conn, `CREATE TABLE t (n INTEGER)`)
	return path, conn
}

func mustConnect(t *testing.T, path string) *sql.Conn {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func mustExec(t *testing.T, conn *sql.Conn, statement string) {
	t.Helper()
	if _, err := conn.ExecContext(context.WithoutCancel(t.Context()), statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

func mustRead(t *testing.T, x *walindex.Index) walindex.Header {
	t.Helper()
	h, ok := x.Read()
	if !ok {
		t.Fatal("there is no header")
	}
	return h
}

// TestHeaderChangesWithCommits checks the header after each operation on a database.
func TestHeaderChangesWithCommits(t *testing.T) {
	path, conn := mustOpen(t)
	other := mustConnect(t, path)
	x, err := walindex.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		name    string
		do      func()
		changed bool
	}{
		{"a read", func() { mustExec(t, other, `SELECT count(*) FROM t`) }, false},
		{"a commit", func() { mustExec(t, conn, `INSERT INTO t VALUES (1)`) }, true},
		{"another connection's commit", func() { mustExec(t, other, `INSERT INTO t VALUES (2)`) }, true},
		{"a transaction that is open", func() { mustExec(t, conn, `BEGIN IMMEDIATE`); mustExec(t, conn, `DELETE FROM t`) }, false},
		{"a rollback", func() { mustExec(t, conn, `ROLLBACK`) }, false},
		{"a changed row", func() { mustExec(t, conn, `UPDATE t SET n = n + 1`) }, true},
		{"the first commit after a full checkpoint", func() {
			mustExec(t, conn, `PRAGMA wal_checkpoint(TRUNCATE)`)
			mustExec(t, conn, `UPDATE t SET n = n + 1`)
		}, true},
	} {
		before := mustRead(t, x)
		step.do()
		if changed := mustRead(t, x) != before; changed != step.changed {
			t.Errorf("%s: header changed %v, want %v", step.name, changed, step.changed)
		}
	}
}

// TestHeaderThatIsNotWhole reads headers as left by a process that died while writing
// one.
func TestHeaderThatIsNotWhole(t *testing.T) {
	header := make([]byte, 2*48)
	for i := range 24 {
		binary.NativeEndian.PutUint32(header[4*i:], uint32(1+i%12)) // the same twice
	}
	for _, tt := range []struct {
		name string
		word int
		to   uint32
		ok   bool
	}{
		{"whole", 0, 1, true},
		{"the second copy is newer", 12 + 2, 99, false},
		{"the first copy is newer", 11, 99, false},
		{"never written", -1, 0, false},
		{"half a salt", 8, 0, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			page := make([]byte, os.Getpagesize())
			if tt.word >= 0 {
				copy(page, header)
				binary.NativeEndian.PutUint32(page[4*tt.word:], tt.to)
				if tt.word == 8 {
					binary.NativeEndian.PutUint32(page[4*(12+8):], tt.to)
				}
			}
			path := filepath.Join(t.TempDir(), "x.db")
			if err := os.WriteFile(path+"-shm", page, 0o600); err != nil {
				t.Fatal(err)
			}
			x, err := walindex.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			if _, ok := x.Read(); ok != tt.ok {
				t.Errorf("header: %v, want %v", ok, tt.ok)
			}
		})
	}
}

// TestOpenFails opens files that are not a WAL-index.
func TestOpenFails(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	if _, err := walindex.Open(path); err == nil {
		t.Error("a file that does not exist was opened")
	}
	if err := os.WriteFile(path+"-shm", make([]byte, 100), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := walindex.Open(path); err == nil {
		t.Error("a file that is too small was opened")
	}
}

// TestEmptyLog reads the header of a log that is empty: each recovery makes the same one, so
// that it says nothing of the database.
func TestEmptyLog(t *testing.T) {
	path, conn := mustOpen(t)
	mustExec(t, conn, `PRAGMA wal_checkpoint(TRUNCATE)`)
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		again := mustConnect(t, path)
		mustExec(t, again, `SELECT count(*) FROM t`)
		x, err := walindex.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		zeroHeader(t, path)
		mustExec(t, again, `SELECT count(*) FROM t`)
		if h, ok := x.Read(); ok {
			t.Errorf("the header of an empty log: %v", h)
		}
		mustExec(t, again, `INSERT INTO t VALUES (1)`)
		mustRead(t, x)
		mustExec(t, again, `PRAGMA wal_checkpoint(TRUNCATE)`)
	}
}

// zeroHeader has another process overwrite the WAL-index, so that SQLite rebuilds it. This
// one can't: closing the file would release SQLite's locks.
func zeroHeader(t *testing.T, database string) {
	t.Helper()
	if out, err := exec.Command("dd", "if=/dev/zero", "of="+database+"-shm", "bs=136", "count=1", "conv=notrunc").CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
}

// TestIntact truncates and removes an index that nobody else has mapped. A truncated one
// must not end the process.
func TestIntact(t *testing.T) {
	for _, tt := range []struct {
		name   string
		damage func(path string) error
		intact bool
		ok     bool
	}{
		{"nothing", func(string) error { return nil }, true, true},
		{"longer", func(path string) error { return os.Truncate(path, 65536) }, true, true},
		{"longer, then as it was", func(path string) error { return os.Truncate(path, 32768) }, false, true},
		{"shorter", func(path string) error { return os.Truncate(path, 8192) }, false, true},
		{"removed", os.Remove, false, true},
		{"empty", func(path string) error { return os.Truncate(path, 0) }, false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			header := make([]byte, 32768)
			for i := range 24 {
				binary.NativeEndian.PutUint32(header[4*i:], uint32(1+i%12)) // the same twice
			}
			path := filepath.Join(t.TempDir(), "x.db")
			if err := os.WriteFile(path+"-shm", header, 0o600); err != nil {
				t.Fatal(err)
			}
			x, err := walindex.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			if strings.HasPrefix(tt.name, "longer, then") {
				if err := os.Truncate(path+"-shm", 65536); err != nil || !x.Intact() {
					t.Fatal("it has grown", err)
				}
			}
			if err := tt.damage(path + "-shm"); err != nil {
				t.Fatal(err)
			}
			if _, ok := x.Read(); ok != tt.ok {
				t.Errorf("header: %v, want %v", ok, tt.ok)
			}
			if intact := x.Intact(); intact != tt.intact {
				t.Errorf("intact: %v, want %v", intact, tt.intact)
			}
		})
	}
}

// TestIntactWhileGrowing checks that an index that SQLite makes larger meanwhile is not
// taken for one that was truncated.
func TestIntactWhileGrowing(t *testing.T) {
	path, _ := mustOpen(t)
	x, err := walindex.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	var callers sync.WaitGroup
	grown := make(chan struct{})
	for range 4 {
		callers.Go(func() {
			for {
				select {
				case <-grown:
					return
				default:
				}
				if !x.Intact() {
					t.Error("an index that grew counts as truncated")
					return
				}
			}
		})
	}
	for size := int64(1 << 16); size < 64<<20; size += 1 << 15 {
		if err := os.Truncate(path+"-shm", size); err != nil {
			t.Fatal(err)
		}
	}
	close(grown)
	callers.Wait()
}
