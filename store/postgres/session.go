package postgres

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lib/pq"
	"github.com/lib/pq/pqerror"
)

// unwatched is a context that nobody can end, with a deadline that the session
// sets on its socket. A context that can end would make lib/pq send the server a
// request to cancel.
type unwatched struct {
	context.Context
	deadline time.Time
}

func (u unwatched) Deadline() (time.Time, bool) { return u.deadline, true }
func (u unwatched) Done() <-chan struct{}       { return nil }
func (u unwatched) Err() error                  { return nil }

// until gives a context for statements that must be done by then.
func until(deadline time.Time) context.Context {
	return unwatched{Context: context.Background(), deadline: deadline}
}

// dialer opens the socket of one connection and keeps hold of it.
type dialer struct {
	deadline time.Time
	socket   net.Conn
}

// socket is a connection whose deadline lib/pq does not touch.
type socket struct{ net.Conn }

func (socket) SetDeadline(time.Time) error { return nil }

// DialContext implements pq.DialerContext.
func (d *dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	var nd net.Dialer
	conn, err := nd.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	d.socket = conn
	return socket{conn}, conn.SetDeadline(d.deadline)
}

// Dial implements pq.Dialer.
func (d *dialer) Dial(network, address string) (net.Conn, error) {
	return d.DialContext(context.Background(), network, address)
}

// DialTimeout implements pq.Dialer.
func (d *dialer) DialTimeout(network, address string, _ time.Duration) (net.Conn, error) {
	return d.DialContext(context.Background(), network, address)
}

// pqConn is what lib/pq's connections are able to do.
type pqConn interface {
	driver.Conn
	driver.Tx
	driver.ExecerContext
	driver.QueryerContext
	driver.NamedValueChecker
	driver.Validator
}

// session is a connection that ends each statement at its context's deadline,
// whatever the network does, and knows when it is out of use.
type session struct {
	pqConn
	socket     net.Conn
	deadline   time.Time // of the socket
	link       *link
	generation int64
	warned     bool              // by a notice since the last COMMIT was sent
	lookups    map[string]lookup // by text
	prepared   map[string]bool   // which of them were prepared through this connection
	explored   bool
	straight   bool                   // no pooler is in the way
	statements map[string]driver.Stmt // lib/pq's, where that is so
}

// later is how much after its time a statement may be ended: that spares the
// runtime a timer for each.
const later = 20 * time.Millisecond

// bound sets the deadline for what follows.
func (s *session) bound(ctx context.Context) {
	deadline, ok := ctx.Deadline()
	if ok {
		if over := s.deadline.Sub(deadline); over >= 0 && over < later {
			return
		}
		deadline = deadline.Add(later)
	}
	s.deadline = deadline              // the zero time is none
	_ = s.socket.SetDeadline(deadline) // fails only where the next use does
}

// report takes the connection out of use, and all that were opened before it, if
// err says that the server can't be used through it.
func (s *session) report(err error) {
	if classify(err) == lost {
		s.link.drop(s.generation)
	}
}

// outcome reports the error of a statement and gives the one to return.
func (s *session) outcome(err error) error {
	s.report(err)
	if errors.Is(err, driver.ErrBadConn) {
		return errBroken
	}
	return err
}

// QueryContext implements driver.QueryerContext.
func (s *session) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	s.bound(ctx)
	rows, err := s.query(query, args)
	return rows, s.outcome(err)
}

// ExecContext implements driver.ExecerContext.
func (s *session) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	s.bound(ctx)
	result, err := s.pqConn.ExecContext(context.Background(), query, args)
	return result, s.outcome(err)
}

// BeginTx implements driver.ConnBeginTx, with the database's own isolation level
// and access mode: lib/pq's would ask for READ WRITE where an operator has set
// default_transaction_read_only. The server ends a statement that waits too long
// for others before the socket's deadline does, and a transaction whose node has
// stopped in the middle.
func (s *session) BeginTx(ctx context.Context, _ driver.TxOptions) (driver.Tx, error) {
	begin := "BEGIN"
	if deadline, ok := ctx.Deadline(); ok {
		left := max(time.Until(deadline).Milliseconds(), 4)
		begin = fmt.Sprintf("BEGIN; SET LOCAL statement_timeout = %d; SET LOCAL idle_in_transaction_session_timeout = %d", left*3/4, left*2)
	}
	if _, err := s.ExecContext(ctx, begin, nil); err != nil {
		return nil, err
	}
	return transaction{s}, nil
}

// holdCommit is how long a commit may take that nobody waits for any more.
const holdCommit = 30 * time.Second

// transaction is a driver.Tx.
type transaction struct{ s *session }

// Commit implements driver.Tx. It fails with errDoubt where it is not known
// whether the transaction is committed, and safely so.
func (t transaction) Commit() error {
	t.s.bound(until(time.Now().Add(holdCommit)))
	t.s.warned = false
	t.s.link.begin(t.s)
	err := t.s.pqConn.Commit()
	t.s.link.end(t.s)
	switch {
	case err == nil && !t.s.warned:
		return nil
	case err == nil:
		return fmt.Errorf("%w: the server warned", errDoubt)
	case refusedCommit(err):
		return err
	default:
		t.s.report(err)
		return fmt.Errorf("%w: %w", errDoubt, err)
	}
}

// Rollback implements driver.Tx.
func (t transaction) Rollback() error { return t.s.pqConn.Rollback() }

// notice hears what the server says beside its answers. A warning at a COMMIT is
// that the wait for a synchronous standby was cancelled (PostgreSQL 15,
// src/backend/replication/syncrep.c, SyncRepWaitForLSN).
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
	return nil
}

// IsValid implements driver.Validator.
func (s *session) IsValid() bool {
	return s.generation == s.link.generation.Load() && s.pqConn.IsValid()
}

// Close implements driver.Conn.
func (s *session) Close() error {
	_ = s.socket.SetDeadline(time.Now().Add(time.Second)) // it says goodbye first
	return s.pqConn.Close()
}

// link is what the connections of a store have in common: which of them are out
// of use, and which are committing.
type link struct {
	generation atomic.Int64 // of connections that are opened now
	mu         sync.Mutex
	committing map[*session]struct{}
}

func newLink() *link { return &link{committing: make(map[*session]struct{})} }

// lastCommits is how long the commits may still take that were under way when
// their connections went out of use.
const lastCommits = time.Second

// drop takes the connections of a generation out of use, and those before it.
func (l *link) drop(generation int64) {
	if !l.generation.CompareAndSwap(generation, generation+1) {
		return // another connection has reported it before
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for s := range l.committing {
		_ = s.socket.SetDeadline(time.Now().Add(lastCommits)) // fails only where the commit does
	}
}

// begin notes that the session commits.
func (l *link) begin(s *session) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.committing[s] = struct{}{}
}

// end notes that the session's commit is over.
func (l *link) end(s *session) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.committing, s)
}
