package pgconn

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"

	"github.com/authcompat/authcompat/store/internal/pgframes"
	"github.com/lib/pq"
)

// errGarbled is in the error of a connection on which the server, or what is between, has said something that is not the
// protocol, or no answer to what was asked: what comes next on it may be the answer to another question.
var errGarbled = errors.New("what came from the server can't be read")

// guarded is lib/pq's connection, which goes on after messages that it can't read, with the next answer to whoever asks next,
// and panics at some of them. Here, it is not used again.
type guarded struct {
	pqConn
	garbled bool
	rows    guardedRows // of the only query under way
}

// check ends a call of lib/pq, of which an error that is not the server's own, or a panic, is the end of the connection.
func (g *guarded) check(err *error) { g.end(err, recover()) }

// checkRows is check for what returns io.EOF at the end of rows.
func (g *guarded) checkRows(err *error) {
	if panicked := recover(); panicked != nil || !errors.Is(*err, io.EOF) {
		g.end(err, panicked)
	}
}

func (g *guarded) end(err *error, panicked any) {
	if panicked != nil {
		*err = pgframes.ErrMalformed
	}
	switch {
	case *err == nil, pq.As(*err) != nil, errors.Is(*err, pq.ErrInFailedTransaction):
		return
	case classify(*err) == permanent:
		*err = fmt.Errorf("%w: %w", errGarbled, *err)
	}
	g.garbled = true
}

// IsValid implements driver.Validator.
func (g *guarded) IsValid() bool { return !g.garbled && g.pqConn.IsValid() }

// QueryContext implements driver.QueryerContext.
func (g *guarded) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (rows driver.Rows, err error) {
	defer g.check(&err)
	return g.guard(g.pqConn.QueryContext(ctx, query, args))
}

// guard returns the rows of a query, which are closed before the next one.
func (g *guarded) guard(rows driver.Rows, err error) (driver.Rows, error) {
	if err != nil {
		return nil, err
	}
	g.rows = guardedRows{rows, g}
	return &g.rows, nil
}

// ExecContext implements driver.ExecerContext.
func (g *guarded) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (result driver.Result, err error) {
	defer g.check(&err)
	return g.pqConn.ExecContext(ctx, query, args)
}

// Prepare implements driver.Conn.
func (g *guarded) Prepare(query string) (statement driver.Stmt, err error) {
	defer g.check(&err)
	if statement, err = g.pqConn.Prepare(query); err != nil {
		return nil, err
	}
	if of, ok := statement.(contextStatement); ok {
		return guardedStatement{of, g}, nil
	}
	return statement, nil // COPY
}

// contextStatement has the interfaces that lib/pq's statements implement.
type contextStatement interface {
	driver.Stmt
	driver.StmtQueryContext
	driver.StmtExecContext
}

// Commit implements driver.Tx.
func (g *guarded) Commit() (err error) {
	defer g.check(&err)
	return g.pqConn.Commit()
}

// Rollback implements driver.Tx. A connection that is over is not asked.
func (g *guarded) Rollback() (err error) {
	if g.garbled {
		return driver.ErrBadConn
	}
	defer g.check(&err)
	return g.pqConn.Rollback()
}

// Close implements driver.Conn.
func (g *guarded) Close() (err error) {
	defer g.check(&err)
	return g.pqConn.Close()
}

// guardedStatement is a statement of lib/pq's.
type guardedStatement struct {
	contextStatement
	g *guarded
}

// QueryContext implements driver.StmtQueryContext.
func (s guardedStatement) QueryContext(ctx context.Context, args []driver.NamedValue) (rows driver.Rows, err error) {
	defer s.g.check(&err)
	return s.g.guard(s.contextStatement.QueryContext(ctx, args))
}

// ExecContext implements driver.StmtExecContext.
func (s guardedStatement) ExecContext(ctx context.Context, args []driver.NamedValue) (result driver.Result, err error) {
	defer s.g.check(&err)
	return s.contextStatement.ExecContext(ctx, args)
}

// Close implements driver.Stmt.
func (s guardedStatement) Close() (err error) {
	defer s.g.check(&err)
	return s.contextStatement.Close()
}

// guardedRows are rows of lib/pq's.
type guardedRows struct {
	driver.Rows
	g *guarded
}

// Next implements driver.Rows.
func (r *guardedRows) Next(values []driver.Value) (err error) {
	defer r.g.checkRows(&err)
	return r.Rows.Next(values)
}

// Close implements driver.Rows.
func (r *guardedRows) Close() (err error) {
	defer r.g.check(&err)
	return r.Rows.Close()
}

// HasNextResultSet implements driver.RowsNextResultSet.
func (r *guardedRows) HasNextResultSet() bool {
	more, ok := r.Rows.(driver.RowsNextResultSet)
	return ok && more.HasNextResultSet()
}

// NextResultSet implements driver.RowsNextResultSet.
func (r *guardedRows) NextResultSet() (err error) {
	more, ok := r.Rows.(driver.RowsNextResultSet)
	if !ok {
		return io.EOF
	}
	defer r.g.checkRows(&err)
	return more.NextResultSet()
}
