package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/jmoiron/sqlx"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// code returns SQLite's extended result code (https://sqlite.org/rescode.html) of
// the error in err's chain, or SQLITE_OK if there is none.
func code(err error) int {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return e.Code()
	}
	return sqlite3.SQLITE_OK
}

// primary returns the primary result code of an extended one.
func primary(code int) int { return code & 0xff }

// locked reports whether err is due to a lock that another connection holds, so that a
// retry may succeed.
func locked(err error) bool { return primary(code(err)) == sqlite3.SQLITE_BUSY }

// duplicate reports whether err is a violation of a UNIQUE constraint.
func duplicate(err error) bool { return code(err) == sqlite3.SQLITE_CONSTRAINT_UNIQUE }

// unavailable reports whether err means that the database can't serve requests now,
// rather than that the statement or a row is wrong.
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

// cutShort reports whether err only means that the call's context ended.
func cutShort(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) ||
		errors.Is(err, sql.ErrTxDone) || primary(code(err)) == sqlite3.SQLITE_INTERRUPT
}

// explain converts the error of a call with ctx and this timeout to one that
// [core.Store] specifies.
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

// explain is the function, which also notices damage, and that the connections were closed because
// the files were replaced.
func (s *Store) explain(ctx context.Context, wait time.Duration, err error) error {
	if broken := s.files.Broken(); err != nil && broken != nil {
		return broken
	}
	return s.damage.Explain(explain(ctx, wait, err))
}

// explainFull returns the error of an insert of a user. SQLite says that the disk is full,
// too, where a row has the last ID there is (https://sqlite.org/autoinc.html).
func explainFull(ctx context.Context, tx *sqlx.Tx, err error) error {
	if primary(code(err)) != sqlite3.SQLITE_FULL {
		return err
	}
	var last int64
	if read := tx.GetContext(ctx, &last, `SELECT seq FROM sqlite_sequence WHERE name = 'users'`); read != nil || last < math.MaxInt64 {
		return err
	}
	return fmt.Errorf("the last id that a user can have, %d, is or was in use, so that no user can be added: %w", last, err)
}

// orNotFound returns an error of a user's row, core.ErrNotFound if there is none.
func orNotFound(err error) error {
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return core.ErrNotFound
	case err != nil:
		return fmt.Errorf("select user: %w", err)
	}
	return nil
}
