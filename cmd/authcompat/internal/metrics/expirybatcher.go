package metrics

import (
	"context"
	"time"

	"github.com/authcompat/authcompat/core"
)

// instrumentedExpiryBatcher is a core.ExpiryBatcher whose calls are counted.
type instrumentedExpiryBatcher struct {
	core.ExpiryBatcher
	extend operation
}

func (b *instrumentedExpiryBatcher) ExtendExpiries(ctx context.Context, updates []core.ExpiryUpdate, now time.Time) (err error) {
	defer b.extend.observe(time.Now(), &err)
	return b.ExpiryBatcher.ExtendExpiries(ctx, updates, now)
}

func (m *Metrics) instrumentExpiryBatcher(b core.ExpiryBatcher) core.ExpiryBatcher {
	if b == nil {
		return nil
	}
	return &instrumentedExpiryBatcher{b, m.operation("extend_expiries")}
}
