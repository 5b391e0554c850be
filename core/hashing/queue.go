package hashing

import "container/list"

// network is the share that the clients of one network ([core.Client.Network]) have of a
// pool, so that one of them cannot keep out the others.
type network struct {
	name     string
	admitted int
	held     int64     // bytes of passwords that the admitted hold
	waiting  list.List // of *ticket, the oldest first
	turn     *list.Element
}

// fairQueue holds the tickets that wait, by network. The networks take turns, and within
// one the oldest ticket is first: with n networks, one waits for at most n-1 hashes of
// others between two of its own.
type fairQueue struct {
	networks map[string]*network // that have anybody admitted or waiting
	turns    list.List           // of *network with waiting tickets, the next one first
	length   int
}

func newFairQueue() fairQueue { return fairQueue{networks: make(map[string]*network)} }

// network returns the network of a name. Clients of unknown address are one.
func (q *fairQueue) network(name string) *network {
	n := q.networks[name]
	if n == nil {
		n = &network{name: name}
		q.networks[name] = n
	}
	return n
}

// forget removes a network that has nobody in the pool.
func (q *fairQueue) forget(n *network) {
	if n.admitted == 0 && n.waiting.Len() == 0 && q.networks[n.name] == n {
		delete(q.networks, n.name)
	}
}

// push adds a ticket.
func (q *fairQueue) push(n *network, t *ticket) {
	t.network, t.place = n, n.waiting.PushBack(t)
	if n.turn == nil {
		n.turn = q.turns.PushBack(n)
	}
	q.length++
}

// front returns the next ticket; nil: nobody waits.
func (q *fairQueue) front() *ticket {
	first := q.turns.Front()
	if first == nil {
		return nil
	}
	return first.Value.(*network).waiting.Front().Value.(*ticket)
}

// pop removes the next ticket: it is another network's turn.
func (q *fairQueue) pop(t *ticket) {
	if q.remove(t); t.network.turn != nil {
		q.turns.MoveToBack(t.network.turn)
	}
}

// remove removes a waiting ticket.
func (q *fairQueue) remove(t *ticket) {
	n := t.network
	n.waiting.Remove(t.place)
	q.length--
	if n.waiting.Len() == 0 {
		q.turns.Remove(n.turn)
		n.turn = nil
		q.forget(n)
	}
}

// evictable returns the newest waiting tickets of the network that holds most, by a
// measure: as many as free that many callers and bytes. It returns none if they don't
// suffice, or the network holds no more than others do.
func (q *fairQueue) evictable(others int64, measure func(*network) int64, callers int, size int64) (victims []*ticket) {
	var largest *network
	for _, n := range q.networks {
		if n.waiting.Len() > 0 && (largest == nil || measure(n) > measure(largest)) {
			largest = n
		}
	}
	if largest == nil || measure(largest) <= others {
		return nil
	}
	for e := largest.waiting.Back(); e != nil; e = e.Prev() {
		t := e.Value.(*ticket)
		if t.admission == nil {
			continue
		}
		victims, callers, size = append(victims, t), callers-1, size-t.admission.size
		if callers <= 0 && size <= 0 {
			return victims
		}
	}
	return nil
}
