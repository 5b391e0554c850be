package main

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

// purgeTokens removes the tokens that ended before a moment, those of the issuers
// or all.
func (e *engine) purgeTokens(ctx context.Context, before time.Time, issuers []string) (int, error) {
	return inBatches(ctx, func(limit int) (int, error) { return e.admin.PurgeTokens(ctx, before, issuers, limit) })
}

// purgeAudit removes the entries of the record from before a moment.
func (e *engine) purgeAudit(ctx context.Context, before time.Time) (int, error) {
	return inBatches(ctx, func(limit int) (int, error) { return e.audit.PurgeAudit(ctx, before, limit) })
}

// purgeGuesses removes the guesses that count no more at a moment.
func (e *engine) purgeGuesses(ctx context.Context, now time.Time) (int, error) {
	return inBatches(ctx, func(limit int) (int, error) { return e.limits.ForgetGuesses(ctx, now, limit) })
}
