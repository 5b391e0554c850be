package hashing

import (
	"container/list"
	"net/netip"

	"github.com/authcompat/authcompat/core/fairshare"
)

// load is what the clients of a network have in a pool.
type load struct {
	admitted callers
	movable  callers // of the admitted: they could make way, since their passwords are not being hashed
	waiting  int     // tickets
	turn     uint64  // the lowest is next; 0: nobody waits
}

// callers are a number of them, and the bytes of the passwords that they hold.
type callers struct {
	number, bytes int64
}

func (c *callers) add(number, bytes int64) {
	c.number += number
	c.bytes += bytes
}

// admission is a caller that was admitted.
type admission struct {
	networks []netip.Prefix
	size     int64 // of the name and the password in bytes
	place    *list.Element
	ticket   *ticket // that waits; nil: none does
	hashing  bool
	over     bool
	evicted  bool
}

// fairQueue holds those who were admitted, and the tickets that wait. Networks take turns,
// and so do those within them; within the narrowest, the oldest ticket is first. With n
// networks, one waits for at most n-1 hashes of others between two of its own.
type fairQueue struct {
	networks fairshare.Tree[load]
	admitted list.List // of *admission, the newest last
	tickets  list.List // of *ticket, the newest last
	turns    uint64
}

// all returns what all clients have in the pool.
func (q *fairQueue) all() load { return q.networks.All().Held }

// admit adds a caller.
func (q *fairQueue) admit(a *admission) {
	a.place = q.admitted.PushBack(a)
	q.count(a, 1)
}

// dismiss removes a caller, unless it has been.
func (q *fairQueue) dismiss(a *admission) {
	if !a.over {
		a.over = true
		q.admitted.Remove(a.place)
		q.count(a, -1)
	}
}

// setHashing says whether the password of a caller is being hashed.
func (q *fairQueue) setHashing(a *admission, hashing bool) {
	if !a.over {
		q.count(a, -1)
		a.hashing = hashing
		q.count(a, 1)
	}
}

func (q *fairQueue) count(a *admission, sign int64) {
	q.networks.Update(a.networks, func(l *load) {
		l.admitted.add(sign, sign*a.size)
		if !a.hashing {
			l.movable.add(sign, sign*a.size)
		}
	})
}

// push adds a ticket.
func (q *fairQueue) push(t *ticket) {
	t.place = q.tickets.PushBack(t)
	if t.admission != nil {
		t.admission.ticket = t
	}
	q.turns++
	q.networks.Update(t.networks, func(l *load) {
		if l.waiting++; l.waiting == 1 {
			l.turn = q.turns
		}
	})
}

// front returns the next ticket; nil: nobody waits.
func (q *fairQueue) front() *ticket {
	next := q.networks.All().Innermost(func(l load) (int64, bool) { return -int64(l.turn), l.waiting > 0 })
	if next == nil {
		return nil
	}
	for e := q.tickets.Front(); e != nil; e = e.Next() {
		if t := e.Value.(*ticket); innermost(t.networks) == next.Prefix {
			return t
		}
	}
	return nil
}

// pop removes the next ticket: it is the turn of other networks.
func (q *fairQueue) pop(t *ticket) {
	q.turns++
	q.networks.Update(t.networks, func(l *load) { l.turn = q.turns })
	q.remove(t)
}

// remove removes a waiting ticket.
func (q *fairQueue) remove(t *ticket) {
	q.tickets.Remove(t.place)
	if t.admission != nil {
		t.admission.ticket = nil
	}
	q.networks.Update(t.networks, func(l *load) {
		if l.waiting--; l.waiting == 0 {
			l.turn = 0
		}
	})
}

// evictable returns the network whose newest callers have to make way, one after another,
// for a newcomer that needs so many places, or else bytes; nil: there is none that holds more
// of them than its own would and could free as many.
func (q *fairQueue) evictable(a *admission, needed int64, places bool) *fairshare.Network[load] {
	more := a.size
	if places {
		more = 1
	}
	n := q.networks.Yielding(a.networks, more, byHeld(places))
	if n == nil || places && n.Held.movable.number < needed || !places && n.Held.movable.bytes < needed {
		return nil
	}
	return n
}

// newest returns the newest caller within a network that could make way: of those
// directly within it, and within these, from the one that holds most.
func (q *fairQueue) newest(n *fairshare.Network[load], places bool) *admission {
	narrowest := n.Innermost(byHeld(places)).Prefix
	for e := q.admitted.Back(); e != nil; e = e.Prev() {
		if a := e.Value.(*admission); innermost(a.networks) == narrowest && !a.hashing {
			return a
		}
	}
	return nil
}

// byHeld ranks networks that have somebody who could make way by the places, or else the
// bytes, that they hold.
func byHeld(places bool) fairshare.Rank[load] {
	return func(l load) (int64, bool) {
		if places {
			return l.admitted.number, l.movable.number > 0
		}
		return l.admitted.bytes, l.movable.number > 0
	}
}

func innermost(networks []netip.Prefix) netip.Prefix { return networks[len(networks)-1] }
