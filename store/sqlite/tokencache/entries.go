package tokencache

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"sync"

	"github.com/authcompat/authcompat/core"
)

// maxChangedUsers is the maximum number of users who have changed since the first token was cached: a number for each stays
// until all are dropped.
const maxChangedUsers = 1 << 14

// entries are the tokens found in one generation, and in those after it whose changes have been taken in.
type entries struct {
	most int // of tokens that are not packed
	mu   sync.RWMutex
	n    int64             // of the generation in which all of them hold
	keys map[uint64]*Entry // by keyOf
	// rows has the keys of those tokens that are not found by the digest that their row has, by the beginning of that one.
	rows map[uint64][]uint64
	// packed has as many more as its memory has room for, from when the tokens of half a cache are in use; nil until
	// then. What is found there is cached again.
	packed *packed
	// words are names of APIs and keys, each once: of the tokens in use, most have the same. A copy for each would be
	// one more read of memory at every look-up, beside what it takes.
	words map[string]string
	// users are those who have changed, by the number of the generation since when what is cached of them holds. What is packed does
	// not say how old it is, and holds for none of them.
	users map[int64]int64
}

func newEntries(most int, n int64) *entries {
	return &entries{most: most, n: n, keys: make(map[uint64]*Entry), rows: make(map[uint64][]uint64), words: make(map[string]string), users: make(map[int64]int64)}
}

// Entry is a token with its user. Callers share the user's attributes and the token's
// digest and sealed text, which nobody modifies.
type Entry struct {
	Digest [sha256.Size]byte // of the presented token
	Token  core.Token
	User   core.User

	since int64 // number of the generation in which it was cached
}

// keyOf returns a part of a digest, which is as good a map key as the whole and is
// hashed faster. Of two digests with the same key, only one is cached.
func keyOf(digest *[sha256.Size]byte) uint64 { return keyOfPrefix([prefixSize]byte(digest[:])) }

func keyOfPrefix(prefix [prefixSize]byte) uint64 { return binary.NativeEndian.Uint64(prefix[:]) }

// get returns the entry for a digest, nil if there is none, and the number of the generation in which it holds. fresh says that it is
// not in the map. The caller does not hold the lock.
func (s *entries) get(digest *[sha256.Size]byte) (e *Entry, n int64, fresh bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if e := s.keys[keyOf(digest)]; e != nil && e.Digest == *digest && e.since >= s.users[e.User.ID] {
		return e, s.n, false
	}
	if s.packed == nil {
		return nil, s.n, false
	}
	if e = s.packed.find(digest); e != nil && s.hasChanged(e) {
		e = nil
	}
	return e, s.n, e != nil
}

// hasChanged reports whether the entry's user has changed. The caller holds the lock.
func (s *entries) hasChanged(e *Entry) bool {
	_, changed := s.users[e.User.ID]
	return changed
}

// keep caches an entry that holds in the generation with this number, unless changes after it have been taken in: those may be about
// the entry, and are not taken in again. With pack, it is packed as well.
func (s *entries) keep(e *Entry, n int64, pack bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.n != n {
		return
	}
	s.put(e)
	if !pack {
		return
	}
	if s.packed == nil && len(s.keys) >= s.most/2 {
		s.packed = newPacked()
	}
	if s.packed != nil && !s.hasChanged(e) && !s.packed.add(e) {
		s.packed.blocks.free() // it is full; those in use come again
		s.packed = nil
	}
}

// put caches an entry that is not packed. The caller holds the lock.
func (s *entries) put(e *Entry) {
	if len(s.keys) >= s.most {
		clear(s.keys)
		clear(s.rows)
	}
	if s.most <= 0 {
		return
	}
	e.since = s.n
	e.Token.Issuer, e.Token.SealKey = s.word(e.Token.Issuer), s.word(e.Token.SealKey)
	key, row := keyOf(&e.Digest), keyOfRow(e.Token.Digest)
	s.keys[key] = e
	if row != key && !slices.Contains(s.rows[row], key) {
		s.rows[row] = append(s.rows[row], key)
	}
}

// word returns the same text, which others share. The caller holds the lock.
func (s *entries) word(text string) string {
	known, ok := s.words[text]
	switch {
	case ok:
		return known
	case len(s.words) < maxWords:
		s.words[text] = text
	}
	return text
}

// keyOfRow is keyOf for the digest of a row, which may be of another kind, and longer.
func keyOfRow(digest core.Digest) uint64 {
	var prefix [prefixSize]byte
	copy(prefix[:], digest)
	return keyOfPrefix(prefix)
}

// forget drops what the changes are about, so that all that is left holds in the generation with this number, too. It reports false if
// all is to be dropped.
func (s *entries) forget(changes []change, n int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range changes {
		switch {
		case c.UserID.Valid:
			s.users[c.UserID.Int64] = n
		case len(c.Digest) == prefixSize:
			s.drop([prefixSize]byte(c.Digest))
		default:
			return false
		}
	}
	s.n = n
	return len(s.users) <= maxChangedUsers
}

// drop drops the tokens whose rows have a digest that begins so. The caller holds the lock.
func (s *entries) drop(prefix [prefixSize]byte) {
	key := keyOfPrefix(prefix)
	delete(s.keys, key)
	for _, other := range s.rows[key] {
		delete(s.keys, other)
	}
	delete(s.rows, key)
	if s.packed != nil {
		s.packed.remove(prefix)
	}
}
