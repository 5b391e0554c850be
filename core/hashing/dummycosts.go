package hashing

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"math/bits"
	"slices"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/password"
	"github.com/authcompat/authcompat/core/sealing"
)

// DummyCosts decides how long a login with an unknown username takes: as long as
// checking the password of one of the accounts, which a keyed digest of the username
// picks. Unknown usernames therefore take the same times as known ones, and each takes
// the same time whenever it is tried.
type DummyCosts struct {
	key   []byte
	costs []weightedCost
	total uint64
}

type weightedCost struct {
	cost password.Cost
	upTo uint64 // the accounts of this cost and of those before it
}

// NewDummyCosts makes the costs from the password formats of a store's accounts.
func NewDummyCosts(key []byte, mix []core.PasswordFormatCount) *DummyCosts {
	weights := make(map[password.Cost]uint64)
	for _, g := range mix {
		// A password that can't be checked gets a dummy cost itself.
		if c, err := password.CostOf(g.Example); err == nil && g.Accounts > 0 {
			weights[c] += uint64(g.Accounts)
		}
	}
	d := &DummyCosts{key: key}
	for c, n := range weights {
		d.costs = append(d.costs, weightedCost{cost: c, upTo: n})
	}
	// A fixed order, so that few usernames change their cost when the counts do.
	slices.SortFunc(d.costs, func(a, b weightedCost) int { return cmp.Compare(a.cost.String(), b.cost.String()) })
	for i := range d.costs {
		d.total += d.costs[i].upTo
		d.costs[i].upTo = d.total
	}
	return d
}

// cost picks the cost of a username; ok is false if there are no accounts.
func (d *DummyCosts) cost(username string) (c password.Cost, ok bool) {
	if d.total == 0 {
		return password.Cost{}, false
	}
	sum := sealing.KeyedDigest(d.key, "decoy", username)
	// A fraction of the total, so that a growing total moves few names.
	at, _ := bits.Mul64(binary.BigEndian.Uint64(sum[:8]), d.total)
	i, _ := slices.BinarySearchFunc(d.costs, at, func(w weightedCost, at uint64) int {
		if w.upTo <= at {
			return -1
		}
		return 1
	})
	return d.costs[i].cost, true
}

// LoadDummyCosts makes the costs from the accounts that the store has now. Errors are
// those of the store.
func LoadDummyCosts(ctx context.Context, store core.PrivacyStore, key []byte) (*DummyCosts, error) {
	mix, err := store.PasswordFormatCounts(ctx)
	if err != nil {
		return nil, fmt.Errorf("count password formats: %w", err)
	}
	return NewDummyCosts(key, mix), nil
}
