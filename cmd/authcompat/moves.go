package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/authcompat/authcompat/core"
)

// measuredMover is a core.Mover whose calls are counted.
type measuredMover struct {
	core.Mover
	move operation
}

func (m *measuredMover) MoveExpiries(ctx context.Context, moves []core.Move, now time.Time) (err error) {
	defer m.move.done(time.Now(), &err)
	return m.Mover.MoveExpiries(ctx, moves, now)
}

// newMoves makes what writes the ends of sliding tokens in the background of a
// server. Measured is the store with its calls counted.
func newMoves(store, measured core.Store, m *metrics, log *slog.Logger) *core.Moves {
	mover, ok := store.(core.Mover)
	if !ok {
		return core.NewMoves(measured, nil, nil, log)
	}
	counted := &measuredMover{mover, m.operation("move_expiries")}
	return core.NewMoves(measured, counted, nil, log)
}
