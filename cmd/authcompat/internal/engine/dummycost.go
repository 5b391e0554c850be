package engine

import (
	"context"
	"time"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/wait"
	"github.com/authcompat/authcompat/core/hashing"
)

// dummyCostInterval is how often it is counted how passwords are hashed.
const dummyCostInterval = time.Hour

// RefreshDummyCosts keeps a login of a name that nobody has as expensive as others
// are, until ctx ends, and calls failed with what keeps it from that. At a store that
// does not know how passwords are hashed there is nothing to do.
func (e *Engine) RefreshDummyCosts(ctx context.Context, failed func(error)) {
	for e.Backend.Privacy != nil {
		d, err := hashing.LoadDummyCosts(ctx, e.Backend.Privacy, e.pseudonymKey)
		if err == nil {
			e.hasher.SetDummyCosts(d)
		} else if ctx.Err() == nil {
			failed(err)
		}
		if !wait.For(ctx, dummyCostInterval) {
			return
		}
	}
}
