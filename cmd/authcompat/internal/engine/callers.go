package engine

import (
	"context"
	"errors"
	"time"

	"github.com/authcompat/authcompat/core/callers"
)

// ErrNoCallers is a store that keeps nothing of who calls.
var ErrNoCallers = errors.New("this store does not keep who calls")

// ListCallers returns who called from the day of a time on (zero: all that are kept) through an API
// (empty: all), with the most requests first: at most limit callers, unless it is 0. It fails with ErrNoCallers, or as
// [callers.Store].
func (e *Engine) ListCallers(ctx context.Context, since time.Time, profile string, by callers.Dimension, limit int) ([]callers.Calls, error) {
	if e.Backend.Callers == nil {
		return nil, ErrNoCallers
	}
	f := callers.Filter{Profile: profile, Limit: limit}
	if !since.IsZero() {
		f.Since = callers.DayOf(since)
	}
	return e.Backend.Callers.SumCalls(ctx, f, by)
}

// NobodyCalled says that there is nothing to show of who calls, and why that may be.
func (e *Engine) NobodyCalled() string {
	text := "nobody has called in this time, as far as it is kept: servers write it once a minute, unless they have --callers off or --callers-retention 0"
	if e.Backend.Plaintext != nil {
		text += "; in a Django database that is worked on, only with --callers on"
	}
	return text
}
