package httpserver

import (
	"net/netip"
	"time"

	"github.com/authcompat/authcompat/core/clients"
	"github.com/authcompat/authcompat/core/fairshare"
)

// largeShare is the part of all connections beyond which a network has so many that it makes
// way before others do.
const largeShare = 16

// firstRequest is how long a new connection may take to send its first request before it counts
// as an idle one.
const firstRequest = time.Second

// nobody are networks of which there are no connections.
var nobody = clients.Client{}.Networks()

// most ranks networks by the connections that they have.
func most(open int) (int64, bool) { return int64(open), true }

// makeRoom closes a connection for a new one of networks, and reports whether there is one that
// has to make way, so that nobody keeps out others by doing nothing, or by sending requests that
// have no end:
//
//   - of the network that has most, if that is more than the newcomer's beside it and a large
//     share of all, the one that has been idle for longest, or else its longest request;
//   - one that is idle, of the network that has most of those with one, and no fewer than the
//     newcomer's would: whoever connects all the time closes no connections of others that have
//     just come;
//   - the longest request of the network that has most;
//   - one of the newcomer's own that has just come.
//
// The caller holds the lock.
func (l *connLimits) makeRoom(newcomer []netip.Prefix) bool {
	if len(newcomer) == 0 {
		newcomer = nobody
	}
	now := time.Now()
	largest := l.networks.Yielding(newcomer, 1, most)
	if largest != nil && largest.Held > l.all/largeShare {
		return l.endIn(largest, now)
	}
	richer, equal := l.idle(newcomer, idleAt(now))
	switch {
	case richer != nil:
		return l.end(richer)
	case largest != nil && equal == nil:
		return l.endIn(largest, now)
	case equal != nil:
		return l.end(equal)
	}
	own := l.places[newcomer[len(newcomer)-1]]
	return own != nil && l.end(own.longest(idle))
}

// endIn closes a connection of those within a network from which most are: the one that is idle
// for longest, or else has the longest request, first one of which not all has been read. Instead
// of another that a proxy has sent, it closes one of the proxy's that is idle.
func (l *connLimits) endIn(n *fairshare.Network[int], now time.Time) bool {
	place := l.places[n.Innermost(most).Prefix]
	for _, state := range []slotState{idleAt(now), unfinished} {
		if s := place.longest(state); s != nil {
			return l.end(s)
		}
	}
	s := place.longest(anyState)
	if proxies := l.places[netip.Prefix{}]; s != nil && s.proxied && proxies != nil {
		if kept := proxies.longest(idleAt(now)); kept != nil {
			s = kept
		}
	}
	return l.end(s)
}

// slotState returns since when a connection is in a state, as a turn; 0: it is not.
type slotState func(s *connSlot) int64

// idle is the state of connections that have no request.
func idle(s *connSlot) int64 { return max(0, s.since.Load()) }

// idleAt is the state of connections that have no request, but for those that are about to
// send the first.
func idleAt(now time.Time) slotState {
	return func(s *connSlot) int64 {
		if !s.used.Load() && now.Sub(s.accepted) < firstRequest {
			return 0
		}
		return idle(s)
	}
}

// unfinished is the state of connections that have a request of which not all has been read.
func unfinished(s *connSlot) int64 {
	if !s.unfinished.Load() {
		return 0
	}
	return max(0, -s.since.Load())
}

// anyState is that of all connections.
func anyState(s *connSlot) int64 {
	since := s.since.Load()
	return max(since, -since)
}

// longest returns the connection that has been in a state for longest; nil: none is.
func (p *connPlace) longest(state slotState) (longest *connSlot) {
	var turn int64
	for _, s := range p.slots {
		if since := state(s); since > 0 && (longest == nil || since < turn) {
			longest, turn = s, since
		}
	}
	return longest
}

// unfinishedFor is how long a request may take to be sent before it makes way for a connection
// from anywhere.
const unfinishedFor = time.Second

// longestUnfinished returns the connection with the longest request of which not all has been
// read, for so long; nil: there is none. The caller holds the lock.
func (l *connLimits) longestUnfinished() (longest *connSlot) {
	if now := time.Now(); now.Sub(l.marks[1].at) >= unfinishedFor {
		l.marks[0], l.marks[1] = l.marks[1], turnMark{now, l.files.turn.Load()}
	}
	turn := l.marks[0].turn
	for _, p := range l.places {
		if s := p.longest(unfinished); s != nil && unfinished(s) <= turn {
			longest, turn = s, unfinished(s)-1
		}
	}
	return longest
}

// idleForAny returns the connection that makes way, of those that are idle, for one from anywhere;
// nil: there is none.
func (l *connLimits) idleForAny() *connSlot {
	l.mu.Lock()
	defer l.mu.Unlock()
	richer, equal := l.idle(nobody, idle)
	if richer != nil {
		return richer
	}
	return equal
}

// idle returns the connections that have been idle for longest, of those that would be no loss of
// fairness to a new one of networks: of the network that has most more than that of the newcomer
// beside it would, and of those that would have as many; nil: there is none. The caller holds the
// lock.
func (l *connLimits) idle(newcomer []netip.Prefix, state slotState) (richer, equal *connSlot) {
	own := l.networks.Path(newcomer)
	most, turn := 0, int64(0)
	for _, p := range l.places {
		more := p.moreThan(newcomer, own)
		if more < most {
			continue
		}
		s := p.longest(state)
		if s == nil {
			continue
		}
		since := s.since.Load()
		if more == most && (richer != nil || equal != nil) && since >= turn {
			continue
		}
		most, turn = more, since
		if more > 0 {
			richer = s
		} else {
			equal = s
		}
	}
	return richer, equal
}

// moreThan returns how many more connections one of the networks around a place has than the
// newcomer's network beside it would with one more, of the widest that differ; 1 if none does. One
// that is not counted by network holds itself. own are the networks of the newcomer that have any.
func (p *connPlace) moreThan(newcomer []netip.Prefix, own []*fairshare.Network[int]) int {
	for i := range min(len(p.path), len(newcomer)) {
		if p.path[i].Prefix == newcomer[i] {
			continue
		}
		if i < len(own) {
			return p.path[i].Held - own[i].Held - 1
		}
		return p.path[i].Held - 1
	}
	if len(p.path) > 0 {
		return 1
	}
	if len(own) > 0 {
		return -own[0].Held
	}
	return 0
}
