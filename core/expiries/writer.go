// Package expiries writes the expiries of sliding tokens behind the requests that extend them.
package expiries

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/authcompat/authcompat/core"
)

// The bounds of a Writer.
const (
	// updateDelay is how long an update waits, so that others can be written with it.
	updateDelay = time.Second
	// maxWaitingUpdates is how many updates may wait. An update that finds no room is dropped:
	// the next use of the token makes another one.
	maxWaitingUpdates = 1 << 14
	// maxBatchUpdates is how many updates are written in one step, so that other writers get
	// their turn.
	maxBatchUpdates = 512
	// writeTimeout limits each write, also the last ones when a server stops.
	writeTimeout = 5 * time.Second
)

// A Writer is a write-behind buffer of sliding expiries. Requests do not wait for
// the disk, and a store whose cache is emptied by each commit loses it once a second
// instead of once a token.
//
// A late update brings nothing back: it is written only where the token is still
// there and still live at the time of writing. [core.Service] itself writes, at once, the
// expiry of a token that is about to end.
type Writer struct {
	store   core.Store
	batcher core.ExpiryBatcher // nil: the store writes one at a time
	clock   core.Clock
	log     *slog.Logger

	mu      sync.Mutex
	waiting map[string]time.Time // ends by digest
	begun   chan struct{}        // has a value while updates wait
	full    chan struct{}        // has a value while half of the room is taken
}

// NewWriter makes a Writer for a store; nothing is written until Run is
// called. batcher is nil if the store extends one expiry at a time. A nil clock is
// time.Now.
func NewWriter(store core.Store, batcher core.ExpiryBatcher, clock core.Clock, log *slog.Logger) *Writer {
	if clock == nil {
		clock = time.Now
	}
	return &Writer{
		store: store, batcher: batcher, clock: clock, log: log,
		waiting: make(map[string]time.Time), begun: make(chan struct{}, 1), full: make(chan struct{}, 1),
	}
}

// Run writes updates until ctx ends, and then those that are still waiting. It must return
// before the store is closed.
func (m *Writer) Run(ctx context.Context) {
	for over := false; !over; {
		select {
		case <-m.begun:
			m.gather(ctx)
		case <-ctx.Done():
			over = true
		}
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeTimeout)
		m.write(ending)
		cancel()
	}
}

// gather waits for more updates.
func (m *Writer) gather(ctx context.Context) {
	timer := time.NewTimer(updateDelay)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-m.full:
	case <-ctx.Done():
	}
}

// Enqueue takes an update and reports whether there was room for it.
func (m *Writer) Enqueue(d core.Digest, to time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if end, there := m.waiting[string(d)]; there {
		if to.After(end) {
			m.waiting[string(d)] = to
		}
		return true
	}
	if len(m.waiting) >= maxWaitingUpdates {
		return false
	}
	m.waiting[string(d)] = to
	signal(m.begun)
	if len(m.waiting) >= maxWaitingUpdates/2 {
		signal(m.full)
	}
	return true
}

// signal puts a value into a channel with room for one.
func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// write writes the updates that wait. Those that fail are dropped, like those that find no
// room.
func (m *Writer) write(ctx context.Context) {
	m.mu.Lock()
	waiting := m.waiting
	m.waiting = make(map[string]time.Time)
	m.mu.Unlock()

	updates := make([]core.ExpiryUpdate, 0, min(len(waiting), maxBatchUpdates))
	failed := 0
	var cause error
	flush := func() {
		if err := m.extend(ctx, updates); err != nil {
			failed, cause = failed+len(updates), err
		}
		updates = updates[:0]
	}
	for digest, to := range waiting {
		if updates = append(updates, core.ExpiryUpdate{Digest: core.Digest(digest), To: to}); len(updates) == maxBatchUpdates {
			flush()
		}
	}
	if len(updates) > 0 {
		flush()
	}
	if cause != nil {
		m.log.Warn("expiries of tokens not extended", "tokens", failed, "error", cause)
	}
}

// extend writes some updates.
func (m *Writer) extend(ctx context.Context, updates []core.ExpiryUpdate) error {
	now := m.clock().UTC().Truncate(time.Microsecond)
	if m.batcher != nil {
		return m.batcher.ExtendExpiries(ctx, updates, now)
	}
	for _, u := range updates {
		if err := m.store.ExtendExpiry(ctx, u.Digest, u.To, now); err != nil {
			return err
		}
	}
	return nil
}
