package live

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/django/tables"
	"github.com/authcompat/authcompat/store/internal/dbfile"
)

// file is the access to a SQLite file.
type file struct {
	db     *sql.DB
	writer chan struct{} // a slot for the only transaction that can write
	files  *dbfile.Files
	path   string // of the file itself, without links
	// keepAlive stays open as long as the store: while it is, nobody else removes the log of
	// a database in write-ahead mode.
	keepAlive *sql.Conn
	damage    dbfile.Damage
}

// maxConnections is how many connections to a file are open at most.
const maxConnections = 16

// openFile opens a database for live use that is not one of PostgreSQL.
func openFile(ctx context.Context, source string, m tables.Mapping) (access, string, *tables.Database, error) {
	path, err := filepath.Abs(strings.TrimPrefix(source, "sqlite:"))
	if err != nil {
		return nil, "", nil, err
	}
	files := dbfile.At(path)
	if err := dbfile.CheckNames(path); err != nil {
		return nil, "", nil, fmt.Errorf("%s: %w", path, err)
	}
	django, err := tables.OpenForWriting(ctx, m, source, true)
	if err != nil {
		return nil, "", nil, err
	}
	f := &file{db: django.SQL(), writer: make(chan struct{}, 1), files: files, path: path}
	f.db.SetMaxOpenConns(maxConnections)
	f.db.SetMaxIdleConns(maxConnections)
	if django.IsMySQL() {
		err = errors.New("MySQL and MariaDB can be imported from and exported to, not worked on")
	} else {
		err = f.keepOpen(ctx)
	}
	if err != nil {
		return nil, "", nil, errors.Join(fmt.Errorf("%s: %w", django.Identity(), err), f.db.Close())
	}
	return f, django.Identity(), django, nil
}

// keepOpen opens the connection that stays open.
func (f *file) keepOpen(ctx context.Context) (err error) {
	if f.path, err = filepath.EvalSymlinks(f.path); err != nil {
		return err
	}
	return f.read(ctx, func(ctx context.Context) (err error) {
		if f.keepAlive == nil { // a connection reads the schema when it is opened
			if f.keepAlive, err = f.db.Conn(ctx); err != nil {
				return err
			}
		}
		return f.attach(ctx)
	})
}

// attach has the connection that stays open read from the database, so that it is one that
// keeps the log, and notes the log that there is.
func (f *file) attach(ctx context.Context) error {
	var objects int
	if err := f.keepAlive.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_schema`).Scan(&objects); err != nil {
		return err
	}
	f.files.Attach(f.path)
	return nil
}

// Close implements access.
func (f *file) Close() error {
	if f.files.Broken() != nil {
		return nil // to close the connections, SQLite would remove what others have put in their place
	}
	_ = f.keepAlive.Close() // fails only if it is closed already
	return f.db.Close()
}

// ping implements access. A file that can't be written to still serves token checks.
func (f *file) ping(ctx context.Context, probe string) error {
	return f.read(ctx, func(ctx context.Context) error {
		var readable bool
		if err := f.db.QueryRowContext(ctx, `SELECT EXISTS (`+probe+`)`).Scan(&readable); err != nil {
			return err
		}
		return f.damage.Check(ctx, f.db)
	})
}

// How long a call waits, for its turn and for locks of others, and how often it retries.
const (
	maxWait    = 5 * time.Second
	retryEvery = time.Millisecond
)

// read implements access. It repeats do while that fails because of a lock of another
// connection.
func (f *file) read(ctx context.Context, do func(context.Context) error) error {
	overdue := time.NewTimer(maxWait)
	defer overdue.Stop()
	return f.retry(ctx, overdue.C, do)
}

// retry is read until overdue.
func (f *file) retry(ctx context.Context, overdue <-chan time.Time, do func(context.Context) error) error {
	if err := f.files.Check(); err != nil {
		return err
	}
	for {
		err := do(ctx)
		if err == nil || !tables.IsLocked(err) {
			return f.explain(ctx, err)
		}
		select {
		case <-time.After(retryEvery):
		case <-overdue:
			return f.explain(ctx, err)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// readAll implements access.
func (f *file) readAll(ctx context.Context, do func(context.Context) error) error {
	if err := f.files.Check(); err != nil {
		return err
	}
	return f.explain(ctx, do(ctx))
}

// write implements access. It retries after conflicts with other transactions. A lock that
// Django holds keeps those who wait for their turn no longer than the one who has it.
func (f *file) write(ctx context.Context, do txFunc) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	overdue := time.NewTimer(maxWait)
	defer overdue.Stop()
	select {
	case f.writer <- struct{}{}:
	case <-overdue.C:
		return fmt.Errorf("%w: other transactions take too long", core.ErrUnavailable)
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-f.writer }()
	if !f.files.Attached() && ctx.Err() == nil {
		_ = f.attach(ctx) // Django may have changed the mode; if the file can't be read, nothing is written either
	}
	return f.retry(ctx, overdue.C, func(ctx context.Context) error { return f.transact(ctx, do) })
}

// writers implements access: one writes, and one begins as soon as it ends.
func (f *file) writers() int { return 2 }

// alter implements access.
func (f *file) alter(ctx context.Context, do txFunc) error { return f.write(ctx, do) }

// transact runs do in one transaction.
func (f *file) transact(ctx context.Context, do txFunc) error {
	tx, err := f.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	if err := do(ctx, tx); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return tx.Commit()
}

// explain turns a database error into one that [core.Store] specifies. It comes after each
// use of the file, and after a commit, so that nothing is acknowledged, or said not to be
// there, that was written to or read from another file.
func (f *file) explain(ctx context.Context, err error) error {
	if broken := f.files.Check(); broken != nil {
		return broken
	}
	switch {
	case err == nil, errors.Is(err, core.ErrUnavailable):
		return err
	case ctx.Err() != nil:
		return ctx.Err()
	case tables.IsUnavailable(err):
		return fmt.Errorf("%w: %w", core.ErrUnavailable, err)
	}
	return f.damage.Explain(err)
}
