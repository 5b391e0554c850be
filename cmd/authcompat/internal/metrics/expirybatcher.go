package metrics

import (
	"context"
	"time"

	"github.com/authcompat/authcompat/core"
)

// instrumentedExpiryBatcher is a core.ExpiryBatcher whose calls are counted.
type instrumentedExpiryBatcher struct {
	core.ExpiryBatcher
	move operation
}

func (m *instrumentedExpiryBatcher) ExtendExpiries(ctx context.Context, moves []core.ExpiryUpdate, now time.Time) (err error) {
	defer m.move.observe(time.Now(), &err)
	return m.ExpiryBatcher.ExtendExpiries(ctx, moves, now)
}

func (m *Metrics) instrumentExpiryBatcher(mover core.ExpiryBatcher) core.ExpiryBatcher {
	if mover == nil {
		return nil
	}
	return &instrumentedExpiryBatcher{mover, m.operation("move_expiries")}
}
