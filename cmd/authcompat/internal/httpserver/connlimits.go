package httpserver

import (
	"container/list"
	"io"
	"net"
	"net/netip"
	"sync"

	"github.com/authcompat/authcompat/core"
)

// connLimits limits how many connections of a listener are open at a time, in all and from
// one network ([core.Client.Network]). When there are too many, the one that has been idle
// for longest is closed, so that nobody keeps out others by doing nothing. If none is idle,
// one more of a network that has its share is refused; in all, it waits.
type connLimits struct {
	all     int
	each    int                   // of a network
	trusted func(netip.Addr) bool // whose connections are not counted by network: proxies
	refused func(net.Addr)        // is told of each connection that is refused

	mu       sync.Mutex
	changed  sync.Cond // a slot was released, or the listener closed
	open     int
	networks map[string]int
	idle     list.List // of *connSlot, the one that has been idle for longest first
	closed   bool
}

// connSlot is the place of an open connection in its listener's limits.
type connSlot struct {
	limits  *connLimits
	conn    io.Closer
	network string        // empty: not counted
	idle    *list.Element // nil: it has a request
	freed   bool
}

// newConnLimits makes limits. trusted and refused may be nil.
func newConnLimits(all, each int, trusted func(netip.Addr) bool, refused func(net.Addr)) *connLimits {
	l := &connLimits{all: all, each: each, trusted: trusted, refused: refused, networks: make(map[string]int)}
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

// acquire gives a new connection a slot. It returns nil if the connection is refused, or
// the listener closed while it waited.
func (l *connLimits) acquire(c io.Closer, address net.Addr) *connSlot {
	s := &connSlot{limits: l, conn: c, network: l.networkOf(address)}
	l.mu.Lock()
	defer l.mu.Unlock()
	if s.network != "" && l.networks[s.network] >= l.each && !l.evict(s.network) {
		if l.refused != nil {
			l.refused(address)
		}
		return nil
	}
	for l.open >= l.all && !l.closed {
		if !l.evict("") {
			l.changed.Wait()
		}
	}
	if l.closed {
		return nil
	}
	l.open++
	if s.network != "" {
		l.networks[s.network]++
	}
	s.idle = l.idle.PushBack(s) // it has sent nothing yet
	return s
}

// evict closes the connection that has been idle for longest, of one network unless it is
// empty, and reports whether there was one. The caller holds the lock.
func (l *connLimits) evict(network string) bool {
	for e := l.idle.Front(); e != nil; e = e.Next() {
		s := e.Value.(*connSlot)
		if network == "" || s.network == network {
			s.free()
			go s.conn.Close() // which takes locks of its own
			return true
		}
	}
	return false
}

// free gives up the slot. The caller holds the lock.
func (s *connSlot) free() {
	if s.freed {
		return
	}
	l := s.limits
	s.freed = true
	s.unlist()
	l.open--
	if s.network != "" {
		if l.networks[s.network]--; l.networks[s.network] == 0 {
			delete(l.networks, s.network)
		}
	}
	l.changed.Signal()
}

// unlist removes the slot from those of idle connections. The caller holds the lock.
func (s *connSlot) unlist() {
	if s.idle != nil {
		s.limits.idle.Remove(s.idle)
		s.idle = nil
	}
}

// release gives up the slot of a connection that is closed.
func (s *connSlot) release() {
	s.limits.mu.Lock()
	defer s.limits.mu.Unlock()
	s.free()
}

// setIdle says whether the connection waits for a request.
func (s *connSlot) setIdle(idle bool) {
	s.limits.mu.Lock()
	defer s.limits.mu.Unlock()
	switch {
	case !idle:
		s.unlist()
	case s.idle == nil && !s.freed:
		s.idle = s.limits.idle.PushBack(s)
	}
}

// close lets go of a connection that waits for a slot.
func (l *connLimits) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	l.changed.Broadcast()
}
