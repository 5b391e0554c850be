package sqlite

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/jmoiron/sqlx"
)

// retryEvery is the pause between two attempts to get the write lock. SQLite's
// own schedule backs off to 100 ms; a process that writes without pause leaves
// gaps of microseconds only, which so rare an attempt may miss for seconds.
const retryEvery = time.Millisecond

// Store is a [core.Store] on one SQLite file. Its methods are safe for
// concurrent use.
type Store struct {
	file   string // its absolute path
	wait   time.Duration
	bulk   bulkWriter
	writer *sqlx.DB // one connection
	reader *sqlx.DB // read-only connections, as many as places
	places chan struct{}

	// anchor is a connection that is open for as long as the store: the shared
	// memory that cache looks into goes with the last one.
	anchor *sqlx.Conn
	cache  cache

	findGeneration *sqlx.Stmt
	findToken      *sqlx.Stmt
	findOlder      *sqlx.Stmt
	account        *sqlx.Stmt
}

var _ core.Store = (*Store)(nil)

// Ping implements [core.Store]: it reads from the file.
func (s *Store) Ping(ctx context.Context) error {
	return s.read(ctx, func(ctx context.Context) error {
		var any bool
		return s.reader.GetContext(ctx, &any, `SELECT EXISTS (SELECT 1 FROM users)`)
	})
}

// Close implements [core.Store].
func (s *Store) Close() error {
	// The writer goes last: whichever connection does writes the log back into
	// the database, and a reader may not.
	s.cache.index.Store(nil)
	if s.anchor != nil {
		_ = s.anchor.Close() // an error says only that it is closed already
	}
	return errors.Join(s.reader.Close(), s.bulk.close(), s.writer.Close())
}

// write runs do in a transaction that has the file's write lock from its
// beginning, as often as it takes to get the lock. The transaction is committed,
// with the audit entry of the context, if do returns nil and the context has not
// ended by then.
func (s *Store) write(ctx context.Context, do func(context.Context, *sqlx.Tx) error) error {
	return s.writeWithin(ctx, s.wait, do)
}

// writeWithin is write with a bound of its own.
func (s *Store) writeWithin(ctx context.Context, wait time.Duration, do func(context.Context, *sqlx.Tx) error) error {
	return s.writeTo(ctx, s.writer, wait, do)
}

func (s *Store) writeTo(ctx context.Context, db *sqlx.DB, wait time.Duration, do func(context.Context, *sqlx.Tx) error) error {
	bounded, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	err := patiently(bounded, func() error {
		return transact(bounded, db, func(ctx context.Context, tx *sqlx.Tx) error {
			if err := do(ctx, tx); err != nil {
				return err
			}
			return recorded(ctx, tx)
		})
	})
	return explain(ctx, wait, err)
}

// transact runs do in one transaction.
func transact(ctx context.Context, db *sqlx.DB, do func(context.Context, *sqlx.Tx) error) error {
	tx, err := db.BeginTxx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // says only that it is committed, once it is
	if err := do(ctx, tx); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// patiently repeats do for as long as it fails because of another's lock, until
// ctx ends.
func patiently(ctx context.Context, do func() error) error {
	for {
		err := do()
		if !locked(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(retryEvery):
		}
	}
}

// read runs do, which may use one of the readers.
func (s *Store) read(ctx context.Context, do func(context.Context) error) error {
	if err := s.enter(ctx); err != nil {
		return err
	}
	defer s.leave()
	return explain(ctx, s.wait, do(context.WithoutCancel(ctx)))
}

// enter takes a place at the readers. A caller waits here, and not for a
// connection, so that the wait is bounded and ends with ctx, while the look-up
// itself runs without ctx: it takes microseconds, and watching a context would
// cost half as much again and lose the connection when it ends.
func (s *Store) enter(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.tryEnter() {
		return nil
	}
	timeout := time.NewTimer(s.wait)
	defer timeout.Stop()
	select {
	case s.places <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-timeout.C:
		return fmt.Errorf("%w: all readers busy for %v", core.ErrUnavailable, s.wait)
	}
}

// tryEnter takes a place at the readers if one is free.
func (s *Store) tryEnter() bool {
	select {
	case s.places <- struct{}{}:
		return true
	default:
		return false
	}
}

// leave gives the place back.
func (s *Store) leave() { <-s.places }
