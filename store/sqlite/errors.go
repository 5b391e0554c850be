package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/authcompat/authcompat/core"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// code gives SQLite's extended result code (https://sqlite.org/rescode.html) of
// the error in err's chain, or SQLITE_OK if there is none.
func code(err error) int {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return e.Code()
	}
	return sqlite3.SQLITE_OK
}

// primary is the part of an extended result code that says its kind.
func primary(code int) int { return code & 0xff }

// locked tells whether err comes of a lock that another connection holds, so
// that the same step may go through later.
func locked(err error) bool { return primary(code(err)) == sqlite3.SQLITE_BUSY }

// duplicate tells whether err is the breach of a UNIQUE constraint.
func duplicate(err error) bool { return code(err) == sqlite3.SQLITE_CONSTRAINT_UNIQUE }

// unavailable tells whether err says that the database can't serve now, rather
// than that the statement or a row is wrong.
func unavailable(err error) bool {
	switch primary(code(err)) {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL,
		sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL,
		sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_NOMEM:
		return true
	default:
		return false
	}
}

// cutShort tells whether err only says that the step's context ended.
func cutShort(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) ||
		errors.Is(err, sql.ErrTxDone) || primary(code(err)) == sqlite3.SQLITE_INTERRUPT
}

// explain turns the error of a step that was called with ctx, and was allowed
// to wait so long, into the one that [core.Store] names.
func explain(ctx context.Context, wait time.Duration, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil && (cutShort(err) || locked(err)):
		return ctx.Err()
	case cutShort(err):
		return fmt.Errorf("%w: not done within %v", core.ErrUnavailable, wait)
	case unavailable(err):
		return fmt.Errorf("%w: %w", core.ErrUnavailable, err)
	default:
		return err
	}
}
