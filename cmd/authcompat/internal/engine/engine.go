// Package engine opens a store with core's engine on it, as commands and servers work
// on it: counted and logged for a server, and beside Django on Django's own tables.
package engine

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/metrics"
	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/hashing"
	"github.com/authcompat/authcompat/store"
	"github.com/authcompat/authcompat/store/django/tables"
)

// Engine is an open store with core's engine on it.
type Engine struct {
	*core.Service
	Backend      core.Backend
	ExpiryWriter *core.ExpiryWriter // nil unless Options.Metrics is set
	pseudonymKey []byte
	hasher       *hashing.DjangoHasher
}

// Options say which store is opened and how. For a command all but the first three
// are left out.
type Options struct {
	DSN        string
	Mapping    string // file that says what is what in a Django database; empty: none
	Iterations int    // PBKDF2's, of new password hashes

	// Keys finds the sealing keys, after the store is open: a start that fails
	// leaves no key behind. nil: none.
	Keys func(context.Context, core.Admin) (core.Sealer, error)
	// RefreshKeys gives the keys anew for a token whose key is missing. nil: that is an error.
	Rekey    func() (core.Sealer, error)
	Log      *slog.Logger         // nil: nothing is logged
	Metrics  *metrics.Metrics     // nil: nothing is counted
	HashPool *hashing.PoolOptions // that passwords are hashed in; nil: at once, however many
}

// Open opens the store and makes an engine on it, which is the caller's to close. An
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
	c := core.Config{Hasher: e.hasher, RefreshKeys: o.Rekey, Log: o.Log}
	if o.Keys != nil {
		if c.Sealer, err = o.Keys(ctx, e.Backend.Admin); err != nil {
			return nil, err
		}
	}
	if e.Backend.Privacy != nil {
		if e.pseudonymKey, err = e.Backend.Privacy.PseudonymKey(ctx, newPseudonymKey); err != nil {
			return nil, fmt.Errorf("read the database's key: %w", err)
		}
		c.PseudonymKey = e.pseudonymKey
	}
	e.workBeside(o.Log)
	if o.HashPool != nil {
		pool := hashing.NewPool(e.hasher, *o.HashPool)
		c.Hasher = pool
		if o.Metrics != nil {
			o.Metrics.RegisterHashPool(pool)
		}
	}
	if o.Metrics != nil {
		e.Backend = o.Metrics.Instrument(e.Backend)
		c.OnEvent = o.Metrics.CountEvent
		e.ExpiryWriter = core.NewExpiryWriter(e.Backend.Store, e.Backend.ExpiryBatcher, nil, o.Log)
		c.ExpiryWriter = e.ExpiryWriter
	}
	c.Backend = e.Backend
	e.Service = core.New(c)
	return e, nil
}

// openStore opens the store, with its mapping if it has one.
func openStore(ctx context.Context, dsn, mapping string) (core.Backend, error) {
	if mapping == "" {
		b, err := store.Open(ctx, dsn)
		return b.Backend, err
	}
	m, err := ReadMapping(mapping)
	if err != nil {
		return core.Backend{}, err
	}
	b, err := store.OpenMapped(ctx, dsn, m)
	return b.Backend, err
}

func newPseudonymKey() ([]byte, error) {
	key := make([]byte, core.PseudonymKeySize)
	_, err := rand.Read(key)
	return key, err
}

// Close closes the store.
func (e *Engine) Close() error { return e.Backend.Close() }

// ReadMapping reads a file that says which table and column is what in a Django
// database. The error names the flag --map.
func ReadMapping(path string) (tables.Mapping, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return tables.Mapping{}, fmt.Errorf("--map: %w", err)
	}
	m, err := tables.ParseMapping(text)
	if err != nil {
		return m, fmt.Errorf("--map %s: %w", path, err)
	}
	return m, nil
}

// CheckExists fails where dsn names a file that does not exist: a command that only
// looks at a database, or changes what is in it, makes none.
func CheckExists(dsn string) error {
	path, ok := store.SQLitePath(dsn)
	if !ok {
		return nil
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: there is no such database (serve, user create and import make one)", dsn)
	}
	return nil
}
