package command

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/config"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/engine"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/keyring"
	"github.com/authcompat/authcompat/core"
)

// WithAdmin opens the store for a command on users and tokens, and calls do.
func WithAdmin(cmd *cobra.Command, f *config.Engine, do func(ctx context.Context, e *engine.Engine) error) error {
	return WithEngine(cmd, f, func(ctx context.Context, e *engine.Engine) error {
		if e.Backend.Admin == nil || e.Backend.Auditor == nil {
			return errors.New("on Django's own tables only user create, limits clear, audit, audit purge and cutover work: for the rest use Django's own admin")
		}
		return do(ctx, e)
	})
}

// WithAudit opens the store for a command on the audit record, and calls do. A store on
// Django's own tables has a record too.
func WithAudit(cmd *cobra.Command, f *config.Engine, do func(ctx context.Context, e *engine.Engine) error) error {
	return WithEngine(cmd, f, func(ctx context.Context, e *engine.Engine) error {
		if e.Backend.Auditor == nil {
			return errors.New("this store keeps no audit record")
		}
		return do(ctx, e)
	})
}

// WithEngine opens the store for a command, and calls do. The store has to be there.
func WithEngine(cmd *cobra.Command, f *config.Engine, do func(ctx context.Context, e *engine.Engine) error) (err error) {
	if err := engine.CheckExists(cmd.Context(), f.Store); err != nil {
		return err
	}
	e, err := OpenEngine(cmd.Context(), f)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	return do(cmd.Context(), e)
}

// WithPseudonyms lets the engine find what stands for a name that nobody has, which takes
// the sealing keys. Where there are none, it finds nothing.
func WithPseudonyms(ctx context.Context, cmd *cobra.Command, e *engine.Engine, username string, keys keyring.Location) error {
	sealer, err := keys.LoadOrWarn(ctx, func(missing error) {
		if _, err := e.User(ctx, username); core.KindOf(err) == core.KindUserUnknown {
			WarnOn(cmd.ErrOrStderr())(fmt.Errorf("%w; without it, a name that nobody has is not found", missing))
		}
	})
	if err != nil {
		return err
	}
	e.SealWith(sealer)
	return nil
}

// OpenEngine opens the store for a command.
func OpenEngine(ctx context.Context, f *config.Engine) (*engine.Engine, error) {
	mapping, err := f.ReadMapping(ctx)
	if err != nil {
		return nil, err
	}
	return engine.Open(ctx, engine.Options{DSN: f.Store, Mapping: mapping, Iterations: f.Iterations})
}
