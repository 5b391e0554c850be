package metrics

import (
	"context"
	"time"

	"github.com/authcompat/authcompat/core"
)

// instrumentedMover is a core.Mover whose calls are counted.
type instrumentedMover struct {
	core.Mover
	move operation
}

func (m *instrumentedMover) MoveExpiries(ctx context.Context, moves []core.Move, now time.Time) (err error) {
	defer m.move.observe(time.Now(), &err)
	return m.Mover.MoveExpiries(ctx, moves, now)
}

// InstrumentMover gives a core.Mover whose calls are timed and counted; nil stays nil.
func (m *Metrics) InstrumentMover(mover core.Mover) core.Mover {
	if mover == nil {
		return nil
	}
	return &instrumentedMover{mover, m.operation("move_expiries")}
}
