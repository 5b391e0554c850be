// Package engine opens a store with core's engine on it: for commands, and, with metrics
// and a log, for servers.
package engine

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/mailer"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/metrics"
	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/expiries"
	"github.com/authcompat/authcompat/core/hashing"
	"github.com/authcompat/authcompat/core/sealing"
	"github.com/authcompat/authcompat/store"
	"github.com/authcompat/authcompat/store/django/tables"
)

// Engine is an open store with core's engine on it.
type Engine struct {
	*core.Service
	Backend      core.Backend
	ExpiryWriter *expiries.Writer // nil unless Options.Metrics is set
	databaseKey  []byte
	hasher       *hashing.DjangoHasher
	pool         *hashing.Pool // nil without Options.HashPool
	shadow       *core.Service // likewise
}

// Options say which store is opened and how. Commands set the first three alone.
type Options struct {
	DSN        string
	Mapping    *tables.Mapping // of a Django database that is worked on; nil: none
	Iterations int             // PBKDF2's, of new password hashes

	// Keys loads the sealing keys. It is called after the store is open, so that a start
	// that fails leaves no key behind. nil: there are none.
	Keys func(context.Context, core.Admin) (sealing.Sealer, error)
	// RefreshKeys loads the keys again for a token whose key is missing. nil: that is an
	// error.
	RefreshKeys func() (sealing.Sealer, error)
	Log         *slog.Logger         // nil: nothing is logged
	Metrics     *metrics.Metrics     // nil: nothing is counted
	HashPool    *hashing.PoolOptions // nil: any number of passwords is hashed at a time
}

// Open opens the store and makes an engine on it, which the caller has to close. The
// error of an option names its flag.
func Open(ctx context.Context, o Options) (_ *Engine, err error) {
	e := &Engine{}
	if e.hasher, err = hashing.NewDjangoHasher(o.Iterations); err != nil {
		return nil, fmt.Errorf("--password-iterations: %w", err)
	}
	if e.Backend, err = openStore(ctx, o.DSN, o.Mapping); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = e.Close() // the first error is the one to report
		}
	}()
	c := core.Config{Hasher: e.hasher, RefreshKeys: o.RefreshKeys, Mailbox: mailer.Mailbox(), Log: o.Log}
	if o.Keys != nil {
		if c.Sealer, err = o.Keys(ctx, e.Backend.Admin); err != nil {
			return nil, err
		}
	}
	if e.Backend.Privacy != nil {
		if e.databaseKey, err = e.Backend.Privacy.DatabaseKey(ctx, newDatabaseKey); err != nil {
			return nil, fmt.Errorf("read the database's key: %w", err)
		}
		c.DatabaseKey = e.databaseKey
	}
	e.workBeside(o.Log)
	if o.HashPool != nil {
		pool := hashing.NewPool(e.hasher, *o.HashPool)
		c.Hasher, e.pool, e.shadow = pool, pool, newShadow(c, e.Backend)
		if o.Metrics != nil {
			o.Metrics.RegisterHashPool(pool)
		}
	}
	if o.Metrics != nil {
		e.Backend = o.Metrics.Instrument(e.Backend)
		c.OnEvent = o.Metrics.CountEvent
		e.ExpiryWriter = expiries.NewWriter(e.Backend.Store, e.Backend.ExpiryBatcher, nil, o.Log)
		c.ExpiryWriter = e.ExpiryWriter
	}
	c.Backend = e.Backend
	e.Service = core.New(c)
	return e, nil
}

// openStore opens the store, with its mapping if it has one.
func openStore(ctx context.Context, dsn string, mapping *tables.Mapping) (core.Backend, error) {
	if mapping == nil {
		b, err := store.Open(ctx, dsn)
		return b.Backend, err
	}
	b, err := store.OpenMapped(ctx, dsn, *mapping)
	return b.Backend, err
}

func newDatabaseKey() ([]byte, error) {
	key := make([]byte, core.DatabaseKeySize)
	_, err := rand.Read(key)
	return key, err
}

// Now returns the current time by the clock of the database, which all nodes share; of this
// machine, if the database is on it. Errors are those of [core.Store].
func (e *Engine) Now(ctx context.Context) (time.Time, error) {
	if e.Backend.DatabaseClock == nil {
		return time.Now(), nil
	}
	return e.Backend.DatabaseClock.DatabaseTime(ctx)
}

// Close closes the store.
func (e *Engine) Close() error { return e.Backend.Close() }

// CheckExists fails if dsn names a database that is not there or has no tables of
// authcompat, for commands that must not create them.
func CheckExists(ctx context.Context, dsn string) error {
	exists, err := store.Exists(ctx, dsn)
	if err != nil || exists {
		return err
	}
	if path, ok := store.SQLitePath(dsn); ok {
		if _, err := os.Stat(path); err == nil {
			return fmt.Errorf("%s: there is no database in this file, which is empty (restore puts a backup there; serve, user create and import make a new one)", dsn)
		}
		return fmt.Errorf("%s: there is no such database (serve, user create and import make one)", dsn)
	}
	return fmt.Errorf("%s: there are no tables of authcompat (schema=NAME in the URL says in which schema they are; serve, user create and import make them)", store.Describe(dsn))
}

// CheckDSN fails if there is no such kind of store, or it can't be looked at. The store need not be there, and is
// not made.
func CheckDSN(ctx context.Context, dsn string) error {
	if err := store.ValidateDSN(dsn); err != nil {
		return err
	}
	_, err := store.Exists(ctx, dsn)
	return err
}
