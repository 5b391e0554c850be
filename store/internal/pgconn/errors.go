package pgconn

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/authcompat/authcompat/core"
	"github.com/lib/pq"
	"github.com/lib/pq/pqerror"
)

// ErrAmbiguousCommit says that it is unknown whether a transaction was committed, or
// whether the commit would survive the loss of the primary.
var ErrAmbiguousCommit = errors.New("the outcome of the commit is unknown")

// ErrConflict says that another transaction has inserted the same row meanwhile.
var ErrConflict = errors.New("another transaction was in the way")

// ErrEncoding says that a text is none in the database's encoding. It takes the place of
// PostgreSQL's error, which shows bytes of the text.
var ErrEncoding = errors.New("a text has characters that the database's encoding does not have")

// errReadOnly says that the server has become read-only.
var errReadOnly = errors.New("the server is read-only")

// errBroken replaces a statement's driver.ErrBadConn, which would make database/sql
// itself retry the statement, at once and repeatedly.
var errBroken = errors.New("the connection is broken")

// kind classifies an error by what it means for the call.
type kind int

const (
	permanent   kind = iota // the statement, a row or the caller is wrong
	conflict                // with another transaction: to be retried
	lost                    // the server is gone, or can't be written to any more
	unreachable             // no connection could be opened
	busy                    // the server can't do it now, or not for this role
)

// classify returns the kind of a database error.
func classify(err error) kind {
	if err == nil {
		return permanent
	}
	var connecting *connectError
	if errors.As(err, &connecting) {
		return unreachable
	}
	if errors.Is(err, ErrConflict) {
		return conflict
	}
	if e := pq.As(err); e != nil {
		return classifyCode(e.Code)
	}
	var network net.Error
	switch {
	case errors.Is(err, errReadOnly), errors.Is(err, errBroken), errors.Is(err, errGarbled), errors.Is(err, driver.ErrBadConn), errors.Is(err, sql.ErrConnDone),
		errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.As(err, &network):
		return lost
	default:
		return permanent
	}
}

// classifyCode returns the kind of an error that the server sent
// (https://www.postgresql.org/docs/15/errcodes-appendix.html).
func classifyCode(code pqerror.Code) kind {
	switch code {
	case pqerror.TRSerializationFailure, pqerror.TRDeadlockDetected:
		return conflict
	case pqerror.ReadOnlySQLTransaction, pqerror.AdminShutdown, pqerror.CrashShutdown, pqerror.CannotConnectNow,
		pqerror.IdleInTransactionSessionTimeout, pqerror.IdleSessionTimeout, pqerror.TransactionTimeout, pqerror.DatabaseDropped:
		return lost
	case pqerror.QueryCanceled, pqerror.LockNotAvailable, pqerror.SequenceGeneratorLimitExceeded, pqerror.InsufficientPrivilege:
		return busy
	}
	switch code.Class() {
	case pqerror.ClassConnectionException:
		return lost
	case pqerror.ClassInsufficientResources, pqerror.ClassSystemError:
		return busy
	default:
		return permanent
	}
}

// refusedCommit reports whether the server said that it did not commit.
func refusedCommit(err error) bool {
	if errors.Is(err, pq.ErrInFailedTransaction) {
		return true
	}
	e := pq.As(err)
	return e != nil && (e.Code.Class() == pqerror.ClassIntegrityConstraintViolation ||
		e.Code == pqerror.TRSerializationFailure || e.Code == pqerror.TRDeadlockDetected)
}

// IsDuplicate reports whether err is a violation of the named UNIQUE constraint, or of any
// if the name is empty.
func IsDuplicate(err error, constraint string) bool {
	e := pq.As(err, pqerror.UniqueViolation)
	return e != nil && (constraint == "" || e.Constraint == constraint)
}

// Explain converts the error of a call with ctx to one that [core.Store] specifies.
func Explain(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, core.ErrUnavailable):
		return err
	case errors.Is(err, ErrAmbiguousCommit):
		return fmt.Errorf("%w: %w", core.ErrUnavailable, err)
	case classify(err) == permanent && pq.As(err, pqerror.CharacterNotInRepertoire, pqerror.UntranslatableCharacter) != nil:
		return ErrEncoding
	case classify(err) == permanent:
		return err
	case ctx.Err() != nil:
		return ctx.Err()
	default:
		return fmt.Errorf("%w: %w", core.ErrUnavailable, err)
	}
}
