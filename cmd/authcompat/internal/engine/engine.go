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

// Engine is an open store with core's engine on it. The parts that a store lacks are
// nil.
type Engine struct {
	*core.Service
	Store        core.Store
	Limits       core.RateLimiter
	Audit        core.Auditor
	Admin        core.Admin
	ExpiryWriter *core.ExpiryWriter // writes the ends of sliding tokens; nil where nothing is counted
	privacy      core.PrivacyStore
	secret       []byte
	passwords    *hashing.DjangoHasher
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
	if e.passwords, err = hashing.NewDjangoHasher(o.Iterations); err != nil {
		return nil, fmt.Errorf("--password-iterations: %w", err)
	}
	if e.Store, err = openStore(ctx, o.DSN, o.Mapping); err != nil {
		return nil, err
	}
	e.Limits, _ = e.Store.(core.RateLimiter)
	e.Audit, _ = e.Store.(core.Auditor)
	e.Admin, _ = e.Store.(core.Admin)
	var sealer core.Sealer
	if o.Keys != nil {
		if sealer, err = o.Keys(ctx, e.Admin); err != nil {
			_ = e.Store.Close() // the error worth telling is the first
			return nil, err
		}
	}
	if e.privacy, _ = e.Store.(core.PrivacyStore); e.privacy != nil {
		if e.secret, err = e.privacy.PseudonymKey(ctx, drawSecret); err != nil {
			_ = e.Store.Close() // the error worth telling is the first
			return nil, fmt.Errorf("read the database's key: %w", err)
		}
	}
	c := core.Config{
		Store: e.Store, Hasher: e.passwords, Sealer: sealer, RefreshKeys: o.Rekey, Audit: e.Audit, PseudonymKey: e.secret, Log: o.Log,
	}
	e.attach(&c)
	if o.HashPool != nil {
		lane := hashing.NewPool(e.passwords, *o.HashPool)
		c.Hasher = lane
		if o.Metrics != nil {
			o.Metrics.RegisterLane(lane)
		}
	}
	if o.Metrics != nil {
		c.Store, e.Limits = o.Metrics.InstrumentStore(e.Store), o.Metrics.InstrumentLimits(e.Limits)
		e.Audit, e.Admin, e.privacy = o.Metrics.InstrumentAuditor(e.Audit), o.Metrics.InstrumentAdmin(e.Admin), o.Metrics.InstrumentPrivacyStore(e.privacy)
		c.Audit = e.Audit
		c.OnEvent = o.Metrics.CountEvent
		mover, _ := e.Store.(core.ExpiryBatcher)
		e.ExpiryWriter = core.NewExpiryWriter(c.Store, o.Metrics.InstrumentExpiryBatcher(mover), nil, o.Log)
		c.ExpiryWriter = e.ExpiryWriter
	}
	e.Service = core.New(c)
	return e, nil
}

// openStore opens the store, with its mapping if it has one.
func openStore(ctx context.Context, dsn, mapping string) (core.Store, error) {
	if mapping == "" {
		return store.Open(ctx, dsn)
	}
	m, err := ReadMapping(mapping)
	if err != nil {
		return nil, err
	}
	return store.OpenMapped(ctx, dsn, m)
}

func drawSecret() ([]byte, error) {
	secret := make([]byte, core.PseudonymKeySize)
	_, err := rand.Read(secret)
	return secret, err
}

// Close closes the store.
func (e *Engine) Close() error { return e.Store.Close() }

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
