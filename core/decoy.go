package core

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/bits"
	"slices"

	"github.com/authcompat/authcompat/core/password"
)

// Disguises is what a store knows that hides which names exist. Errors are those
// of [Store].
type Disguises interface {
	// DisguiseKey gives SecretSize random bytes that belong to the database: drawn
	// by fresh at the first call of any process, and the same ever after.
	DisguiseKey(ctx context.Context, fresh func() ([]byte, error)) ([]byte, error)

	// PasswordMix counts the accounts by what their encoded passwords begin with,
	// so that all of a group have the parameters of its example. It may be slow.
	PasswordMix(ctx context.Context) ([]PasswordGroup, error)
}

// SecretSize is the length of a DisguiseKey in bytes.
const SecretSize = 32

// PasswordGroup is a number of accounts whose passwords cost the same to check.
type PasswordGroup struct {
	Example  string // the encoded password of one of them
	Accounts int
}

// Decoys draws what a check for a name costs that has no password: the cost of
// one of the accounts, drawn by a keyed digest of the name. So the names that do
// not exist take times as those do that exist, and each takes its own time
// whenever it is tried.
type Decoys struct {
	key   []byte
	costs []weightedCost
	total uint64
}

type weightedCost struct {
	cost password.Cost
	upTo uint64 // the accounts of this cost and of those before it
}

// NewDecoys makes decoys by the mix of a store.
func NewDecoys(key []byte, mix []PasswordGroup) *Decoys {
	weights := make(map[password.Cost]uint64)
	for _, g := range mix {
		// What can't be checked costs a decoy itself.
		if c, err := password.CostOf(g.Example); err == nil && g.Accounts > 0 {
			weights[c] += uint64(g.Accounts)
		}
	}
	d := &Decoys{key: key}
	for c, n := range weights {
		d.costs = append(d.costs, weightedCost{cost: c, upTo: n})
	}
	// In an order of their own, so that few names change their cost with the mix.
	slices.SortFunc(d.costs, func(a, b weightedCost) int { return cmp.Compare(a.cost.String(), b.cost.String()) })
	for i := range d.costs {
		d.total += d.costs[i].upTo
		d.costs[i].upTo = d.total
	}
	return d
}

// cost draws the cost of a name; ok is false where there is no account to be
// like.
func (d *Decoys) cost(username string) (c password.Cost, ok bool) {
	if d.total == 0 {
		return password.Cost{}, false
	}
	sum := keyedDigest(d.key, "decoy", username)
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

// LoadDecoys makes decoys of what the store knows now.
func LoadDecoys(ctx context.Context, store Disguises, key []byte) (*Decoys, error) {
	mix, err := store.PasswordMix(ctx)
	if err != nil {
		return nil, fmt.Errorf("count password formats: %w", err)
	}
	return NewDecoys(key, mix), nil
}

// keyedDigest is a digest of a text that only who has the key can compute. The
// label keeps apart what digests are used for.
func keyedDigest(key []byte, label, text string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(label))
	mac.Write([]byte{0})
	mac.Write([]byte(text))
	return mac.Sum(nil)
}
