package pgconn

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"
)

const (
	// maxPause is the longest pause before a retry.
	maxPause = 100 * time.Millisecond
	// maxLost is the number of connections that a call may lose, or fail to open,
	// before it gives up: a database that is down is usually down for longer than a
	// call should wait.
	maxLost = 3
)

// retrier decides whether a failed call is retried.
type retrier struct {
	deadline time.Time
	attempts int
	lost     int // connections
	// afterAmbiguous is set if an earlier attempt may have been committed.
	afterAmbiguous bool
}

func newRetrier(wait time.Duration) *retrier { return &retrier{deadline: time.Now().Add(wait)} }

// shouldRetry reports whether a call that failed with err should be retried, and pauses
// before that. The first lost connection may just have been idle for too long, so the
// next one is tried at once.
func (r *retrier) shouldRetry(ctx context.Context, err error) bool {
	if err == nil {
		return false
	}
	r.afterAmbiguous = r.afterAmbiguous || errors.Is(err, ErrAmbiguousCommit)
	r.attempts++
	pause := rand.N(min(maxPause, time.Millisecond<<min(r.attempts, 10)))
	switch kind := classify(err); {
	case ctx.Err() != nil:
		return false
	case r.afterAmbiguous && kind != permanent, errors.Is(err, ErrAmbiguousCommit):
	case kind == conflict:
	case kind == lost || kind == unreachable:
		r.lost++
		if r.lost == maxLost {
			return false
		}
		pause = time.Duration(r.lost-1) * maxPause
	default:
		return false
	}
	if time.Now().Add(pause).After(r.deadline) {
		return false
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
