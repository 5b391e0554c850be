package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store"
)

// pageSize is how many rows are read at a time.
const pageSize = 500

// administer opens the store for an operator who works on users and tokens, and
// runs do.
func administer(cmd *cobra.Command, f *engineFlags, do func(ctx context.Context, e *engine) error) error {
	return operate(cmd, f, func(ctx context.Context, e *engine) error {
		if e.admin == nil || e.audit == nil {
			return errors.New("this store has no commands for operators but audit")
		}
		return do(ctx, e)
	})
}

// review opens the store for an operator who works on the audit record, and runs
// do. Django's own tables have one too.
func review(cmd *cobra.Command, f *engineFlags, do func(ctx context.Context, e *engine) error) error {
	return operate(cmd, f, func(ctx context.Context, e *engine) error {
		if e.audit == nil {
			return errors.New("this store keeps no audit record")
		}
		return do(ctx, e)
	})
}

func operate(cmd *cobra.Command, f *engineFlags, do func(ctx context.Context, e *engine) error) (err error) {
	if err := mustExist(f.store); err != nil {
		return err
	}
	e, err := openForCommand(cmd.Context(), f)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	return do(cmd.Context(), e)
}

// openForCommand opens the store as a command works on it.
func openForCommand(ctx context.Context, f *engineFlags) (*engine, error) {
	return openEngine(ctx, engineOptions{dsn: f.store, mapping: f.mapping, iterations: f.iterations})
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

// user finds the user whom a command names.
func (e *engine) user(ctx context.Context, name string) (core.User, error) {
	u, err := e.User(ctx, name)
	if err != nil && core.KindOf(err) == core.KindUserUnknown {
		return core.User{}, fmt.Errorf("there is no user %q", name)
	}
	return u, err
}

// eachToken runs do for each token that matches.
func (e *engine) eachToken(ctx context.Context, f core.TokenFilter, do func(core.Token) error) error {
	for {
		tokens, err := e.admin.Tokens(ctx, f, pageSize)
		if err != nil {
			return err
		}
		for _, t := range tokens {
			f.After = t.Digest
			if err := do(t); err != nil {
				return err
			}
		}
		if len(tokens) < pageSize {
			return nil
		}
	}
}

// revokeAll ends all tokens of a user, in every realm.
func (e *engine) revokeAll(ctx context.Context, u core.User) (int, error) {
	realms := make(map[string]bool)
	err := e.eachToken(ctx, core.TokenFilter{UserID: u.ID}, func(t core.Token) error {
		realms[t.Realm] = true
		return nil
	})
	n := 0
	for realm := range realms {
		ended, revoking := e.RevokeTokens(ctx, u, realm)
		n += ended
		err = errors.Join(err, revoking)
	}
	return n, err
}
