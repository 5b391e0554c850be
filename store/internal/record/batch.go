package record

import (
	"bytes"
	"slices"

	"github.com/jmoiron/sqlx"
	"golang.org/x/sync/errgroup"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/transfer"
)

// MinHalved is the number of rows of a batch that are worth a second connection.
const MinHalved = 1000

// Room returns rows, with room for n of them at once if there are none yet: most batches
// have the same outcome for all rows, and large rows are expensive to move.
func Room[T any](rows []T, n int) []T {
	if rows == nil {
		return make([]T, 0, n)
	}
	return rows
}

// sampleSize is how many rows of a batch are looked up to guess whether all of them are new.
const sampleSize = 100

// Sample returns some of the keys of a batch, evenly spread, or all of a small one.
func Sample[T any](keys []T) []T {
	some := make([]T, 0, sampleSize)
	for i, n := 0, min(sampleSize, len(keys)); i < n; i++ {
		some = append(some, keys[i*len(keys)/n])
	}
	return some
}

// InHalves reads the facts about the first n rows of a batch in two halves,
// concurrently.
func InHalves(n int, first, second sqlx.QueryerContext, read func(q sqlx.QueryerContext, from, to int) (transfer.ImportFacts, error)) (transfer.ImportFacts, error) {
	var halves [2]transfer.ImportFacts
	var both errgroup.Group
	both.Go(func() (err error) {
		halves[0], err = read(first, 0, n/2)
		return err
	})
	both.Go(func() (err error) {
		halves[1], err = read(second, n/2, n)
		return err
	})
	err := both.Wait()
	return halves[0].And(halves[1]), err
}

// Digests returns the distinct digests of tokens, sorted like the stores' indexes.
func Digests(tokens []transfer.ImportedToken) []core.Digest {
	digests := make([]core.Digest, len(tokens))
	for i, t := range tokens {
		digests[i] = t.Digest
	}
	compare := func(a, b core.Digest) int { return bytes.Compare(a, b) }
	slices.SortFunc(digests, compare)
	return slices.CompactFunc(digests, func(a, b core.Digest) bool { return compare(a, b) == 0 })
}

// TokenMerges are the decisions about a batch of tokens.
type TokenMerges struct {
	Results []transfer.ImportResult // of all tokens
	Added   []core.Token
	Moved   []core.Token // with the expiry that those here get
	// Seen, Linked and Returned are the digests of tokens with what [transfer.TokenMerge] says.
	Seen, Linked, Returned []core.Digest
}

// MergeTokens decides about the tokens of a batch, one after the other.
func MergeTokens(batch transfer.TokenBatch, tokens []transfer.ImportedToken) TokenMerges {
	m := NewTokenMerges(len(tokens))
	for _, in := range tokens {
		merged := batch.Merge(in)
		switch {
		case merged.Insert:
			m.Added = append(Room(m.Added, len(tokens)), merged.Token)
		case merged.Move:
			m.Moved = append(m.Moved, merged.Token)
		}
		m.Keep(merged)
	}
	return m
}

// NewTokenMerges returns the decisions about no token, with room for n.
func NewTokenMerges(n int) TokenMerges {
	return TokenMerges{Results: make([]transfer.ImportResult, 0, n)}
}

// Keep adds a decision, all but the token that is to be written.
func (m *TokenMerges) Keep(merged transfer.TokenMerge) {
	m.Results = append(m.Results, merged.Result)
	if merged.Seen != nil {
		m.Seen = append(m.Seen, merged.Seen)
	}
	if merged.Link {
		m.Linked = append(m.Linked, merged.Seen)
	}
	if merged.Returned {
		m.Returned = append(m.Returned, merged.Digest)
	}
}
