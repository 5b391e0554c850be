// Package wait has the pauses of background tasks.
package wait

import (
	"context"
	"time"
)

// For waits for d, or until ctx ends. It reports whether all of d has passed.
func For(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
