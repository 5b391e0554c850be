// Package fairshare shares something limited fairly among the networks of clients.
package fairshare

import "net/netip"

// Tree counts what the clients of networks hold of something limited, in networks within
// networks ([github.com/authcompat/authcompat/core/clients.Client.Networks]): a customer with a
// whole /48 counts as one where others compete with him, however many /64 he sends from,
// and within the /48 its parts compete in the same way. The holder of most makes way.
//
// T is what is counted of a network; its zero value is that of one that holds nothing.
// The zero Tree is empty. It is not safe for concurrent use.
type Tree[T comparable] struct {
	all Network[T]
}

// Network is what the clients of one network hold together.
type Network[T comparable] struct {
	Prefix netip.Prefix // zero for that of all clients
	Held   T
	within map[netip.Prefix]*Network[T]
}

// Rank orders networks by what they hold; those that are not eligible are left out.
type Rank[T comparable] func(held T) (rank int64, eligible bool)

// All returns the network of all clients.
func (t *Tree[T]) All() *Network[T] { return &t.all }

// Held returns what the clients of a network hold. Networks are given by those around
// them, the widest first, and themselves.
func (t *Tree[T]) Held(networks ...netip.Prefix) (held T) {
	n := &t.all
	for _, p := range networks {
		if n = n.within[p]; n == nil {
			return held
		}
	}
	return n.Held
}

// Path returns the networks themselves, as far as their clients hold anything. They are those
// of the tree for as long as they do.
func (t *Tree[T]) Path(networks []netip.Prefix) (path []*Network[T]) {
	n := &t.all
	for _, p := range networks {
		if n = n.within[p]; n == nil {
			return path
		}
		path = append(path, n)
	}
	return path
}

// Update changes what is counted of a network and, in the same way, of those around it.
func (t *Tree[T]) Update(networks []netip.Prefix, change func(held *T)) {
	t.all.update(networks, change)
}

func (n *Network[T]) update(networks []netip.Prefix, change func(held *T)) {
	change(&n.Held)
	if len(networks) == 0 {
		return
	}
	next := n.within[networks[0]]
	if next == nil {
		if n.within == nil {
			n.within = make(map[netip.Prefix]*Network[T])
		}
		next = &Network[T]{Prefix: networks[0]}
		n.within[networks[0]] = next
	}
	next.update(networks[1:], change)
	var nothing T
	if next.Held == nothing {
		delete(n.within, networks[0])
	}
}

// Yielding returns the network that has to make way for a newcomer that is in the given
// ones, and would hold more; nil: none has to. It is the widest that ranks higher, with
// what it holds, than that of the newcomer beside it would.
func (t *Tree[T]) Yielding(newcomer []netip.Prefix, more int64, rank Rank[T]) *Network[T] {
	around := &t.all
	for _, p := range newcomer {
		largest := around.first(rank)
		if largest == nil {
			return nil
		}
		own := around.within[p]
		would := more
		if own != nil {
			r, _ := rank(own.Held)
			would += r
		}
		if r, _ := rank(largest.Held); r > would {
			return largest
		}
		if own == nil {
			return nil
		}
		around = own
	}
	return nil
}

// Innermost returns the narrowest of the networks within n, or n, that is found by taking
// the one that ranks highest at each level; nil if one has none that is eligible.
func (n *Network[T]) Innermost(rank Rank[T]) *Network[T] {
	for n != nil && len(n.within) > 0 {
		n = n.first(rank)
	}
	return n
}

// first returns the highest of the networks directly within n; nil: none is eligible.
func (n *Network[T]) first(rank Rank[T]) (first *Network[T]) {
	var highest int64
	for _, w := range n.within {
		if r, eligible := rank(w.Held); eligible && (first == nil || r > highest) {
			first, highest = w, r
		}
	}
	return first
}
