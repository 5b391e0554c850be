package shadowing

import (
	"context"
	"time"

	"github.com/authcompat/authcompat/core/hashing"
)

// lane is where passwords are checked, one at a time. It rests after each, so that all of them
// take a tenth of a processor at most: the old server may be on the same machine, and whether that
// is busy is not known here.
type lane chan struct{}

const (
	// restFactor is how many times as long as it has worked the lane rests.
	restFactor = 9
	// maxLaneWait is how long somebody waits for the lane, with the passwords.
	maxLaneWait = 5 * time.Second
)

// do works in the lane. It fails with hashing.ErrBusy if the lane is not free in time, with the
// context's error, or with that of work.
func (l lane) do(ctx context.Context, work func() error) error {
	timer := time.NewTimer(maxLaneWait)
	defer timer.Stop()
	select {
	case l <- struct{}{}:
	case <-timer.C:
		return hashing.ErrBusy
	case <-ctx.Done():
		return ctx.Err()
	}
	began := time.Now()
	defer func() {
		time.AfterFunc(restFactor*time.Since(began), func() { <-l })
	}()
	return work()
}
