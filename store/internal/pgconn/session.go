package pgconn

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/authcompat/authcompat/store/internal/driverrow"
	"github.com/authcompat/authcompat/store/internal/pgdurability"
	"github.com/authcompat/authcompat/store/internal/pgframes"
	"github.com/lib/pq"
	"github.com/lib/pq/pqerror"
)

// deadlineContext has a deadline, which the session sets on its socket, and is never
// canceled: a context that can be canceled makes lib/pq send the server a cancel
// request.
type deadlineContext struct {
	context.Context
	deadline time.Time
}

func (c deadlineContext) Deadline() (time.Time, bool) { return c.deadline, true }
func (c deadlineContext) Done() <-chan struct{}       { return nil }
func (c deadlineContext) Err() error                  { return nil }

// DeadlineOnly returns a context for statements that must finish by the deadline.
func DeadlineOnly(deadline time.Time) context.Context {
	return deadlineContext{Context: context.Background(), deadline: deadline}
}

// dialer opens the socket of one connection and keeps a reference to it.
type dialer struct {
	deadline time.Time
	socket   net.Conn
}

// socket is a connection whose deadline lib/pq can't change.
type socket struct{ net.Conn }

func (socket) SetDeadline(time.Time) error { return nil }

// DialContext implements pq.DialerContext.
func (d *dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	nd := net.Dialer{Control: noticeDeadPath}
	conn, err := nd.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	d.socket = conn
	return socket{pgframes.Limit(conn)}, conn.SetDeadline(d.deadline)
}

// Dial implements pq.Dialer.
func (d *dialer) Dial(network, address string) (net.Conn, error) {
	return d.DialContext(context.Background(), network, address)
}

// DialTimeout implements pq.Dialer.
func (d *dialer) DialTimeout(network, address string, _ time.Duration) (net.Conn, error) {
	return d.DialContext(context.Background(), network, address)
}

// pqConn has the interfaces that lib/pq's connections implement.
type pqConn interface {
	driver.Conn
	driver.Tx
	driver.ExecerContext
	driver.QueryerContext
	driver.NamedValueChecker
	driver.Validator
}

// session is a connection that ends each statement at its context's deadline,
// whatever the network does. It is not used again once its epoch is over.
type session struct {
	pqConn
	socket   net.Conn
	deadline time.Time // of the socket
	server   server
	epoch    *connEpoch
	opened   int64             // the epoch in which it was opened
	inTx     bool              // between BeginTx and its end
	warned   bool              // by a notice since the last COMMIT was sent
	lookups  map[string]lookup // by text
	prepared map[string]bool   // the look-ups prepared through this connection
	row      driverrow.Row     // of LookUp

	poolerChecked bool
	direct        bool                   // there is no pooler in front of the server
	statements    map[string]driver.Stmt // lib/pq's, of a direct connection
}

// timerSlack is how long after its deadline a statement may be interrupted. It saves a
// timer for each statement.
const timerSlack = 20 * time.Millisecond

// setDeadline sets the deadline for what follows on the socket.
func (s *session) setDeadline(ctx context.Context) {
	deadline, ok := ctx.Deadline()
	if ok {
		if over := s.deadline.Sub(deadline); over >= 0 && over < timerSlack {
			return
		}
		deadline = deadline.Add(timerSlack)
	}
	s.deadline = deadline              // zero means none
	_ = s.socket.SetDeadline(deadline) // fails only if the next use does
}

// report invalidates the connection, and all that were opened before it, if err says
// that the server can't be used through it. One that was garbled is over by itself.
func (s *session) report(err error) {
	if classify(err) == lost && !errors.Is(err, errGarbled) {
		s.epoch.invalidate(s.opened)
	}
}

// checkError reports the error of a statement and returns the one for database/sql.
func (s *session) checkError(err error) error {
	s.report(err)
	if errors.Is(err, driver.ErrBadConn) {
		return errBroken
	}
	return err
}

// QueryContext implements driver.QueryerContext.
func (s *session) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	s.setDeadline(ctx)
	rows, err := s.query(query, args)
	return rows, s.checkError(err)
}

// ExecContext implements driver.ExecerContext.
func (s *session) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	s.setDeadline(ctx)
	result, err := s.pqConn.ExecContext(context.Background(), query, args)
	return result, s.checkError(err)
}

// BeginTx implements driver.ConnBeginTx. It keeps the database's isolation level and
// access mode, while lib/pq would request READ WRITE even if an operator has set
// default_transaction_read_only. The server itself ends a statement that waits too long
// for locks, before the socket's deadline, and a transaction whose client has stopped
// in the middle.
func (s *session) BeginTx(ctx context.Context, _ driver.TxOptions) (driver.Tx, error) {
	begin := "BEGIN; " + showWarnings
	if deadline, ok := ctx.Deadline(); ok {
		left := max(time.Until(deadline).Milliseconds(), 4)
		begin += fmt.Sprintf("; SET LOCAL statement_timeout = %d; SET LOCAL idle_in_transaction_session_timeout = %d", left*3/4, left*2)
	}
	async, err := s.beginTransaction(ctx, begin+"; "+pgdurability.ShowCommit+"; "+showReadOnly)
	if err != nil {
		return nil, s.checkError(err)
	}
	s.inTx = true
	if async {
		if _, err := s.ExecContext(ctx, pgdurability.SyncCommit, nil); err != nil {
			return nil, err
		}
	}
	return transaction{s}, nil
}

// showWarnings has the server send warnings, whatever it is told to keep from clients: at a COMMIT, one
// means that the commit is not on the standby.
const showWarnings = "SET LOCAL client_min_messages = warning"

// showReadOnly shows whether a transaction can write. What one that can't would read, on a standby behind a pooler,
// may not be so any more.
const showReadOnly = "SHOW transaction_read_only"

// beginTransaction runs statements of which the last are [pgdurability.ShowCommit] and showReadOnly, and tells whether
// commits are acknowledged before they are on disk. It fails with errReadOnly if nothing can be written. Each transaction asks, since
// the server's setting may change at any time, for connections that are open too; and by SHOW, since a query would take the
// transaction's snapshot.
func (s *session) beginTransaction(ctx context.Context, statements string) (async bool, err error) {
	s.setDeadline(ctx)
	rows, err := s.pqConn.QueryContext(context.Background(), statements, nil)
	if err != nil {
		return false, err
	}
	defer rows.Close()
	commit, err := shown(rows)
	if err != nil {
		return false, err
	}
	more, ok := rows.(driver.RowsNextResultSet)
	if !ok || !more.HasNextResultSet() {
		return false, errors.New("read settings: a result is missing")
	}
	if err := more.NextResultSet(); err != nil {
		return false, fmt.Errorf("read settings: %w", err)
	}
	readOnly, err := shown(rows)
	if err == nil && readOnly != "off" {
		err = errReadOnly
	}
	return commit == pgdurability.Async, err
}

// shown reads the result of a SHOW to its end.
func shown(rows driver.Rows) (string, error) {
	value, after := make([]driver.Value, 1), make([]driver.Value, 1)
	if err := rows.Next(value); err != nil {
		return "", fmt.Errorf("read settings: %w", err)
	}
	if err := rows.Next(after); !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("read settings: %w", err)
	}
	return fmt.Sprintf("%s", value[0]), nil
}

// transaction is a driver.Tx.
type transaction struct{ s *session }

// Commit implements driver.Tx. It fails with ErrAmbiguousCommit if it is unknown
// whether the transaction is committed, or whether it is on the standby too. It has as much time as its
// server takes: one that waits for a standby goes on with that when its client has left, and each that was
// given up would keep one of the server's connections until there is none for anybody.
func (t transaction) Commit() error {
	t.s.setDeadline(context.Background())
	t.s.warned = false
	t.s.epoch.beginCommit(t.s)
	err := t.s.pqConn.Commit()
	t.s.inTx = false
	t.s.epoch.endCommit(t.s)
	switch {
	case err == nil && !t.s.warned:
		return nil
	case err == nil:
		return fmt.Errorf("%w: the server warned", ErrAmbiguousCommit)
	case refusedCommit(err):
		return err
	default:
		t.s.report(err)
		return fmt.Errorf("%w: %w", ErrAmbiguousCommit, err)
	}
}

// Rollback implements driver.Tx.
func (t transaction) Rollback() error {
	t.s.inTx = false
	return t.s.pqConn.Rollback()
}

// notice receives the server's notices. A warning at a COMMIT means that the wait for a
// synchronous standby was cancelled (PostgreSQL 15, src/backend/replication/syncrep.c,
// SyncRepWaitForLSN).
func (s *session) notice(n *pq.Error) {
	if n.Severity == pqerror.SeverityWarning {
		s.warned = true
	}
}

// ResetSession implements driver.SessionResetter.
func (s *session) ResetSession(context.Context) error {
	if !s.IsValid() {
		return driver.ErrBadConn
	}
	s.inTx = false
	return nil
}

// IsValid implements driver.Validator.
func (s *session) IsValid() bool {
	return s.opened == s.epoch.current.Load() && s.pqConn.IsValid()
}

// Close implements driver.Conn.
func (s *session) Close() error {
	_ = s.socket.SetDeadline(time.Now().Add(time.Second)) // lib/pq sends Terminate first
	return s.pqConn.Close()
}
