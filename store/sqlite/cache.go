package sqlite

import (
	"crypto/sha256"
	"encoding/binary"
	"sync"
	"sync/atomic"

	"github.com/authcompat/authcompat/core"
)

// maxCached is how many tokens are kept at most; past it all are forgotten.
const maxCached = 1 << 16

// cache remembers tokens that were found, for as long as the database does not
// change. It keeps the promise that a logout, a disabled user or any other
// change is seen by the next look-up, whichever process made it:
//
//   - An entry belongs to one header of the WAL-index and is used only while the
//     shared memory shows that same header. SQLite would give such a reader the
//     very snapshot that the entry was read from.
//   - An entry is kept only if the header was the same before and after the
//     query that read it, so it is of that snapshot.
//   - A change is acknowledged after its COMMIT has returned, which is after the
//     header has changed.
//   - A process that crashes before that point has acknowledged nothing; one
//     that crashes while it changes the header leaves two copies that differ,
//     and nothing is used until they are equal again.
//
// Expiry is not the cache's matter: the engine compares a token's end with its
// clock at each use.
type cache struct {
	index   atomic.Pointer[walIndex] // nil: there is no cache
	current atomic.Pointer[snapshot]
}

// snapshot is what was found while the header was the same.
type snapshot struct {
	header walHeader
	mu     sync.RWMutex
	found  map[uint64]*entry // by keyOf
}

// entry is a token with its user. Callers share the user's attributes and the
// sealed text, which nobody changes.
type entry struct {
	digest [sha256.Size]byte // of what was presented
	token  core.Token
	user   core.User
}

// keyOf is the part of a digest that is as good a key as the whole, and hashed
// more quickly. Of two that share it one is remembered.
func keyOf(digest *[sha256.Size]byte) uint64 { return binary.NativeEndian.Uint64(digest[:]) }

// state gives the header to look up under; ok is false where there is no cache
// or the header is being written.
func (c *cache) state() (h walHeader, ok bool) {
	index := c.index.Load()
	if index == nil {
		return h, false
	}
	return index.read()
}

// get gives what was found for a digest under the header.
func (c *cache) get(h *walHeader, digest *[sha256.Size]byte) (*entry, bool) {
	s := c.current.Load()
	if s == nil || s.header != *h {
		return nil, false
	}
	s.mu.RLock()
	e := s.found[keyOf(digest)]
	s.mu.RUnlock()
	return e, e != nil && e.digest == *digest
}

// put keeps what was found after the header was h, if it still is.
func (c *cache) put(h walHeader, e *entry) {
	if now, ok := c.state(); !ok || now != h {
		return
	}
	s := c.current.Load()
	if s == nil || s.header != h {
		fresh := &snapshot{header: h, found: make(map[uint64]*entry)}
		if !c.current.CompareAndSwap(s, fresh) {
			return // someone else was faster; the next look-up tries again
		}
		s = fresh
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.found) >= maxCached {
		clear(s.found)
	}
	s.found[keyOf(&e.digest)] = e
}
