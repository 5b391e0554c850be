package core

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// Mover is a Store that moves the ends of several tokens in one step.
type Mover interface {
	// MoveExpiries is what MoveExpiry does for each of the moves, in one step.
	MoveExpiries(ctx context.Context, moves []Move, now time.Time) error
}

// Move is a later end of a token.
type Move struct {
	Digest Digest
	To     time.Time
}

// The bounds of Moves.
const (
	// moveDelay is how long a move waits for others to be written with.
	moveDelay = time.Second
	// movesWaiting is how many moves wait at most. One that finds no room is
	// forgotten: the token's next use asks for it again.
	movesWaiting = 1 << 14
	// movesAtOnce is how many are written in one step, so that other writers of
	// the store get their turn.
	movesAtOnce = 512
	// moveTimeout is how long the last moves may take when a server stops.
	moveTimeout = 5 * time.Second
)

// Moves writes the moved ends of tokens a little later than the requests that
// move them, so that no request waits for the disk, and a store that has to
// forget what it remembers at each commit does so once a second instead of for
// each token.
//
// A late move brings nothing back: it is written only where the token is still
// there and still live at the time of writing. A token that is about to end is
// none for Moves: Service writes its end at once.
type Moves struct {
	store Store
	mover Mover // nil: the store writes one at a time
	clock Clock
	log   *slog.Logger

	mu      sync.Mutex
	waiting map[string]time.Time // ends by digest
	begun   chan struct{}        // has a value while moves wait
	full    chan struct{}        // has a value while half of the room is taken
}

// NewMoves makes Moves for a store. Nothing is written until Run runs. Mover is
// the store, if it is one: store itself may be something around it. A nil clock
// is time.Now.
func NewMoves(store Store, mover Mover, clock Clock, log *slog.Logger) *Moves {
	if clock == nil {
		clock = time.Now
	}
	return &Moves{
		store: store, mover: mover, clock: clock, log: log,
		waiting: make(map[string]time.Time), begun: make(chan struct{}, 1), full: make(chan struct{}, 1),
	}
}

// Run writes moves until ctx ends, and then those that still wait. It has to end
// before the store is closed.
func (m *Moves) Run(ctx context.Context) {
	for over := false; !over; {
		select {
		case <-m.begun:
			m.gather(ctx)
		case <-ctx.Done():
			over = true
		}
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), moveTimeout)
		m.write(ending)
		cancel()
	}
}

// gather waits for more moves to come.
func (m *Moves) gather(ctx context.Context) {
	timer := time.NewTimer(moveDelay)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-m.full:
	case <-ctx.Done():
	}
}

// later takes a move on and tells whether there was room for it.
func (m *Moves) later(d Digest, to time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if end, there := m.waiting[string(d)]; there {
		if to.After(end) {
			m.waiting[string(d)] = to
		}
		return true
	}
	if len(m.waiting) >= movesWaiting {
		return false
	}
	m.waiting[string(d)] = to
	signal(m.begun)
	if len(m.waiting) >= movesWaiting/2 {
		signal(m.full)
	}
	return true
}

// signal puts a value into a channel that has room for one.
func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// write writes the moves that wait. Those that fail are forgotten, as those that
// find no room are.
func (m *Moves) write(ctx context.Context) {
	m.mu.Lock()
	waiting := m.waiting
	m.waiting = make(map[string]time.Time)
	m.mu.Unlock()

	moves := make([]Move, 0, min(len(waiting), movesAtOnce))
	failed := 0
	var cause error
	flush := func() {
		if err := m.move(ctx, moves); err != nil {
			failed, cause = failed+len(moves), err
		}
		moves = moves[:0]
	}
	for digest, to := range waiting {
		if moves = append(moves, Move{Digest(digest), to}); len(moves) == movesAtOnce {
			flush()
		}
	}
	if len(moves) > 0 {
		flush()
	}
	if cause != nil {
		m.log.Warn("ends of tokens not moved", "tokens", failed, "error", cause)
	}
}

// move writes some moves, as the time is now.
func (m *Moves) move(ctx context.Context, moves []Move) error {
	now := m.clock().UTC().Truncate(time.Microsecond)
	if m.mover != nil {
		return m.mover.MoveExpiries(ctx, moves, now)
	}
	for _, move := range moves {
		if err := m.store.MoveExpiry(ctx, move.Digest, move.To, now); err != nil {
			return err
		}
	}
	return nil
}
