// Package wait waits between the rounds of what is done in the background.
package wait

import (
	"context"
	"time"
)

// For waits for d, or until ctx ends. It tells whether all of d has passed.
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
