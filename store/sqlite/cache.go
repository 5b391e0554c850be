package sqlite

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"sync"
	"sync/atomic"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/sqlite/walindex"
)

// maxCached is the maximum number of cached tokens, at about a kilobyte each. A full
// cache is emptied.
const maxCached = 1 << 15

// selectGeneration reads the number that triggers increase whenever a token or user is
// changed, deleted or replaced, and the one that SQLite increases whenever the tables
// are changed or another database is copied into this one.
const selectGeneration = `SELECT n, schema_version AS schema FROM generation, pragma_schema_version`

// generation identifies a state of the existing tokens and users: none of them has
// changed for as long as it stays the same.
type generation struct {
	N      int64 `db:"n"`
	Schema int64 `db:"schema"`
}

// cache keeps tokens that were found, for as long as no token and no user is changed or
// deleted. The next look-up sees every logout, disabled user or other change,
// whichever process made it:
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
type cache struct {
	index        atomic.Pointer[walindex.Index] // nil if there is no cache
	current      atomic.Pointer[snapshot]
	revalidating sync.Mutex // held while the generation is read
}

// snapshot holds what is known to be valid under one header.
type snapshot struct {
	header     walindex.Header
	generation generation
	*entries
}

// entries are the tokens found in one generation.
type entries struct {
	mu     sync.RWMutex
	tokens map[uint64]*entry // by keyOf
}

// entry is a token with its user. Callers share the user's attributes and the token's
// digest and sealed text, which nobody modifies.
type entry struct {
	digest [sha256.Size]byte // of the presented token
	token  core.Token
	user   core.User
}

// keyOf returns a part of a digest, which is as good a map key as the whole and is
// hashed faster. Of two digests with the same key, only one is cached.
func keyOf(digest *[sha256.Size]byte) uint64 { return binary.NativeEndian.Uint64(digest[:]) }

// header returns the current header; ok is false if there is no cache, or the header is
// being written.
func (c *cache) header() (h walindex.Header, ok bool) {
	index := c.index.Load()
	if index == nil {
		return h, false
	}
	return index.Read()
}

// valid returns what is known to be valid under the header, or nil.
func (c *cache) valid(h *walindex.Header) *snapshot {
	if s := c.current.Load(); s != nil && s.header == *h {
		return s
	}
	return nil
}

// revalidate returns what is valid under the header, reading the generation if
// necessary. It returns nil if the header has changed again, or another caller is
// reading the generation.
func (c *cache) revalidate(ctx context.Context, h *walindex.Header, readGeneration func(context.Context) (generation, error)) *snapshot {
	if s := c.valid(h); s != nil {
		return s
	}
	if !c.revalidating.TryLock() {
		return nil
	}
	defer c.revalidating.Unlock()
	g, err := readGeneration(ctx)
	if now, ok := c.header(); err != nil || !ok || now != *h {
		return nil
	}
	fresh := &snapshot{header: *h, generation: g}
	if old := c.current.Load(); old != nil && old.generation == g {
		fresh.entries = old.entries
	} else {
		fresh.entries = &entries{tokens: make(map[uint64]*entry)}
	}
	c.current.Store(fresh)
	return fresh
}

// get returns the entry for a digest.
func (e *entries) get(digest *[sha256.Size]byte) (*entry, bool) {
	e.mu.RLock()
	found := e.tokens[keyOf(digest)]
	e.mu.RUnlock()
	return found, found != nil && found.digest == *digest
}

// add caches an entry that was read under the snapshot's header, if that is still the
// current header.
func (c *cache) add(s *snapshot, e *entry) {
	if now, ok := c.header(); !ok || now != s.header {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.tokens) >= maxCached {
		clear(s.tokens)
	}
	s.tokens[keyOf(&e.digest)] = e
}
