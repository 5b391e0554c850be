package main

import (
	"context"
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
	iterations int
}

func (f *engineFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&f.store, "store", store.Default, "database: sqlite:PATH")
	flags.IntVar(&f.iterations, "password-iterations", password.DefaultIterations, "PBKDF2 iterations of new password hashes")
}

// open opens the store and makes an engine on it. The store is the caller's to
// close.
func (f *engineFlags) open(ctx context.Context, sealer core.Sealer, log *slog.Logger) (*core.Service, core.Store, error) {
	hasher, err := core.NewPasswords(f.iterations)
	if err != nil {
		return nil, nil, fmt.Errorf("--password-iterations: %w", err)
	}
	s, err := store.Open(ctx, f.store)
	if err != nil {
		return nil, nil, err
	}
	return core.New(core.Config{Store: s, Hasher: hasher, Sealer: sealer, Log: log}), s, nil
}
