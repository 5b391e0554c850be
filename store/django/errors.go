package django

import (
	"database/sql/driver"
	"errors"
	"net"
	"slices"

	"github.com/lib/pq"
	"github.com/lib/pq/pqerror"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// A transaction that writes to SQLite has the file's one lock from its beginning.
func (sqliteFile) lockUsers() string  { return "" }
func (sqliteFile) lockTokens() string { return "" }
func (sqliteFile) lockRows() string   { return "" }
func (sqliteFile) serial() string     { return "INTEGER PRIMARY KEY AUTOINCREMENT" }

// sqliteCode gives SQLite's extended result code of err.
func sqliteCode(err error) int {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return e.Code()
	}
	return sqlite3.SQLITE_OK
}

func (sqliteFile) duplicate(err error) bool {
	return sqliteCode(err) == sqlite3.SQLITE_CONSTRAINT_UNIQUE
}

func (sqliteFile) locked(err error) bool { return sqliteCode(err)&0xff == sqlite3.SQLITE_BUSY }

func (sqliteFile) unavailable(err error) bool {
	return slices.Contains([]int{
		sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR,
		sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_NOMEM,
	}, sqliteCode(err)&0xff)
}

func (postgres) lockUsers() string  { return ` FOR UPDATE OF "users"` }
func (postgres) lockTokens() string { return " FOR UPDATE OF k" }
func (postgres) lockRows() string   { return " FOR UPDATE" }
func (postgres) serial() string     { return "BIGSERIAL PRIMARY KEY" }

func (postgres) duplicate(err error) bool { return pq.As(err, pqerror.UniqueViolation) != nil }

func (postgres) locked(err error) bool {
	return pq.As(err, pqerror.TRSerializationFailure, pqerror.TRDeadlockDetected) != nil
}

func (postgres) unavailable(err error) bool {
	var network net.Error
	if errors.As(err, &network) || errors.Is(err, driver.ErrBadConn) {
		return true
	}
	var e *pq.Error
	if !errors.As(err, &e) {
		return false
	}
	// Connection, transaction rollback, resources, operator's intervention,
	// system: https://www.postgresql.org/docs/15/errcodes-appendix.html
	return slices.Contains([]string{"08", "25", "40", "53", "57", "58"}, string(e.Code)[:2])
}
