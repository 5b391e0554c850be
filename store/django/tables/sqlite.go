package tables

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"modernc.org/sqlite" // also the driver "sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// sqliteFile is the dialect of a SQLite file.
type sqliteFile struct {
	// retried is set if the caller retries when the file is locked. SQLite's own
	// retries back off for so long that it may miss, for seconds, the gaps of a file in
	// constant use.
	retried bool
	// unshared is set if no other program has the file open.
	unshared *unshared
}

func (f sqliteFile) open(path string, readOnly bool) (*sql.DB, error) {
	options := "_pragma=busy_timeout(10000)&_error_rc=1"
	if f.retried {
		options = "_pragma=busy_timeout(0)&_error_rc=1"
	}
	// EXTRA: with Django's journal, a commit is that this file is gone, which FULL leaves to the folder's next sync.
	mode := "&mode=rw&_txlock=immediate&_pragma=foreign_keys(1)&_pragma=synchronous(EXTRA)"
	if readOnly {
		mode = "&mode=ro&_pragma=query_only(1)"
	}
	dsn := (&url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: options + mode}).String()
	if readOnly && f.unshared != nil {
		return f.unshared.open(dsn), nil
	}
	return sql.Open("sqlite", dsn)
}

// rollBack undoes what a process that was killed, or a power cut, has left half done in a file that is to be written to:
// who only reads it can't.
func rollBack(ctx context.Context, path string) (err error) {
	if _, err := os.Lstat(path + "-journal"); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	db, err := sqliteFile{}.open(path, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	for began := time.Now(); ; time.Sleep(rollBackRetry) {
		var objects int
		err = db.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_schema`).Scan(&objects) // which does it
		if !IsLocked(err) || ctx.Err() != nil {
			return err
		}
		if time.Since(began) > rollBackWait {
			return nil // somebody is writing, and will be done with it
		}
	}
}

// rollBack tries again for so long, and so often: SQLite itself does not wait for who has just begun to write.
const (
	rollBackWait  = 5 * time.Second
	rollBackRetry = 2 * time.Millisecond
)

func (sqliteFile) identity(path string) string { return "sqlite:" + path }

func (sqliteFile) begin(ctx context.Context, db *sql.DB) (*sql.Tx, error) {
	return db.BeginTx(ctx, nil)
}

func (sqliteFile) beginWriting(context.Context, *sql.Tx) error { return nil }

func (sqliteFile) catalogue(ctx context.Context, q queryer) (c catalogue, err error) {
	var r catalogueRows
	const of = ` FROM sqlite_schema t, pragma_table_list(t.name) l WHERE t.type IN ('table', 'view') AND l.schema = 'main' AND t.name NOT LIKE 'sqlite\_%' ESCAPE '\'`
	for _, read := range []struct {
		rows  *[][]string
		query string
	}{
		{&r.tables, `SELECT '', t.name, t.type = 'view', 0, l.wr` + of + ` ORDER BY t.name`},
		{&r.columns, `SELECT '', t.name, c.name, c.type, c."notnull" = 0 AND NOT (c.pk > 0 AND lower(c.type) = 'integer'),
			c.dflt_value IS NOT NULL OR c.pk > 0 AND lower(c.type) = 'integer', c.hidden > 1,
			EXISTS (SELECT 1 FROM pragma_index_list(t.name) i, pragma_index_xinfo(i.name) x WHERE x.name = c.name AND x.coll = 'NOCASE')
			FROM sqlite_schema t, pragma_table_xinfo(t.name) c WHERE t.type IN ('table', 'view') ORDER BY t.name, c.cid`},
		{&r.keys, `SELECT '', t.name, c.name FROM sqlite_schema t, pragma_table_info(t.name) c WHERE t.type = 'table' AND c.pk > 0 ORDER BY t.name, c.pk`},
		{&r.unique, `SELECT '', t.name, i.name, x.name FROM sqlite_schema t, pragma_index_list(t.name) i, pragma_index_info(i.name) x
			WHERE t.type = 'table' AND i."unique" = 1 AND i.partial = 0 AND i.origin <> 'pk' AND x.name IS NOT NULL ORDER BY t.name, i.name, x.seqno`},
		{&r.references, `SELECT '', t.name, f.id, f."from", '', f."table", f."to" FROM sqlite_schema t, pragma_foreign_key_list(t.name) f
			WHERE t.type = 'table' ORDER BY t.name, f.id, f.seq`},
	} {
		if *read.rows, err = textRows(ctx, q, read.query); err != nil {
			return c, err
		}
	}
	return r.catalogue(nil), nil
}

func (sqliteFile) Quote(name string) string { return quote(name) }

// TextExpr casts every column alike: in SQLite, types belong to values.
func (sqliteFile) TextExpr(_ Column, quoted string) string { return "CAST(" + quoted + " AS TEXT)" }
func (sqliteFile) Placeholder(int) string                  { return "?" }

func (sqliteFile) rowID(t Table) string {
	if t.View || t.NoRowID || t.Base != nil {
		return ""
	}
	for _, name := range []string{"rowid", "_rowid_", "oid"} {
		if !slices.ContainsFunc(t.Columns, func(c Column) bool { return strings.EqualFold(c.Name, name) }) {
			return name
		}
	}
	return ""
}

// Encode formats values as django/db/backends/sqlite3/operations.py does.
func (sqliteFile) Encode(v any, zone *time.Location) any {
	switch v := v.(type) {
	case time.Time:
		return v.In(zone).Format("2006-01-02 15:04:05.999999")
	case bool:
		if v {
			return 1
		}
		return 0
	}
	return v
}

// moveIDs has nothing to move: AUTOINCREMENT does.
func (sqliteFile) moveIDs(ctx context.Context, tx *sql.Tx, t Table, _ string) (given int64, err error) {
	var counted bool
	if err = tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_sequence')`).Scan(&counted); err != nil || !counted {
		return 0, err
	}
	err = tx.QueryRowContext(ctx, `SELECT ifnull(max(seq), 0) FROM sqlite_sequence WHERE name = ?`, t.Name).Scan(&given)
	return given, err
}

// A transaction that writes to SQLite holds the file's only lock from its beginning.
func (sqliteFile) LockUsers() string  { return "" }
func (sqliteFile) LockTokens() string { return "" }
func (sqliteFile) SerialType() string { return "INTEGER PRIMARY KEY AUTOINCREMENT" }

// sqliteCode returns SQLite's extended result code of err.
func sqliteCode(err error) int {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return e.Code()
	}
	return sqlite3.SQLITE_OK
}

func (sqliteFile) IsDuplicate(err error) bool {
	return sqliteCode(err) == sqlite3.SQLITE_CONSTRAINT_UNIQUE
}

// IsLocked reports whether err is due to another connection's lock on a SQLite file, so
// that a retry may succeed.
func IsLocked(err error) bool { return sqliteCode(err)&0xff == sqlite3.SQLITE_BUSY }

// IsFull reports whether err means that there is no room for a row in a SQLite file.
func IsFull(err error) bool { return sqliteCode(err)&0xff == sqlite3.SQLITE_FULL }

// IsUnavailable reports whether err means that a SQLite file can't be used now.
func IsUnavailable(err error) bool {
	return slices.Contains([]int{
		sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR,
		sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_NOMEM,
	}, sqliteCode(err)&0xff)
}

func (sqliteFile) advise(err error) error {
	switch code := sqliteCode(err); {
	case code == sqlite3.SQLITE_READONLY_ROLLBACK:
		return fmt.Errorf("%w: a program that crashed has left a file beside it whose name ends in -journal, and a source is only read: "+
			"copy both to another folder, let sqlite3 COPY .tables undo there what was not committed, and give the copy", err)
	case code&0xff == sqlite3.SQLITE_CANTOPEN:
		return fmt.Errorf("%w: if its folder is read-only and there is a file whose name ends in -wal, copy both to another folder", err)
	}
	return err
}

// quote quotes an identifier as in standard SQL.
func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }
