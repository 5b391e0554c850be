package main

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
	"github.com/authcompat/authcompat/store"
	"github.com/authcompat/authcompat/store/django"
)

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
	log     *slog.Logger     // nil: nothing is logged
	metrics *metrics.Metrics // nil: nothing is counted
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
		lane := core.NewLane(e.passwords, *o.lane)
		c.Hasher = lane
		if o.metrics != nil {
			o.metrics.RegisterLane(lane)
		}
	}
	if o.metrics != nil {
		c.Store, e.limits = o.metrics.InstrumentStore(e.store), o.metrics.InstrumentLimits(e.limits)
		e.audit, e.admin, e.disguises = o.metrics.InstrumentAuditor(e.audit), o.metrics.InstrumentAdmin(e.admin), o.metrics.InstrumentDisguises(e.disguises)
		c.Audit = e.audit
		c.Events = o.metrics.CountEvent
		mover, _ := e.store.(core.Mover)
		e.moves = core.NewMoves(c.Store, o.metrics.InstrumentMover(mover), nil, o.log)
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

// readMapping reads the file of --map.
func readMapping(path string) (django.Mapping, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return django.Mapping{}, fmt.Errorf("--map: %w", err)
	}
	m, err := django.ParseMapping(text)
	if err != nil {
		return m, fmt.Errorf("--map %s: %w", path, err)
	}
	return m, nil
}

// mustExist fails where dsn names a file that is not there: a command that only
// looks at a database, or changes what is in it, makes none.
func mustExist(dsn string) error {
	path, ok := store.SQLitePath(dsn)
	if !ok {
		return nil
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: there is no such database (serve, user create and import make one)", dsn)
	}
	return nil
}
