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

// PrivacyStore is what a store keeps so that nobody can tell which names exist. Errors
// are those of [Store].
type PrivacyStore interface {
	// PseudonymKey gives PseudonymKeySize random bytes that belong to the database: drawn
	// by fresh at the first call of any process, and the same ever after.
	PseudonymKey(ctx context.Context, fresh func() ([]byte, error)) ([]byte, error)

	// PasswordFormatCounts counts the accounts by what their encoded passwords begin with,
	// so that all of a group have the parameters of its example. It may be slow.
	PasswordFormatCounts(ctx context.Context) ([]PasswordFormatCount, error)
}

// PseudonymKeySize is the length of a PseudonymKey in bytes.
const PseudonymKeySize = 32

// PasswordFormatCount is a number of accounts whose passwords cost the same to check.
type PasswordFormatCount struct {
	Example  string // the encoded password of one of them
	Accounts int
}

// DummyHashCosts says how long a login with an unknown name takes: as long as a check
// of the password of one of the accounts, chosen by a keyed digest of the name. Unknown
// names thus take the times that known ones take, and each its own whenever it is
// tried.
type DummyHashCosts struct {
	key   []byte
	costs []weightedCost
	total uint64
}

type weightedCost struct {
	cost password.Cost
	upTo uint64 // the accounts of this cost and of those before it
}

// NewDummyHashCosts makes the costs from what the accounts of a store cost.
func NewDummyHashCosts(key []byte, mix []PasswordFormatCount) *DummyHashCosts {
	weights := make(map[password.Cost]uint64)
	for _, g := range mix {
		// What can't be checked has a dummy cost itself.
		if c, err := password.CostOf(g.Example); err == nil && g.Accounts > 0 {
			weights[c] += uint64(g.Accounts)
		}
	}
	d := &DummyHashCosts{key: key}
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
func (d *DummyHashCosts) cost(username string) (c password.Cost, ok bool) {
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

// LoadDummyHashCosts makes the costs of what the store knows now.
func LoadDummyHashCosts(ctx context.Context, store PrivacyStore, key []byte) (*DummyHashCosts, error) {
	mix, err := store.PasswordFormatCounts(ctx)
	if err != nil {
		return nil, fmt.Errorf("count password formats: %w", err)
	}
	return NewDummyHashCosts(key, mix), nil
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
