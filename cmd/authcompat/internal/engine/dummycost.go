package engine

import (
	"context"
	"time"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/wait"
	"github.com/authcompat/authcompat/core/hashing"
)

// dummyCostInterval is how often the formats of password hashes are counted.
const dummyCostInterval = time.Hour

// RefreshDummyCosts makes a login of an unknown username as expensive as that of an
// existing one, by counting the formats of password hashes at every dummyCostInterval
// until ctx ends. It calls failed with the error of a count. It does nothing if the store
// can't count them.
func (e *Engine) RefreshDummyCosts(ctx context.Context, failed func(error)) {
	for e.Backend.Privacy != nil {
		d, err := hashing.LoadDummyCosts(ctx, e.Backend.Privacy, e.databaseKey)
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
