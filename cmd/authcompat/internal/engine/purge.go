package engine

import (
	"context"
	"time"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/wait"
	"github.com/authcompat/authcompat/core/callers"
)

// Rows are deleted in batches so small that a request which writes waits only a few
// milliseconds for one, with pauses in which such requests get their turn.
const (
	purgeBatch = 500
	purgePause = 20 * time.Millisecond
)

// inBatches calls remove until nothing is left to be removed.
func inBatches(ctx context.Context, remove func(limit int) (int, error)) (total int, err error) {
	for {
		n, err := remove(purgeBatch)
		total += n
		if err != nil || n < purgeBatch {
			return total, err
		}
		if !wait.For(ctx, purgePause) {
			return total, ctx.Err()
		}
	}
}

// PurgeTokens deletes the tokens that expired before a moment: those of the issuers, or of
// all if there are no issuers. It returns how many it deleted, also with an error.
func (e *Engine) PurgeTokens(ctx context.Context, before time.Time, issuers []string) (int, error) {
	return inBatches(ctx, func(limit int) (int, error) { return e.Backend.Admin.PurgeTokens(ctx, before, issuers, limit) })
}

// RevokeEverything ends the tokens of all users that were created before a moment, or all
// if it is zero, and returns how many, also with an error.
func (e *Engine) RevokeEverything(ctx context.Context, before time.Time) (int, error) {
	return e.RevokeAllTokens(ctx, e.Backend.Admin, before, func() error {
		if !wait.For(ctx, purgePause) {
			return ctx.Err()
		}
		return nil
	})
}

// PurgeAudit deletes the audit entries from before a moment. It returns how many it
// deleted, also with an error.
func (e *Engine) PurgeAudit(ctx context.Context, before time.Time) (int, error) {
	return inBatches(ctx, func(limit int) (int, error) { return e.Backend.Auditor.PurgeAudit(ctx, before, limit) })
}

// PurgeCalls deletes who called on days before one. It returns how many callers it deleted, also with
// an error.
func (e *Engine) PurgeCalls(ctx context.Context, before callers.Day) (int, error) {
	return inBatches(ctx, func(limit int) (int, error) { return e.Backend.Callers.PurgeCalls(ctx, before, limit) })
}

// PruneLimits deletes the login limits that are no longer in use at a moment. It returns
// how many it deleted, also with an error.
func (e *Engine) PruneLimits(ctx context.Context, now time.Time) (int, error) {
	return inBatches(ctx, func(limit int) (int, error) { return e.Backend.RateLimiter.PruneLimits(ctx, now, limit) })
}
