package pgconn

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"time"

	"github.com/authcompat/authcompat/store/internal/driverrow"
	"github.com/jmoiron/sqlx"
)

// Connections are replaced after some time, so that they spread over the servers behind
// a load balancer again, and closed when they are idle.
const (
	maxLifetime = 30 * time.Minute
	maxIdle     = 5 * time.Minute
)

// Pool is the connections of a store. Its methods are safe for concurrent use.
type Pool struct {
	// DB is the pool for statements in the functions that Read and Write run, with the
	// context that these get.
	DB *sqlx.DB

	connector *connector
	wait      time.Duration
	conns     *connSemaphore // a slot for each connection
	writers   *connSemaphore // a slot for each transaction
	fence     string
}

// Options are what a store may add to its connections.
type Options struct {
	// Lookups are queries outside transactions that each connection plans once.
	Lookups []string
	// Fence is a statement that locks a row, so that the commit of its transaction waits
	// until everything before it is replicated. With it, a transaction whose commit is
	// ambiguous is retried, and begins with the fence; without it, the call fails.
	Fence string
}

// NewPool returns a pool, which connects when it is used.
func NewPool(s Settings, o Options) *Pool {
	p := &Pool{
		connector: newConnector(s, newLookups(o.Lookups...)),
		wait:      s.wait,
		conns:     newConnSemaphore(s.connections),
		writers:   newConnSemaphore(s.connections / 2),
		fence:     o.Fence,
	}
	p.DB = p.Separate()
	p.DB.SetMaxIdleConns(s.connections)
	p.DB.SetConnMaxLifetime(maxLifetime)
	p.DB.SetConnMaxIdleTime(maxIdle)
	return p
}

// Writers returns how many transactions may run at a time.
func (p *Pool) Writers() int { return cap(p.writers.slots) }

// Separate returns connections beside those of the pool, for statements that a schema's
// change runs. The caller closes it.
func (p *Pool) Separate() *sqlx.DB { return sqlx.NewDb(sql.OpenDB(p.connector), "postgres") }

// Close closes the connections.
func (p *Pool) Close() error { return p.DB.Close() }

// WithTimeout returns the pool with calls that may wait for at least d.
func (p *Pool) WithTimeout(d time.Duration) *Pool {
	patient := *p
	patient.wait = max(p.wait, d)
	return &patient
}

// Ping fails if the server is read-only. probe is a subquery that reads what has to be
// readable.
func (p *Pool) Ping(ctx context.Context, probe string) error {
	return p.Read(ctx, func(ctx context.Context) error {
		conn, err := p.DB.Connx(ctx)
		if err != nil {
			return err
		}
		defer conn.Close() // returns it to the pool
		var readOnly, probed bool
		row := conn.QueryRowxContext(ctx, `SELECT 'on' IN (current_setting('default_transaction_read_only'), current_setting('transaction_read_only')), EXISTS (`+probe+`)`)
		if err := row.Scan(&readOnly, &probed); err != nil {
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

// Read runs do, which only reads and runs one query at a time, and retries it if that
// may help.
func (p *Pool) Read(ctx context.Context, do func(context.Context) error) error {
	retry := newRetrier(p.wait)
	for {
		err := p.readOnce(ctx, retry.deadline, do)
		if !retry.shouldRetry(ctx, err) {
			return Explain(ctx, err)
		}
	}
}

// readOnce runs do once. With a slot, a connection is available at once, or can be
// opened, so do needs no cancelable context: that would cost more than everything else
// here.
func (p *Pool) readOnce(ctx context.Context, deadline time.Time, do func(context.Context) error) error {
	if err := p.conns.acquire(ctx, p.acquireDeadline(deadline)); err != nil {
		return err
	}
	defer p.conns.release()
	return do(DeadlineOnly(deadline))
}

// LookUp runs a query of at most one row, with the context of a function that Read runs, and hands the row to take, which
// must not keep it. It reports whether there is one.
func (p *Pool) LookUp(ctx context.Context, query string, arguments []driver.NamedValue, take func(*driverrow.Row) error) (found bool, err error) {
	conn, err := p.DB.Conn(ctx)
	if err != nil {
		return false, err
	}
	defer conn.Close() // returns it to the pool
	err = conn.Raw(func(c any) error {
		s := c.(*session)
		rows, err := s.QueryContext(ctx, query, arguments)
		if err != nil {
			return err
		}
		found, err = s.row.Read(rows, take)
		return err
	})
	return found, err
}

// acquireDeadline returns how long a call with this deadline may wait for a slot. The
// rest has to suffice for its statements: one that is interrupted invalidates all
// connections, and under overload each call would get its slot just before its
// deadline, since slots are assigned first come, first served.
func (p *Pool) acquireDeadline(deadline time.Time) time.Time { return deadline.Add(-p.wait / 4) }

// TryConn returns a second connection for a call that has one, if there is one to spare
// now. The caller calls release in the end.
func (p *Pool) TryConn(ctx context.Context) (conn *sqlx.Conn, release func(), ok bool) {
	if !p.conns.tryAcquire() {
		return nil, nil, false
	}
	conn, err := p.DB.Connx(ctx)
	if err != nil {
		p.conns.release()
		return nil, nil, false
	}
	return conn, func() {
		_ = conn.Close() // returns it to the pool
		p.conns.release()
	}, true
}

// TxFunc is the body of a transaction. With retryAfterAmbiguous an earlier attempt may
// have been committed, so it first has to look for what that attempt would have
// written.
type TxFunc func(ctx context.Context, tx *sqlx.Tx, retryAfterAmbiguous bool) error

// Write runs do in a transaction and commits it if do returns nil and the context has
// not ended by then. It retries after a conflict with another transaction, after the
// loss of the connection, and, with a fence, after a commit whose outcome is unknown.
func (p *Pool) Write(ctx context.Context, do TxFunc) error {
	retry := newRetrier(p.wait)
	for {
		err := p.transact(ctx, retry.deadline, retry.afterAmbiguous, do)
		if errors.Is(err, ErrAmbiguousCommit) {
			if p.fence == "" {
				return Explain(ctx, err)
			}
			// The outcome matters even if the caller has gone away.
			ctx = context.WithoutCancel(ctx)
		}
		if !retry.shouldRetry(ctx, err) {
			return Explain(ctx, err)
		}
	}
}

// transact runs do in one transaction.
func (p *Pool) transact(ctx context.Context, deadline time.Time, retryAfterAmbiguous bool, do TxFunc) error {
	if err := p.writers.acquire(ctx, p.acquireDeadline(deadline)); err != nil {
		return err
	}
	if err := p.conns.acquire(ctx, p.acquireDeadline(deadline)); err != nil {
		p.writers.release()
		return err
	}
	release := func() {
		p.conns.release()
		p.writers.release()
	}
	committing := false
	defer func() {
		if !committing {
			release()
		}
	}()
	bounded := DeadlineOnly(deadline)
	tx, err := p.DB.BeginTxx(bounded, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	if err := p.runTx(ctx, bounded, tx, retryAfterAmbiguous, do); err != nil {
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
		return fmt.Errorf("commit: %w: no answer yet", ErrAmbiguousCommit)
	}
}

// runTx runs do in the transaction, and rolls it back if it fails.
func (p *Pool) runTx(ctx, bounded context.Context, tx *sqlx.Tx, retryAfterAmbiguous bool, do TxFunc) (err error) {
	done := false
	defer func() {
		if !done {
			_ = tx.Rollback() // the error that led here matters more
		}
	}()
	if retryAfterAmbiguous {
		if _, err := tx.ExecContext(bounded, p.fence); err != nil {
			return fmt.Errorf("lock fence: %w", err)
		}
	}
	if err := do(bounded, tx, retryAfterAmbiguous); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	done = true
	return nil
}

// SelectTime reads the server's clock, in microseconds since 1970.
const SelectTime = `SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint`
