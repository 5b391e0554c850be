package dbfile

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/authcompat/authcompat/core"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// ErrDamaged is the error of a database whose pages contradict each other, or are none.
var ErrDamaged = errors.New("the database file is damaged: a backup has to take its place")

// longestCheck limits a look for damage. Its caller may give up sooner, but only a look that
// ends tells that a backup has been restored.
const longestCheck = time.Minute

// Damage keeps in mind that a database was found to be damaged. The zero value has found
// nothing.
type Damage struct {
	seen     atomic.Bool
	checking sync.Mutex
}

// Explain turns an error that tells of damage into core.ErrUnavailable, and keeps it in
// mind. Others it returns as they are.
func (d *Damage) Explain(err error) error {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return err
	}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		d.seen.Store(true)
		return fmt.Errorf("%w: %w: %w", core.ErrUnavailable, ErrDamaged, err)
	}
	return err
}

// Check fails with core.ErrUnavailable once damage was found, until the database has none
// any more: what reads no damaged page would succeed. It looks for damage only then, one
// call at a time, for up to a minute: as long as it takes to read the database.
func (d *Damage) Check(ctx context.Context, db *sql.DB) error {
	if !d.seen.Load() {
		return nil
	}
	damaged := fmt.Errorf("%w: %w", core.ErrUnavailable, ErrDamaged)
	if !d.checking.TryLock() {
		return damaged
	}
	defer d.checking.Unlock()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), longestCheck)
	defer cancel()
	var found string
	if err := db.QueryRowContext(ctx, `PRAGMA quick_check(1)`).Scan(&found); err != nil {
		return fmt.Errorf("%w: %w", damaged, err)
	}
	if found != "ok" {
		return fmt.Errorf("%w: %s", damaged, strings.ReplaceAll(found, "\n", " "))
	}
	d.seen.Store(false)
	return nil
}
