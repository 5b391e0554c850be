package pinned_test

import (
	"database/sql"
	"database/sql/driver"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/authcompat/authcompat/store/internal/driverrow"
	"github.com/authcompat/authcompat/store/sqlite/pinned"
	_ "modernc.org/sqlite"
)

// mustOpen returns a database with a table t of numbers n and texts x, and its DSN.
func mustOpen(t *testing.T) (db *sql.DB, dsn string) {
	t.Helper()
	dsn = "file:" + filepath.Join(t.TempDir(), "x.db")
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if _, err := db.Exec(`CREATE TABLE t (n INTEGER PRIMARY KEY, x); INSERT INTO t VALUES (1, 'one'), (2, NULL), (3, x'33')`); err != nil {
		t.Fatal(err)
	}
	return db, dsn
}

const query = `SELECT n, x FROM t WHERE n = ?`

func number(n int64) []driver.NamedValue { return []driver.NamedValue{{Ordinal: 1, Value: n}} }

func fine() error { return nil }

func TestRow(t *testing.T) {
	t.Parallel()
	db, dsn := mustOpen(t)
	s := pinned.New(db.Driver(), dsn, query, 1, fine)
	for n, want := range map[int64]sql.NullString{1: {String: "one", Valid: true}, 2: {}} {
		found, err := s.Row(number(n), func(r *driverrow.Row) error {
			if got, text := r.Integer(), r.NullText(); got != n || text != want {
				t.Errorf("row %d: %d, %v", n, got, text)
			}
			return r.Err()
		})
		if !found || err != nil {
			t.Errorf("row %d: %v, %v", n, found, err)
		}
	}
	found, err := s.Row(number(4), func(*driverrow.Row) error { t.Error("it is there"); return nil })
	if found || err != nil {
		t.Errorf("no row: %v, %v", found, err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if _, err := s.Row(number(1), nil); !errors.Is(err, pinned.ErrBusy) {
		t.Errorf("closed: %v", err)
	}
}

// TestConnectionsAreBounded reads rows within rows.
func TestConnectionsAreBounded(t *testing.T) {
	t.Parallel()
	db, dsn := mustOpen(t)
	opened := 0
	s := pinned.New(counting{db.Driver(), &opened}, dsn, query, 2, fine)
	for range 2 {
		_, err := s.Row(number(1), func(*driverrow.Row) error {
			_, err := s.Row(number(2), func(*driverrow.Row) error {
				if _, err := s.Row(number(3), nil); !errors.Is(err, pinned.ErrBusy) {
					t.Errorf("a third: %v", err)
				}
				return nil
			})
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
	if opened != 2 {
		t.Errorf("%d connections, want 2", opened)
	}
	wrong := errors.New("wrong")
	if _, err := s.Row(number(1), func(*driverrow.Row) error { return wrong }); !errors.Is(err, wrong) {
		t.Error(err)
	}
	for range 2 {
		if _, err := s.Row(number(1), func(*driverrow.Row) error {
			_, err := s.Row(number(2), func(*driverrow.Row) error { return nil })
			return err
		}); err != nil {
			t.Error(err)
		}
	}
	if opened != 3 {
		t.Errorf("%d connections, want one instead of that with an error", opened)
	}
	// One that is in use while the statement is closed is closed afterwards, and the log with the last one.
	if _, err := s.Row(number(1), func(*driverrow.Row) error { return s.Close() }); err != nil {
		t.Error(err)
	}
	if opened != 3 {
		t.Errorf("%d connections", opened)
	}
}

// counting is a driver whose connections are counted.
type counting struct {
	driver.Driver
	opened *int
}

func (c counting) Open(dsn string) (driver.Conn, error) {
	*c.opened++
	return c.Driver.Open(dsn)
}

// TestCheckedWhileOpening opens connections to a database that is another one by then.
func TestCheckedWhileOpening(t *testing.T) {
	t.Parallel()
	db, dsn := mustOpen(t)
	replaced := errors.New("replaced")
	for fails := range 2 {
		opened, checks := 0, 0
		s := pinned.New(counting{db.Driver(), &opened}, dsn, query, 1, func() error {
			checks++
			if checks > fails {
				return replaced
			}
			return nil
		})
		if _, err := s.Row(number(1), nil); !errors.Is(err, replaced) || opened != fails {
			t.Errorf("check %d fails: %v, %d connections", fails+1, err, opened)
		}
		if _, err := s.Row(number(1), nil); !errors.Is(err, pinned.ErrBusy) || opened != fails {
			t.Errorf("right after it: %v, %d connections", err, opened)
		}
	}
}

// TestLockedDatabase reads while another connection has the database for itself, without waiting, and once it has not.
func TestLockedDatabase(t *testing.T) {
	t.Parallel()
	db, dsn := mustOpen(t)
	s := pinned.New(db.Driver(), dsn, query, 1, fine)
	defer s.Close()
	read := func() error { _, err := s.Row(number(1), func(*driverrow.Row) error { return nil }); return err }
	if err := read(); err != nil {
		t.Fatal(err)
	}
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for _, locked := range []bool{true, false} {
		statement := `ROLLBACK`
		if locked {
			statement = `BEGIN EXCLUSIVE`
		}
		if _, err := conn.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
		err := read()
		if locked != (err != nil) || locked && !strings.Contains(err.Error(), "locked") {
			t.Errorf("locked %v: %v", locked, err)
		}
	}
}
