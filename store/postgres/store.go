package postgres

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/jmoiron/sqlx"
)

// Store is a [core.Store] on PostgreSQL. Its methods are safe for concurrent
// use.
type Store struct {
	db      *sqlx.DB
	wait    time.Duration
	places  *places // one for each connection
	writers *places // one for each transaction
	prefix  string  // of tables: the schema with a dot, or nothing

	findToken string // selectToken for the schema
}

var _ core.Store = (*Store)(nil)

// in gives a statement for the store's schema: an @ stands before each table.
func (s *Store) in(statement string) string { return strings.ReplaceAll(statement, "@", s.prefix) }

// bulkWait is how long work on many rows may take: an import's batch, a count of
// all tokens.
const bulkWait = time.Minute

// bulk gives the store with the patience that work on many rows needs. A call of
// a client never has it.
func (s *Store) bulk() *Store {
	patient := *s
	patient.wait = max(s.wait, bulkWait)
	return &patient
}

// Ping implements [core.Store]: it reads a table, and fails where nothing could
// be written.
func (s *Store) Ping(ctx context.Context) error {
	return s.read(ctx, func(ctx context.Context) error {
		conn, err := s.db.Connx(ctx)
		if err != nil {
			return err
		}
		defer conn.Close() // gives it back
		var readOnly, users bool
		row := conn.QueryRowxContext(ctx, s.in(`SELECT current_setting('transaction_read_only') = 'on', EXISTS (SELECT 1 FROM @users)`))
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

// Close implements [core.Store].
func (s *Store) Close() error { return s.db.Close() }

// read runs do, which looks by one query at a time, and again if that fails.
func (s *Store) read(ctx context.Context, do func(context.Context) error) error {
	try := newTries(s.wait)
	for {
		err := s.look(ctx, try.deadline, do)
		if !try.again(ctx, err) {
			return explain(ctx, err)
		}
	}
}

// look runs do once. With a place there is a connection, or one may be opened: a
// context that can end would cost more than the rest of this.
func (s *Store) look(ctx context.Context, deadline time.Time, do func(context.Context) error) error {
	if err := s.places.take(ctx, s.latest(deadline)); err != nil {
		return err
	}
	defer s.places.leave()
	return do(until(deadline))
}

// latest is how long a call that must be done at the deadline may wait for a
// place. What is left has to be enough for its statements: one that is cut off
// takes all connections out of use, and where too many wait, first come first
// served, each would get its place just before its time is over.
func (s *Store) latest(deadline time.Time) time.Time { return deadline.Add(-s.wait / 4) }

// step is what a transaction does. In doubt, an earlier attempt may have been
// committed: then what it would have left is to be looked for first.
type step func(ctx context.Context, tx *sqlx.Tx, doubt bool) error

// write runs do in a transaction and commits it if do returns nil and the
// context has not ended by then. It does so again where another transaction was
// in the way, where the connection was lost, and where it is not known whether
// the commit is done.
func (s *Store) write(ctx context.Context, do step) error {
	try := newTries(s.wait)
	for {
		err := s.transact(ctx, try.deadline, try.doubt, do)
		if errors.Is(err, errDoubt) {
			// Whoever asked may have gone: the outcome is looked for all the same.
			ctx = context.WithoutCancel(ctx)
		}
		if !try.again(ctx, err) {
			return explain(ctx, err)
		}
	}
}

// transact runs do in one transaction.
func (s *Store) transact(ctx context.Context, deadline time.Time, doubt bool, do step) error {
	if err := s.writers.take(ctx, s.latest(deadline)); err != nil {
		return err
	}
	if err := s.places.take(ctx, s.latest(deadline)); err != nil {
		s.writers.leave()
		return err
	}
	leave := func() {
		s.places.leave()
		s.writers.leave()
	}
	handed := false
	defer func() {
		if !handed {
			leave()
		}
	}()
	bounded := until(deadline)
	tx, err := s.db.BeginTxx(bounded, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	if err := s.work(ctx, bounded, tx, doubt, do); err != nil {
		return err
	}
	// A commit may take longer than its caller waits. It keeps its place until
	// the server has answered.
	handed = true
	committed := make(chan error, 1)
	go func() {
		committed <- tx.Commit()
		leave()
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
		return fmt.Errorf("commit: %w: no answer yet", errDoubt)
	}
}

// work runs do in the transaction, and rolls it back unless it is to be
// committed.
func (s *Store) work(ctx, bounded context.Context, tx *sqlx.Tx, doubt bool, do step) (err error) {
	done := false
	defer func() {
		if !done {
			_ = tx.Rollback() // what matters is why
		}
	}()
	if doubt {
		if _, err := tx.ExecContext(bounded, s.in(`SELECT id FROM @fence FOR SHARE`)); err != nil {
			return fmt.Errorf("lock fence: %w", err)
		}
	}
	if err := do(bounded, tx, doubt); err != nil {
		return err
	}
	if err := s.recorded(ctx, bounded, tx, doubt); err != nil {
		return err
	}
	done = ctx.Err() == nil
	return ctx.Err()
}

// The pauses between tries.
const (
	// maxPause is the longest.
	maxPause = 100 * time.Millisecond
	// maxLost is how many connections a step may lose, or fail to get, before
	// it is given up: a database that is away is away for longer than a call
	// should wait.
	maxLost = 3
)

// tries counts the attempts at a step.
type tries struct {
	deadline time.Time
	count    int
	lost     int
	doubt    bool
}

func newTries(wait time.Duration) *tries { return &tries{deadline: time.Now().Add(wait)} }

// again tells whether a step that failed with err is to be done again, and
// pauses before it. The first connection that is lost may just have been idle
// for too long, so that the next is tried at once.
func (t *tries) again(ctx context.Context, err error) bool {
	t.doubt = t.doubt || errors.Is(err, errDoubt)
	t.count++
	pause := rand.N(min(maxPause, time.Millisecond<<min(t.count, 10)))
	switch kind := classify(err); {
	case err == nil, ctx.Err() != nil:
		return false
	case t.doubt && kind != permanent, errors.Is(err, errDoubt):
	case kind == conflict:
	case kind == lost || kind == unreachable:
		t.lost++
		if t.lost == maxLost {
			return false
		}
		pause = time.Duration(t.lost-1) * maxPause
	default:
		return false
	}
	if time.Now().Add(pause).After(t.deadline) {
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
