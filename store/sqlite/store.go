package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/internal/addresses"
	"github.com/authcompat/authcompat/store/internal/callers"
	"github.com/authcompat/authcompat/store/internal/dbfile"
	"github.com/authcompat/authcompat/store/internal/mails"
	"github.com/authcompat/authcompat/store/sqlite/pinned"
	"github.com/authcompat/authcompat/store/sqlite/tokencache"
	"github.com/authcompat/authcompat/store/sqlite/walindex"
	"github.com/jmoiron/sqlx"
)

// retryEvery is the pause between two attempts to get the write lock. SQLite's own
// busy handler backs off to 100 ms; against a process that writes without pause and
// leaves gaps of microseconds, attempts so rare may fail for seconds.
const retryEvery = time.Millisecond

// Store is a [core.Store] on one SQLite file. Its methods are safe for
// concurrent use.
type Store struct {
	file    string // absolute path
	files   *dbfile.Files
	opened  time.Time    // has the monotonic clock
	checked atomic.Int64 // when the files were last checked for the cache, in nanoseconds since opened
	rescue  dbfile.Rescue
	seen    atomic.Pointer[walindex.Header] // when the files were last those that were opened
	before  atomic.Pointer[walindex.Header] // the last commit of this store
	leaving sync.Once                       // how left begins
	left    sync.WaitGroup                  // letting go of files that were replaced
	damage  dbfile.Damage
	stop    context.CancelFunc // ends looking; nil: it has not begun
	looking sync.WaitGroup

	wait   time.Duration
	bulk   bulkWriter
	writer *sqlx.DB // one connection
	reader *sqlx.DB // read-only connections
	// readerSlots limits the number of calls that use a reader at once.
	readerSlots chan struct{}

	// keepAlive is a connection that stays open as long as the store, because the
	// WAL-index that the cache reads is deleted with the last connection. The rescue writes by
	// it: another one might be to another file.
	keeper    *sqlx.DB // its pool
	keepAlive *sqlx.Conn
	cache     tokencache.Cache

	changes   tokencache.Reader
	findToken *sqlx.Stmt
	direct    *pinned.Statement // findToken, with connections of its own
	findOlder *sqlx.Stmt
	account   *sqlx.Stmt
}

// writers is how many calls write at a time: one, and one that begins as soon as it ends.
const writers = 2

// Backend returns the store with all the interfaces that it implements.
func (s *Store) Backend() core.Backend {
	return core.Backend{Store: s, RateLimiter: s, Auditor: s, Accounts: s, Admin: s, Privacy: s, Cutover: s, Callers: s.callers(), Mail: s.mails(), Addresses: s.addresses(), ExpiryBatcher: s, Writers: writers}
}

func (s *Store) callers() *callers.Store {
	return callers.New(callers.Access{
		Table: "callers",
		Bind:  func(statement string) string { return statement },
		Read: func(ctx context.Context, do func(context.Context, callers.Querier) error) error {
			return s.read(ctx, func(ctx context.Context) error { return do(ctx, s.reader) })
		},
		Write: func(ctx context.Context, do func(context.Context, *sql.Tx) error) error {
			return s.write(ctx, func(ctx context.Context, tx *sqlx.Tx) error { return do(ctx, tx.Tx) })
		},
	})
}

func (s *Store) mails() *mails.Queue {
	return mails.New(mails.Access{
		Table: "mails",
		Email: func(ctx context.Context, tx *sql.Tx, userID int64) (email string, err error) {
			err = tx.QueryRowContext(ctx, `SELECT email FROM users WHERE id = ?`, userID).Scan(&email)
			return email, orNotFound(err)
		},
		Bind: func(statement string) string { return statement },
		Read: func(ctx context.Context, do func(context.Context, mails.Querier) error) error {
			return s.read(ctx, func(ctx context.Context) error { return do(ctx, s.reader) })
		},
		Write: func(ctx context.Context, audit *core.AuditEntry, do func(context.Context, *sql.Tx) error) error {
			return s.writeAudited(ctx, audit, func(ctx context.Context, tx *sqlx.Tx) error { return do(ctx, tx.Tx) })
		},
	})
}

func (s *Store) addresses() *addresses.Book {
	return addresses.New(addresses.Access{
		Table: "email_addresses",
		Bind:  func(statement string) string { return statement },
		Lower: func(column string) string { return "lower(" + column + ")" }, Exactly: func(column string) string { return column },
		InsertAs: `INSERT INTO @addresses (id, user_id, email, verified) SELECT ?, id, ?, ? FROM users WHERE id = ? ON CONFLICT DO NOTHING`,
		Insert:   `INSERT INTO @addresses (user_id, email, verified) SELECT id, ?, ? FROM users WHERE id = ? ON CONFLICT DO NOTHING`,
		Read: func(ctx context.Context, do func(context.Context, addresses.Querier) error) error {
			return s.read(ctx, func(ctx context.Context) error { return do(ctx, s.reader) })
		},
		Write: func(ctx context.Context, audit *core.AuditEntry, do func(context.Context, *sql.Tx) error) error {
			return s.writeAudited(ctx, audit, func(ctx context.Context, tx *sqlx.Tx) error { return do(ctx, tx.Tx) })
		},
	})
}

// Ping implements [core.Store]. It reads from the file: all of it, once any call has found
// it damaged.
func (s *Store) Ping(ctx context.Context) error {
	return s.read(ctx, func(ctx context.Context) error {
		var any bool
		if err := s.reader.GetContext(ctx, &any, `SELECT EXISTS (SELECT 1 FROM users)`); err != nil {
			return err
		}
		return s.damage.Check(ctx, s.reader.DB)
	})
}

// Close implements [core.Store].
func (s *Store) Close() error {
	if s.stop != nil {
		s.stop()
		s.looking.Wait()
	}
	if err := s.checkFiles(); err != nil && s.keepAlive != nil {
		// Those connections that are left end with the process: to close them, SQLite would use files that
		// are damaged, and remove what others have put in their place.
		s.leave(err)
		s.rescue.Wait()
		s.left.Wait()
		return nil
	}
	// The writer is closed last: the last connection copies the log back into the
	// database, and a reader is not allowed to.
	s.cache.Use(nil)
	if s.keepAlive != nil {
		_ = s.keepAlive.Close() // fails only if it is closed already
	}
	return errors.Join(s.direct.Close(), s.reader.Close(), s.keeper.Close(), s.bulk.close(true), s.writer.Close())
}

// write runs do in a transaction that holds the file's write lock from its beginning,
// and retries until it gets the lock. The transaction is committed if do returns nil and
// the context has not ended by then.
func (s *Store) write(ctx context.Context, do func(context.Context, *sqlx.Tx) error) error {
	return s.writeWithin(ctx, s.wait, do)
}

// writeAudited is write that also adds an audit entry in the transaction, unless it is
// nil.
func (s *Store) writeAudited(ctx context.Context, audit *core.AuditEntry, do func(context.Context, *sqlx.Tx) error) error {
	return s.write(ctx, func(ctx context.Context, tx *sqlx.Tx) error {
		if err := do(ctx, tx); err != nil {
			return err
		}
		return writeAuditEntry(ctx, tx, audit)
	})
}

// writeWithin is write with another timeout.
func (s *Store) writeWithin(ctx context.Context, wait time.Duration, do func(context.Context, *sqlx.Tx) error) error {
	return s.writeTo(ctx, s.writer, wait, do)
}

func (s *Store) writeTo(ctx context.Context, db *sqlx.DB, wait time.Duration, do func(context.Context, *sqlx.Tx) error) error {
	if err := s.checkFiles(); err != nil {
		return err
	}
	bounded, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	err := retryWhileLocked(bounded, func() error {
		return transact(bounded, db, func(ctx context.Context, tx *sqlx.Tx) error {
			if err := s.checkFiles(); err != nil { // while nobody else writes
				return err
			}
			if err := do(ctx, tx); err != nil {
				return err
			}
			s.noteCommit()
			return nil
		})
	})
	if err == nil {
		err = s.checkFiles() // after the commit: nothing is acknowledged that went into another file
	}
	return s.explain(ctx, wait, err)
}

// transact runs do in one transaction.
func transact(ctx context.Context, db *sqlx.DB, do func(context.Context, *sqlx.Tx) error) error {
	tx, err := db.BeginTxx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // does nothing after a commit
	if err := do(ctx, tx); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// retryWhileLocked calls do until it no longer fails because of another connection's
// lock, or ctx ends.
func retryWhileLocked(ctx context.Context, do func() error) error {
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

// read runs do with a reader slot, so that it may use one of the readers.
func (s *Store) read(ctx context.Context, do func(context.Context) error) error {
	if err := s.acquireReader(ctx); err != nil {
		return err
	}
	defer s.releaseReader()
	return s.explain(ctx, s.wait, do(context.WithoutCancel(ctx)))
}

// acquireReader acquires a reader slot. Callers wait here, and not for a connection, so
// that the wait is limited and ends with ctx, while the look-up itself runs without
// ctx: it takes microseconds, and watching a context would add half as much again and
// lose the connection when the context ends.
func (s *Store) acquireReader(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := s.checkFiles(); err != nil {
		return err
	}
	if s.tryAcquireReader() {
		return nil
	}
	timeout := time.NewTimer(s.wait)
	defer timeout.Stop()
	select {
	case s.readerSlots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-timeout.C:
		return fmt.Errorf("%w: all readers busy for %v", core.ErrUnavailable, s.wait)
	}
}

// tryAcquireReader acquires a reader slot if one is free.
func (s *Store) tryAcquireReader() bool {
	select {
	case s.readerSlots <- struct{}{}:
		return true
	default:
		return false
	}
}

// releaseReader releases the reader slot.
func (s *Store) releaseReader() { <-s.readerSlots }
