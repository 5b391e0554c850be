package postgres

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/internal/pgdurability"
	"github.com/jmoiron/sqlx"
)

// Store is a [core.Store] on PostgreSQL. Its methods are safe for concurrent
// use.
type Store struct {
	db      *sqlx.DB
	wait    time.Duration
	conns   *connSemaphore // a slot for each connection
	writers *connSemaphore // a slot for each transaction
	prefix  string         // of table names: the schema and a dot, or empty

	findToken string // selectToken, qualified
}

// Backend returns the store with all the interfaces that it implements.
func (s *Store) Backend() core.Backend {
	return core.Backend{Store: s, RateLimiter: s, Auditor: s, Admin: s, Privacy: s, Warner: s, DatabaseClock: s, ExpiryBatcher: s}
}

// qualify replaces each @, which precedes table names, by the store's schema.
func (s *Store) qualify(statement string) string { return strings.ReplaceAll(statement, "@", s.prefix) }

// bulkTimeout is the timeout for work on many rows, such as a batch of an import or a
// count of all tokens.
const bulkTimeout = time.Minute

// withBulkTimeout returns the store with the timeout for work on many rows. No client's
// request uses it.
func (s *Store) withBulkTimeout() *Store {
	bulk := *s
	bulk.wait = max(s.wait, bulkTimeout)
	return &bulk
}

// Ping implements [core.Store]. It reads a table, and fails if the server is read-only.
func (s *Store) Ping(ctx context.Context) error {
	return s.read(ctx, func(ctx context.Context) error {
		conn, err := s.db.Connx(ctx)
		if err != nil {
			return err
		}
		defer conn.Close() // returns it to the pool
		var readOnly, users bool
		row := conn.QueryRowxContext(ctx, s.qualify(`SELECT current_setting('transaction_read_only') = 'on', EXISTS (SELECT 1 FROM @users)`))
		if err := row.Scan(&readOnly, &users); err != nil {
			return fmt.Errorf("ping: %w", err)
		}
		if readOnly {
			return errors.Join(errReadOnly, conn.Raw(func(c any) error {
				c.(*session).report(errReadOnly)
				return nil
			}))
		}
		return nil
	})
}

// Warnings implements [core.Warner].
func (s *Store) Warnings(ctx context.Context) (warnings []string, err error) {
	err = s.read(ctx, func(ctx context.Context) error {
		warnings, err = pgdurability.Warnings(func(query string, into ...any) error {
			return s.db.QueryRowContext(ctx, query).Scan(into...)
		})
		return err
	})
	return warnings, err
}

// Close implements [core.Store].
func (s *Store) Close() error { return s.db.Close() }

// read runs do, which only reads and runs one query at a time, and retries it if that
// may help.
func (s *Store) read(ctx context.Context, do func(context.Context) error) error {
	retry := newRetrier(s.wait)
	for {
		err := s.readOnce(ctx, retry.deadline, do)
		if !retry.shouldRetry(ctx, err) {
			return explain(ctx, err)
		}
	}
}

// readOnce runs do once. With a slot, a connection is available at once, or can be
// opened, so do needs no cancelable context: that would cost more than everything else
// here.
func (s *Store) readOnce(ctx context.Context, deadline time.Time, do func(context.Context) error) error {
	if err := s.conns.acquire(ctx, s.acquireDeadline(deadline)); err != nil {
		return err
	}
	defer s.conns.release()
	return do(deadlineOnly(deadline))
}

// acquireDeadline returns how long a call with this deadline may wait for a slot. The
// rest has to suffice for its statements: one that is interrupted invalidates all
// connections, and under overload each call would get its slot just before its
// deadline, since slots are assigned first come, first served.
func (s *Store) acquireDeadline(deadline time.Time) time.Time { return deadline.Add(-s.wait / 4) }

// txFunc is the body of a transaction. With retryAfterAmbiguous an earlier attempt may
// have been committed, so it first has to look for what that attempt would have
// written.
type txFunc func(ctx context.Context, tx *sqlx.Tx, retryAfterAmbiguous bool) error

// write runs do in a transaction and commits it if do returns nil and the context has
// not ended by then. It retries after a conflict with another transaction, after the
// loss of the connection, and after a commit whose outcome is unknown.
func (s *Store) write(ctx context.Context, do txFunc) error {
	retry := newRetrier(s.wait)
	for {
		err := s.transact(ctx, retry.deadline, retry.afterAmbiguous, do)
		if errors.Is(err, errAmbiguousCommit) {
			// The outcome matters even if the caller has gone away.
			ctx = context.WithoutCancel(ctx)
		}
		if !retry.shouldRetry(ctx, err) {
			return explain(ctx, err)
		}
	}
}

// writeAudited is write that also adds an audit entry in the transaction, unless it is
// nil.
func (s *Store) writeAudited(ctx context.Context, audit *core.AuditEntry, do txFunc) error {
	return s.write(ctx, func(ctx context.Context, tx *sqlx.Tx, retryAfterAmbiguous bool) error {
		if err := do(ctx, tx, retryAfterAmbiguous); err != nil {
			return err
		}
		return s.writeAuditEntry(ctx, tx, audit, retryAfterAmbiguous)
	})
}

// transact runs do in one transaction.
func (s *Store) transact(ctx context.Context, deadline time.Time, retryAfterAmbiguous bool, do txFunc) error {
	if err := s.writers.acquire(ctx, s.acquireDeadline(deadline)); err != nil {
		return err
	}
	if err := s.conns.acquire(ctx, s.acquireDeadline(deadline)); err != nil {
		s.writers.release()
		return err
	}
	release := func() {
		s.conns.release()
		s.writers.release()
	}
	committing := false
	defer func() {
		if !committing {
			release()
		}
	}()
	bounded := deadlineOnly(deadline)
	tx, err := s.db.BeginTxx(bounded, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	if err := s.runTx(ctx, bounded, tx, retryAfterAmbiguous, do); err != nil {
		return err
	}
	// A commit may take longer than its caller waits. It keeps its slots until the
	// server has answered.
	committing = true
	committed := make(chan error, 1)
	go func() {
		committed <- tx.Commit()
		release()
	}()
	overdue := time.NewTimer(time.Until(deadline))
	defer overdue.Stop()
	select {
	case err := <-committed:
		if err != nil {
			return fmt.Errorf("commit: %w", err)
		}
		return nil
	case <-overdue.C:
		return fmt.Errorf("commit: %w: no answer yet", errAmbiguousCommit)
	}
}

// runTx runs do in the transaction, and rolls it back if it fails.
func (s *Store) runTx(ctx, bounded context.Context, tx *sqlx.Tx, retryAfterAmbiguous bool, do txFunc) (err error) {
	done := false
	defer func() {
		if !done {
			_ = tx.Rollback() // the error that led here matters more
		}
	}()
	if retryAfterAmbiguous {
		if _, err := tx.ExecContext(bounded, s.qualify(`SELECT id FROM @fence FOR SHARE`)); err != nil {
			return fmt.Errorf("lock fence: %w", err)
		}
	}
	if err := do(bounded, tx, retryAfterAmbiguous); err != nil {
		return err
	}
	done = ctx.Err() == nil
	return ctx.Err()
}

const (
	// maxPause is the longest pause before a retry.
	maxPause = 100 * time.Millisecond
	// maxLost is the number of connections that a call may lose, or fail to open,
	// before it gives up: a database that is down is usually down for longer than a
	// call should wait.
	maxLost = 3
)

// retrier decides whether a failed call is retried.
type retrier struct {
	deadline time.Time
	attempts int
	lost     int // connections
	// afterAmbiguous is set if an earlier attempt may have been committed.
	afterAmbiguous bool
}

func newRetrier(wait time.Duration) *retrier { return &retrier{deadline: time.Now().Add(wait)} }

// shouldRetry reports whether a call that failed with err should be retried, and pauses
// before that. The first lost connection may just have been idle for too long, so the
// next one is tried at once.
func (r *retrier) shouldRetry(ctx context.Context, err error) bool {
	r.afterAmbiguous = r.afterAmbiguous || errors.Is(err, errAmbiguousCommit)
	r.attempts++
	pause := rand.N(min(maxPause, time.Millisecond<<min(r.attempts, 10)))
	switch kind := classify(err); {
	case err == nil, ctx.Err() != nil:
		return false
	case r.afterAmbiguous && kind != permanent, errors.Is(err, errAmbiguousCommit):
	case kind == conflict:
	case kind == lost || kind == unreachable:
		r.lost++
		if r.lost == maxLost {
			return false
		}
		pause = time.Duration(r.lost-1) * maxPause
	default:
		return false
	}
	if time.Now().Add(pause).After(r.deadline) {
		return false
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
