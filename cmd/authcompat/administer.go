package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"
)

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
