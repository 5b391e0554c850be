package httpserver

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"

	"github.com/authcompat/authcompat/core"
)

// connLimits limits how many connections of a listener are open at a time, in all and from
// one network ([core.Client.Network]). When there are too many, the one that has been idle
// for longest is closed, so that nobody keeps out others by doing nothing. If none is idle,
// one more of a network that has its share is refused; in all, the network that has most
// makes way for one that has less, with its longest request, and others wait.
type connLimits struct {
	all     int
	each    int                   // of a network
	trusted func(netip.Addr) bool // whose connections are not counted by network: proxies

	turn    atomic.Int64 // counts the times that a connection has become idle or active
	waiting atomic.Bool  // a new connection waits for a slot

	mu       sync.Mutex
	changed  sync.Cond // there may be a slot for who waits
	slots    map[*connSlot]struct{}
	networks map[string]int
	closed   bool
}

// connSlot is the place of an open connection in its listener's limits.
type connSlot struct {
	limits  *connLimits
	conn    io.Closer
	network string // empty: not counted
	// since is the turn at which it became idle or, negative, got a request. Requests change
	// it without a lock.
	since atomic.Int64
}

// newConnLimits makes limits. If trusted is nil, no address is.
func newConnLimits(all, each int, trusted func(netip.Addr) bool) *connLimits {
	l := &connLimits{all: all, each: each, trusted: trusted, slots: make(map[*connSlot]struct{}), networks: make(map[string]int)}
	l.changed.L = &l.mu
	return l
}

// networkOf returns the network that a connection is counted for; empty: none.
func (l *connLimits) networkOf(address net.Addr) string {
	peer, err := netip.ParseAddrPort(address.String())
	if err != nil || l.trusted != nil && l.trusted(peer.Addr().Unmap().WithZone("")) {
		return ""
	}
	return core.Client{Address: peer.Addr()}.Network()
}

// errNetworkFull is the error of a connection whose network has its share.
var errNetworkFull = errors.New("too many connections of one network")

// acquire gives a new connection a slot. It fails with errNetworkFull, or with
// net.ErrClosed if the listener closed while it waited.
func (l *connLimits) acquire(c io.Closer, address net.Addr) (*connSlot, error) {
	s := &connSlot{limits: l, conn: c, network: l.networkOf(address)}
	s.setIdle(true) // it has sent nothing yet
	l.mu.Lock()
	defer l.mu.Unlock()
	if s.network != "" && l.networks[s.network] >= l.each && !l.evict(s.network) {
		return nil, errNetworkFull
	}
	for len(l.slots) >= l.all && !l.closed {
		l.waiting.Store(true) // first: whoever becomes idle after this wakes it
		if !l.evict("") && !l.evictRequest(s.network) {
			l.changed.Wait()
		}
	}
	l.waiting.Store(false)
	if l.closed {
		return nil, net.ErrClosed
	}
	l.slots[s] = struct{}{}
	if s.network != "" {
		l.networks[s.network]++
	}
	return s, nil
}

// evict closes the connection that has been idle for longest, of one network unless it is
// empty, and reports whether there was one. The caller holds the lock.
func (l *connLimits) evict(network string) bool {
	var oldest *connSlot
	var turn int64
	for s := range l.slots {
		since := s.since.Load()
		if since > 0 && (oldest == nil || since < turn) && (network == "" || s.network == network) {
			oldest, turn = s, since
		}
	}
	return l.end(oldest)
}

// evictRequest closes, for a new connection of a network, the one with the longest request
// of the network that has most, if that has more: requests that are sent slowly must not
// keep out others. It reports whether there was one. The caller holds the lock.
func (l *connLimits) evictRequest(newcomer string) bool {
	largest := ""
	for network, n := range l.networks {
		if n > l.networks[largest] {
			largest = network
		}
	}
	if l.networks[largest] <= l.networks[newcomer]+1 {
		return false
	}
	var oldest *connSlot
	var turn int64
	for s := range l.slots {
		since := -s.since.Load()
		if since > 0 && (oldest == nil || since < turn) && s.network == largest {
			oldest, turn = s, since
		}
	}
	return l.end(oldest)
}

// end closes a connection, unless it is nil, and reports whether it is not. The caller
// holds the lock.
func (l *connLimits) end(s *connSlot) bool {
	if s == nil {
		return false
	}
	l.free(s)
	go s.conn.Close() // which takes locks of its own
	return true
}

// free takes a slot back, once. The caller holds the lock.
func (l *connLimits) free(s *connSlot) {
	if _, open := l.slots[s]; !open {
		return
	}
	delete(l.slots, s)
	if s.network != "" {
		if l.networks[s.network]--; l.networks[s.network] == 0 {
			delete(l.networks, s.network)
		}
	}
	l.changed.Signal()
}

// release gives up the slot of a connection that is closed.
func (s *connSlot) release() {
	s.limits.mu.Lock()
	defer s.limits.mu.Unlock()
	s.limits.free(s)
}

// setIdle says whether the connection waits for a request.
func (s *connSlot) setIdle(idle bool) {
	l := s.limits
	turn := l.turn.Add(1)
	if !idle {
		s.since.Store(-turn)
		return
	}
	s.since.Store(turn)
	if l.waiting.Load() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.changed.Signal()
	}
}

// close lets go of a connection that waits for a slot.
func (l *connLimits) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	l.changed.Broadcast()
}
