package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"

	"github.com/spf13/pflag"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/password"
	"github.com/authcompat/authcompat/store"
)

// engineFlags are what every command needs that works on users and tokens.
type engineFlags struct {
	store      string
	mapping    string
	iterations int
}

func (f *engineFlags) add(flags *pflag.FlagSet) {
	flags.String(configFlag, "", "YAML file with settings; flags and variables go before it (authcompat config print shows its keys)")
	flags.StringVar(&f.store, "store", store.Default, "database: sqlite:PATH or postgres://USER:PASSWORD@HOST/DATABASE")
	flags.StringVar(&f.mapping, "map", "", "YAML file that says which table and column is what, for a Django database that is worked on (django+…)")
	flags.IntVar(&f.iterations, "password-iterations", password.DefaultIterations, "PBKDF2 iterations of new password hashes")
}

// engine is an open store with the engine on it. The parts that a store lacks
// are nil.
type engine struct {
	*core.Service
	store     core.Store
	limits    core.Limits
	audit     core.Auditor
	admin     core.Admin
	disguises core.Disguises
	secret    []byte
	passwords *core.Passwords
	lane      *core.Lane  // of a server
	moves     *core.Moves // of a server
}

// engineOptions say which store is opened and how. What a server has besides is
// the zero value for a command.
type engineOptions struct {
	dsn        string
	mapping    string // file that says what is what in a Django database; empty: none
	iterations int    // PBKDF2's, of new password hashes

	// keys finds the sealing keys, after the store is open: a start that fails
	// leaves no key behind. nil: none.
	keys    func(context.Context, core.Admin) (core.Sealer, error)
	rekey   func() (core.Sealer, error)
	log     *slog.Logger // nil: nothing is logged
	metrics *metrics     // nil: nothing is counted
	lane    *core.LaneOptions
}

// openEngine opens the store and makes an engine on it, which is the caller's to
// close.
func openEngine(ctx context.Context, o engineOptions) (_ *engine, err error) {
	e := &engine{}
	if e.passwords, err = core.NewPasswords(o.iterations); err != nil {
		return nil, fmt.Errorf("--password-iterations: %w", err)
	}
	if e.store, err = openStore(ctx, o.dsn, o.mapping); err != nil {
		return nil, err
	}
	e.limits, _ = e.store.(core.Limits)
	e.audit, _ = e.store.(core.Auditor)
	e.admin, _ = e.store.(core.Admin)
	var sealer core.Sealer
	if o.keys != nil {
		if sealer, err = o.keys(ctx, e.admin); err != nil {
			_ = e.store.Close() // the error worth telling is the first
			return nil, err
		}
	}
	if e.disguises, _ = e.store.(core.Disguises); e.disguises != nil {
		if e.secret, err = e.disguises.DisguiseKey(ctx, drawSecret); err != nil {
			_ = e.store.Close() // the error worth telling is the first
			return nil, fmt.Errorf("read the database's key: %w", err)
		}
	}
	c := core.Config{
		Store: e.store, Hasher: e.passwords, Sealer: sealer, Rekey: o.rekey, Audit: e.audit, Secret: e.secret, Log: o.log,
	}
	e.attach(&c)
	if o.lane != nil {
		e.lane = core.NewLane(e.passwords, *o.lane)
		c.Hasher = e.lane
	}
	if o.metrics != nil {
		c.Store, e.limits = o.metrics.counted(e.store), o.metrics.limits(e.limits)
		e.audit, e.admin, e.disguises = o.metrics.auditor(e.audit), o.metrics.admin(e.admin), o.metrics.disguises(e.disguises)
		c.Audit = e.audit
		c.Events = o.metrics.event
		mover, _ := e.store.(core.Mover)
		e.moves = core.NewMoves(c.Store, o.metrics.mover(mover), nil, o.log)
		c.Moves = e.moves
	}
	e.Service = core.New(c)
	return e, nil
}

// openStore opens the store, with its mapping if it has one.
func openStore(ctx context.Context, dsn, mapping string) (core.Store, error) {
	if mapping == "" {
		return store.Open(ctx, dsn)
	}
	m, err := readMapping(mapping)
	if err != nil {
		return nil, err
	}
	return store.OpenMapped(ctx, dsn, m)
}

func drawSecret() ([]byte, error) {
	secret := make([]byte, core.SecretSize)
	_, err := rand.Read(secret)
	return secret, err
}

// Close closes the store.
func (e *engine) Close() error { return e.store.Close() }
