package engine

import (
	"context"
	"time"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/wait"
)

// The batches of what is removed: small enough that a request which writes waits
// a few milliseconds for one, with pauses in which it gets its turn.
const (
	purgeBatch = 500
	purgePause = 20 * time.Millisecond
)

// inBatches runs remove until it has nothing left to remove.
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

// PurgeTokens removes the tokens that ended before a moment, those of the issuers or,
// where there are none, all. It gives how many, also beside an error.
func (e *Engine) PurgeTokens(ctx context.Context, before time.Time, issuers []string) (int, error) {
	return inBatches(ctx, func(limit int) (int, error) { return e.Backend.Admin.PurgeTokens(ctx, before, issuers, limit) })
}

// PurgeAudit removes the entries of the audit record from before a moment. It gives how
// many, also beside an error.
func (e *Engine) PurgeAudit(ctx context.Context, before time.Time) (int, error) {
	return inBatches(ctx, func(limit int) (int, error) { return e.Backend.Auditor.PurgeAudit(ctx, before, limit) })
}

// PurgeGuesses removes the guesses that count no more at a moment. It gives how many,
// also beside an error.
func (e *Engine) PurgeGuesses(ctx context.Context, now time.Time) (int, error) {
	return inBatches(ctx, func(limit int) (int, error) { return e.Backend.RateLimiter.PruneLimits(ctx, now, limit) })
}
