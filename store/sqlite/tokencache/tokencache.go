// Package tokencache keeps the tokens that were found in a SQLite database, for as long as no token
// and no user is changed or deleted: the next look-up sees every logout, disabled user or other
// change, whichever process made it.
package tokencache

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"sync"
	"sync/atomic"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/sqlite/walindex"
)

// maxCached is the maximum number of cached tokens that are not packed, at about a kilobyte each. When there are as
// many, they are dropped, and those that are packed remain.
const maxCached = 1 << 15

// SelectGeneration reads the number that triggers increase whenever a token or user is
// changed, deleted or replaced, and the one that SQLite increases whenever the tables
// are changed or another database is copied into this one.
const SelectGeneration = `SELECT n, schema_version AS schema FROM generation, pragma_schema_version`

// Generation identifies a state of the existing tokens and users: none of them has
// changed for as long as it stays the same.
type Generation struct {
	N      int64 `db:"n"`
	Schema int64 `db:"schema"`
}

// Cache keeps tokens that were found. The zero value has no index, and keeps nothing. It sees every
// change, because:
//
//   - Entries are used only while the WAL-index has a header under which they were
//     known to be valid. With that header, SQLite would give a reader the same
//     snapshot (package walindex).
//   - An entry is kept only if the header was the same before and after the query that
//     read it, so that it belongs to that snapshot.
//   - Under another header, the generation is read, again with the same header before
//     and after. If it has not changed, no token and no user was changed or deleted,
//     whatever else was written, and the entries are valid in this snapshot too;
//     otherwise all are dropped. The generation is increased by triggers, which belong
//     to the database and not to a program. A backup that is restored into the file
//     may bring back an older number, but then SQLite increases its own
//     (sqlite/src/backup.c, sqlite3_backup_step).
//   - A change is acknowledged after its COMMIT has returned, which is after the
//     header has changed.
//   - A process that crashes before that point has acknowledged nothing; one that
//     crashes while it changes the header leaves two copies that differ, and the cache
//     is not used until they are equal again.
//   - While the log is empty and the index has just been rebuilt from it, the header says
//     nothing of the database, and there is none for the cache.
//
// Expired tokens stay in the cache: the engine compares a token's expiry with its clock
// at each use.
type Cache struct {
	// Unpacked is how many entries are kept as they are, beside those that are packed; 0: 32,768; negative: none. It
	// must not change once the cache is used.
	Unpacked int

	index        atomic.Pointer[walindex.Index] // nil if there is no cache
	current      atomic.Pointer[Snapshot]
	revalidating sync.Mutex // held while the generation is read
}

// Snapshot holds what is known to be valid under one header.
type Snapshot struct {
	header     walindex.Header
	generation Generation
	*entries
}

// entries are the tokens found in one generation.
type entries struct {
	most   int // of tokens
	mu     sync.RWMutex
	tokens map[uint64]*Entry // by keyOf
	// packed has as many more as its memory has room for, from when the tokens of half a cache are in use; nil until
	// then. What is found there is cached again.
	packed *packed
}

// Entry is a token with its user. Callers share the user's attributes and the token's
// digest and sealed text, which nobody modifies.
type Entry struct {
	Digest [sha256.Size]byte // of the presented token
	Token  core.Token
	User   core.User
}

// keyOf returns a part of a digest, which is as good a map key as the whole and is
// hashed faster. Of two digests with the same key, only one is cached.
func keyOf(digest *[sha256.Size]byte) uint64 { return binary.NativeEndian.Uint64(digest[:]) }

// Index returns the index whose headers say what is valid; nil: there is no cache.
func (c *Cache) Index() *walindex.Index { return c.index.Load() }

// Use sets the index whose headers say what is valid; nil ends the use of the cache.
func (c *Cache) Use(index *walindex.Index) { c.index.Store(index) }

// Header returns the current header; ok is false if there is no cache, or the header is
// being written.
func (c *Cache) Header() (h walindex.Header, ok bool) {
	index := c.index.Load()
	if index == nil {
		return h, false
	}
	return index.Read()
}

// Valid returns what is known to be valid under the header, or nil.
func (c *Cache) Valid(h *walindex.Header) *Snapshot {
	if s := c.current.Load(); s != nil && s.header == *h {
		return s
	}
	return nil
}

// Revalidate returns what is valid under the header, reading the generation if
// necessary. It returns nil if the header has changed again, or another caller is
// reading the generation.
func (c *Cache) Revalidate(ctx context.Context, h *walindex.Header, readGeneration func(context.Context) (Generation, error)) *Snapshot {
	if s := c.Valid(h); s != nil {
		return s
	}
	if !c.revalidating.TryLock() {
		return nil
	}
	defer c.revalidating.Unlock()
	g, err := readGeneration(ctx)
	if now, ok := c.Header(); err != nil || !ok || now != *h {
		return nil
	}
	fresh := &Snapshot{header: *h, generation: g}
	if old := c.current.Load(); old != nil && old.generation == g {
		fresh.entries = old.entries
	} else {
		fresh.entries = &entries{most: cmp.Or(c.Unpacked, maxCached), tokens: make(map[uint64]*Entry)}
	}
	c.current.Store(fresh)
	return fresh
}

// Get returns the entry for a digest.
func (s *Snapshot) Get(digest *[sha256.Size]byte) (*Entry, bool) {
	s.mu.RLock()
	if e := s.tokens[keyOf(digest)]; e != nil && e.Digest == *digest {
		s.mu.RUnlock()
		return e, true
	}
	var e *Entry
	if s.packed != nil {
		e = s.packed.find(digest)
	}
	s.mu.RUnlock()
	if e == nil {
		return nil, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.put(e)
	return e, true
}

// put caches an entry. The caller holds the lock.
func (s *entries) put(e *Entry) {
	if len(s.tokens) >= s.most {
		clear(s.tokens)
	}
	if s.most > 0 {
		s.tokens[keyOf(&e.Digest)] = e
	}
}

// Add caches an entry that was read under the snapshot's header, if that is still the
// current header.
func (c *Cache) Add(s *Snapshot, e *Entry) {
	if now, ok := c.Header(); !ok || now != s.header {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.put(e)
	if s.packed == nil && len(s.tokens) >= s.most/2 {
		s.packed = newPacked()
	}
	if s.packed != nil && !s.packed.add(e) {
		s.packed.blocks.free() // it is full; those in use come again
		s.packed = nil
	}
}
