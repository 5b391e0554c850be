package core

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// ExpiryBatcher is a store that extends the expiry of several tokens in one step.
type ExpiryBatcher interface {
	// ExtendExpiries does what ExtendExpiry does for each of the updates, in one step.
	ExtendExpiries(ctx context.Context, updates []ExpiryUpdate, now time.Time) error
}

// ExpiryUpdate is the later expiry of a token.
type ExpiryUpdate struct {
	Digest Digest
	To     time.Time
}

// The bounds of an ExpiryWriter.
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

// ExpiryWriter is a write-behind buffer of sliding expiries. Requests do not wait for
// the disk, and a store whose cache is emptied by each commit loses it once a second
// instead of once a token.
//
// A late update brings nothing back: it is written only where the token is still
// there and still live at the time of writing. Service itself writes, at once, the
// expiry of a token that is about to end.
type ExpiryWriter struct {
	store   Store
	batcher ExpiryBatcher // nil: the store writes one at a time
	clock   Clock
	log     *slog.Logger

	mu      sync.Mutex
	waiting map[string]time.Time // ends by digest
	begun   chan struct{}        // has a value while updates wait
	full    chan struct{}        // has a value while half of the room is taken
}

// NewExpiryWriter makes an ExpiryWriter for a store; nothing is written until Run is
// called. batcher is nil if the store extends one expiry at a time. A nil clock is
// time.Now.
func NewExpiryWriter(store Store, batcher ExpiryBatcher, clock Clock, log *slog.Logger) *ExpiryWriter {
	if clock == nil {
		clock = time.Now
	}
	return &ExpiryWriter{
		store: store, batcher: batcher, clock: clock, log: log,
		waiting: make(map[string]time.Time), begun: make(chan struct{}, 1), full: make(chan struct{}, 1),
	}
}

// Run writes updates until ctx ends, and then those that are still waiting. It must return
// before the store is closed.
func (m *ExpiryWriter) Run(ctx context.Context) {
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
func (m *ExpiryWriter) gather(ctx context.Context) {
	timer := time.NewTimer(updateDelay)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-m.full:
	case <-ctx.Done():
	}
}

// enqueue takes an update and reports whether there was room for it.
func (m *ExpiryWriter) enqueue(d Digest, to time.Time) bool {
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
func (m *ExpiryWriter) write(ctx context.Context) {
	m.mu.Lock()
	waiting := m.waiting
	m.waiting = make(map[string]time.Time)
	m.mu.Unlock()

	updates := make([]ExpiryUpdate, 0, min(len(waiting), maxBatchUpdates))
	failed := 0
	var cause error
	flush := func() {
		if err := m.extend(ctx, updates); err != nil {
			failed, cause = failed+len(updates), err
		}
		updates = updates[:0]
	}
	for digest, to := range waiting {
		if updates = append(updates, ExpiryUpdate{Digest(digest), to}); len(updates) == maxBatchUpdates {
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
func (m *ExpiryWriter) extend(ctx context.Context, updates []ExpiryUpdate) error {
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

// MinRenewInterval is how much later the expiry of a sliding token must be before it is
// written, so that the stored expiry may lag by that much: at most one write a token and
// minute (django-rest-knox, MIN_REFRESH_INTERVAL).
const MinRenewInterval = 60 * time.Second

// slide extends the expiry of a sliding token: at once if it is near, otherwise in the
// background. A failure is only logged, since the request itself is good.
func (s *Service) slide(ctx context.Context, t *Token, now time.Time) {
	if t.Sliding == 0 || t.ExpiresAt.IsZero() {
		return
	}
	to := now.Add(t.Sliding)
	if to.Sub(t.ExpiresAt) < MinRenewInterval {
		return
	}
	if s.expiries != nil && t.ExpiresAt.Sub(now) >= MinRenewInterval {
		if s.expiries.enqueue(t.Digest, to) {
			t.ExpiresAt = to
		}
		return
	}
	if err := s.store.ExtendExpiry(ctx, t.Digest, to, now); err != nil {
		s.log.Warn("token's expiry not extended", "user_id", t.UserID, "error", err)
		return
	}
	t.ExpiresAt = to
}
