package httpserver

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/fairshare"
)

// connLimits limits how many connections of a listener are open at a time, in all and from
// one network ([core.Client.Network]). When there are too many, the one that has been idle
// for longest is closed, so that nobody keeps out others by doing nothing. If none is idle,
// one more of a network that has its share is refused; in all, the network that has most
// makes way for one beside it that has less, with its longest request. If none has to, one
// more of a network that has any is refused too: others must not wait behind it.
type connLimits struct {
	all     int
	each    int                   // of a network
	trusted func(netip.Addr) bool // whose connections are not counted by network: proxies

	turn    atomic.Int64 // counts the times that a connection has become idle or active
	waiting atomic.Bool  // a new connection waits for a slot

	mu       sync.Mutex
	changed  sync.Cond // there may be a slot for who waits
	slots    map[*connSlot]struct{}
	networks fairshare.Tree[int] // how many are open
	closed   bool
}

// connSlot is the place of an open connection in its listener's limits.
type connSlot struct {
	limits   *connLimits
	conn     io.Closer
	networks []netip.Prefix // [core.Client.Networks]; empty: not counted
	// since is the turn at which it became idle or, negative, got a request. Requests change
	// it without a lock.
	since atomic.Int64
}

// newConnLimits makes limits. If trusted is nil, no address is.
func newConnLimits(all, each int, trusted func(netip.Addr) bool) *connLimits {
	l := &connLimits{all: all, each: each, trusted: trusted, slots: make(map[*connSlot]struct{})}
	l.changed.L = &l.mu
	return l
}

// networksOf returns the networks that a connection is counted for; empty: none.
func (l *connLimits) networksOf(address net.Addr) []netip.Prefix {
	peer, err := netip.ParseAddrPort(address.String())
	if err != nil || l.trusted != nil && l.trusted(peer.Addr().Unmap().WithZone("")) {
		return nil
	}
	return core.Client{Address: peer.Addr()}.Networks()
}

// errNetworkFull is the error of a connection whose network has its share.
var errNetworkFull = errors.New("too many connections of one network")

// acquire gives a new connection a slot. It fails with errNetworkFull, or with
// net.ErrClosed if the listener closed while it waited.
func (l *connLimits) acquire(c io.Closer, address net.Addr) (*connSlot, error) {
	s := &connSlot{limits: l, conn: c, networks: l.networksOf(address)}
	s.setIdle(true) // it has sent nothing yet
	counted := len(s.networks) > 0
	l.mu.Lock()
	defer l.mu.Unlock()
	if counted && l.networks.Held(s.networks...) >= l.each && !l.evict(s.narrowest()) {
		return nil, errNetworkFull
	}
	for len(l.slots) >= l.all && !l.closed {
		l.waiting.Store(true) // first: whoever becomes idle after this wakes it
		if l.evict(netip.Prefix{}) || l.evictRequest(s.networks) {
			continue
		}
		if counted && l.networks.Held(s.networks[0]) > 0 {
			l.waiting.Store(false)
			return nil, errNetworkFull
		}
		l.changed.Wait()
	}
	l.waiting.Store(false)
	if l.closed {
		return nil, net.ErrClosed
	}
	l.slots[s] = struct{}{}
	l.count(s, 1)
	return s, nil
}

// narrowest returns the network of a connection to which the limit of one applies; zero:
// none.
func (s *connSlot) narrowest() netip.Prefix {
	if len(s.networks) == 0 {
		return netip.Prefix{}
	}
	return s.networks[len(s.networks)-1]
}

// count adds an open connection to those of its networks, or takes it away. The caller
// holds the lock.
func (l *connLimits) count(s *connSlot, sign int) {
	if len(s.networks) > 0 {
		l.networks.Update(s.networks, func(open *int) { *open += sign })
	}
}

// evict closes the connection that has been idle for longest, of one network unless it is
// zero, and reports whether there was one. The caller holds the lock.
func (l *connLimits) evict(network netip.Prefix) bool {
	return l.end(l.first(1, network))
}

// evictRequest closes, for a new connection of networks, the one with the longest request
// of the network that has most, if that has more: requests that are sent slowly must not
// keep out others. It reports whether there was one. The caller holds the lock.
func (l *connLimits) evictRequest(newcomer []netip.Prefix) bool {
	if len(newcomer) == 0 {
		newcomer = core.Client{}.Networks() // of which there are no others
	}
	most := func(open int) (int64, bool) { return int64(open), true }
	largest := l.networks.Yielding(newcomer, 1, most)
	return largest != nil && l.end(l.first(-1, largest.Innermost(most).Prefix))
}

// first returns the connection that has been idle (sign 1), or has had a request (-1), for
// longest, of one network unless it is zero; nil: there is none. The caller holds the lock.
func (l *connLimits) first(sign int64, network netip.Prefix) (oldest *connSlot) {
	var turn int64
	for s := range l.slots {
		since := sign * s.since.Load()
		if since > 0 && (oldest == nil || since < turn) && (!network.IsValid() || s.narrowest() == network) {
			oldest, turn = s, since
		}
	}
	return oldest
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
	l.count(s, -1)
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
