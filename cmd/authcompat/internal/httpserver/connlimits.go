package httpserver

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/authcompat/authcompat/core/clients"
	"github.com/authcompat/authcompat/core/fairshare"
)

// connLimits limits how many connections of a listener are open at a time, in all and from
// one network ([clients.Client.Network]). One more of a network that has its share closes the one
// of them that has been idle for longest, or is refused. When there are too many in all, see
// makeRoom; if none has to make way, one more of a network that has any is refused: others must
// not wait behind it. Any other waits for a few seconds, until a request is over, or has been
// unfinished for so long that it makes way.
type connLimits struct {
	trusted func(netip.Addr) bool // whose connections are not counted by network: proxies
	files   *fileShare            // whose turn counts the times that a connection has become idle or active

	waiting atomic.Bool // a new connection waits for a slot

	mu       sync.Mutex
	all      int
	each     int       // of a network
	changed  sync.Cond // there may be a slot for who waits
	open     int
	networks fairshare.Tree[int] // how many are open, or have a request through a proxy
	places   map[netip.Prefix]*connPlace
	closed   bool
	// marks are two turns, at least unfinishedFor apart, the older first.
	marks [2]turnMark
}

// turnMark is a turn, and when it was.
type turnMark struct {
	at   time.Time
	turn int64
}

// connPlace are the connections of the narrowest network, or those that are of none.
type connPlace struct {
	slots []*connSlot
	path  []*fairshare.Network[int] // the networks; empty: none
}

// connSlot is the place of an open connection in its listener's limits.
type connSlot struct {
	limits   *connLimits
	conn     io.Closer
	accepted time.Time
	proxied  bool           // by a trusted proxy
	networks []netip.Prefix // [clients.Client.Networks]; empty: not counted
	place    *connPlace     // nil: it is not open
	index    int            // in the place
	// claimed says that a proxied connection has networks, those of its request's client.
	claimed atomic.Bool
	// since is the turn at which it became idle or, negative, got a request. Requests change
	// it without a lock.
	since atomic.Int64
	used  atomic.Bool // it has got a request
	// unfinished says that it has a request of which not all has been read.
	unfinished atomic.Bool
}

// newConnLimits makes limits. If trusted is nil, no address is.
func newConnLimits(files *fileShare, all, each int, trusted func(netip.Addr) bool) *connLimits {
	l := &connLimits{files: files, all: all, each: each, trusted: trusted, places: make(map[netip.Prefix]*connPlace)}
	l.changed.L = &l.mu
	files.add(l)
	return l
}

// set changes the limits.
func (l *connLimits) set(all, each int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all, l.each = all, each
	l.changed.Signal()
}

// networksOf returns the networks that a connection is counted for; empty: none.
func (l *connLimits) networksOf(address net.Addr) []netip.Prefix {
	peer, err := netip.ParseAddrPort(address.String())
	if err != nil || l.trusted != nil && l.trusted(peer.Addr().Unmap().WithZone("")) {
		return nil
	}
	return clients.Client{Address: peer.Addr()}.Networks()
}

// Why a connection is refused.
var (
	errNetworkFull = errors.New("too many connections of one network")
	errFull        = errors.New("too many connections")
)

// slot returns the slot of a new connection, which has to be acquired.
func (l *connLimits) slot(c io.Closer, address net.Addr) *connSlot {
	s := &connSlot{limits: l, conn: c, accepted: time.Now(), networks: l.networksOf(address)}
	s.proxied = len(s.networks) == 0
	return s
}

// longWait is how long a connection waits at most for a slot. Those behind it wait as long.
const longWait = 5 * time.Second

// acquire gives a new connection its slot: from then on the connection may be closed, also
// by another listener. It fails with errNetworkFull or errFull, or with net.ErrClosed if the
// listener closed while it waited.
func (l *connLimits) acquire(s *connSlot) error {
	s.since.Store(l.files.turn.Add(1)) // it has sent nothing yet
	counted := len(s.networks) > 0
	l.mu.Lock()
	defer l.mu.Unlock()
	if counted && l.networks.Held(s.networks...) >= l.each && !l.end(l.places[s.narrowest()].longest(idle)) {
		return errNetworkFull
	}
	for l.open >= l.all && !l.closed {
		l.waiting.Store(true) // first: whoever becomes idle after this wakes it
		if l.makeRoom(s.networks) {
			continue
		}
		if counted && l.networks.Held(s.networks[0]) > 0 {
			l.waiting.Store(false)
			return errNetworkFull
		}
		if l.end(l.longestUnfinished()) {
			continue
		}
		if time.Since(s.accepted) >= longWait {
			l.waiting.Store(false)
			return errFull
		}
		again := time.AfterFunc(unfinishedFor, l.wake)
		l.changed.Wait()
		again.Stop()
	}
	l.waiting.Store(false)
	if l.closed {
		return net.ErrClosed
	}
	l.open++
	l.put(s)
	return nil
}

// wake has whoever waits for a slot look again.
func (l *connLimits) wake() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.changed.Signal()
}

// narrowest returns the network of a connection to which the limit of one applies; zero:
// none.
func (s *connSlot) narrowest() netip.Prefix {
	if len(s.networks) == 0 {
		return netip.Prefix{}
	}
	return s.networks[len(s.networks)-1]
}

// put puts an open connection to those of its networks. The caller holds the lock.
func (l *connLimits) put(s *connSlot) {
	key := s.narrowest()
	place := l.places[key]
	if len(s.networks) > 0 {
		l.networks.Update(s.networks, func(open *int) { *open++ })
	}
	if place == nil {
		place = &connPlace{path: l.networks.Path(s.networks)}
		l.places[key] = place
	}
	s.place, s.index = place, len(place.slots)
	place.slots = append(place.slots, s)
}

// take takes a connection away from those of its networks. The caller holds the lock.
func (l *connLimits) take(s *connSlot) {
	last := len(s.place.slots) - 1
	s.place.slots[s.index] = s.place.slots[last]
	s.place.slots[s.index].index = s.index
	s.place.slots[last] = nil
	s.place.slots = s.place.slots[:last]
	if last == 0 {
		delete(l.places, s.narrowest())
	}
	if len(s.networks) > 0 {
		l.networks.Update(s.networks, func(open *int) { *open-- })
	}
	s.place = nil
}

// end closes a connection, unless it is nil, and reports whether it is not. The caller
// holds the lock, and lets go of it meanwhile: the connection takes locks of its own. Its file is closed then, so that
// the one in its place does not take one more.
func (l *connLimits) end(s *connSlot) bool {
	if s == nil {
		return false
	}
	l.free(s)
	l.mu.Unlock()
	defer l.mu.Lock()
	_ = s.conn.Close() // the client may be gone
	return true
}

// number returns how many connections are open.
func (l *connLimits) number() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.open
}

// free takes a slot back, once. The caller holds the lock.
func (l *connLimits) free(s *connSlot) {
	if s.place == nil {
		return
	}
	l.take(s)
	l.open--
	l.changed.Signal()
}

// release gives up the slot of a connection that is closed.
func (s *connSlot) release() {
	s.limits.mu.Lock()
	defer s.limits.mu.Unlock()
	s.limits.free(s)
}

// claim says of whose networks the request is that a trusted proxy has sent, and that may take
// long: it makes way like a connection of theirs. It is over when the connection is idle.
func (s *connSlot) claim(networks []netip.Prefix) {
	if s.proxied && !s.claimed.Load() {
		s.move(networks)
		s.claimed.Store(true)
	}
}

// move puts an open connection to those of other networks.
func (s *connSlot) move(networks []netip.Prefix) {
	l := s.limits
	l.mu.Lock()
	defer l.mu.Unlock()
	if s.place == nil {
		return
	}
	l.take(s)
	s.networks = networks
	l.put(s)
}

// setIdle says whether the connection waits for a request.
func (s *connSlot) setIdle(idle bool) {
	l := s.limits
	turn := l.files.turn.Add(1)
	if !idle {
		s.used.Store(true)
		s.unfinished.Store(true)
		s.since.Store(-turn)
		return
	}
	s.unfinished.Store(false)
	if s.claimed.Load() {
		s.claimed.Store(false)
		s.move(nil)
	}
	s.since.Store(turn)
	if l.waiting.Load() {
		l.wake()
	}
}

// close lets go of a connection that waits for a slot.
func (l *connLimits) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	l.changed.Broadcast()
}
