package sqlite

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"sync"
	"sync/atomic"

	"github.com/authcompat/authcompat/core"
)

// maxCached is how many tokens are remembered at most, at about a kilobyte each;
// past it all are forgotten.
const maxCached = 1 << 15

// selectGeneration gives the number that triggers raise with each token or user
// that is changed, removed or replaced, and the one that SQLite raises with each
// change of the tables and with each copy of another database into this one.
const selectGeneration = `SELECT n, schema_version AS schema FROM generation, pragma_schema_version`

// generation is a state of the tokens and users that were there before: as long
// as it stays the same, none of them has changed.
type generation struct {
	N      int64 `db:"n"`
	Schema int64 `db:"schema"`
}

// cache remembers tokens that were found, for as long as no token and no user is
// changed or removed. It keeps the promise that a logout, a disabled user or any
// other change is seen by the next look-up, whichever process made it:
//
//   - What is remembered is used only while the shared memory shows one header of
//     the WAL-index, at which it was known to hold. SQLite would give a reader
//     with that header the very snapshot that it was known to hold in.
//   - An entry is kept only if the header was the same before and after the
//     query that read it, so it is of that snapshot.
//   - With another header, the generation is read, again with the same header
//     before and after. If it is the same as before, no token and no user was
//     changed or removed in between, whatever else was written, and what is
//     remembered holds in this snapshot too; else all is forgotten. Triggers
//     raise the generation, which belong to the database and not to a program.
//     A backup that is restored into the file may bring an older number back, but
//     SQLite raises its own then (sqlite/src/backup.c, sqlite3_backup_step).
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
	looking sync.Mutex // at the generation
}

// snapshot is what is known to hold while the header is the same.
type snapshot struct {
	header     walHeader
	generation generation
	*found
}

// found is what was found in one generation.
type found struct {
	mu     sync.RWMutex
	tokens map[uint64]*entry // by keyOf
}

// entry is a token with its user. Callers share the user's attributes and the
// token's digest and sealed text, which nobody changes.
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

// at gives what is known to hold with the header; nil where nothing is.
func (c *cache) at(h *walHeader) *snapshot {
	if s := c.current.Load(); s != nil && s.header == *h {
		return s
	}
	return nil
}

// renew gives what is known to hold with the header, after it has found out about
// the generation if need be. It gives nil where the header has changed again, or
// someone else is finding out.
func (c *cache) renew(ctx context.Context, h *walHeader, find func(context.Context) (generation, error)) *snapshot {
	if s := c.at(h); s != nil {
		return s
	}
	if !c.looking.TryLock() {
		return nil
	}
	defer c.looking.Unlock()
	g, err := find(ctx)
	if now, ok := c.state(); err != nil || !ok || now != *h {
		return nil
	}
	fresh := &snapshot{header: *h, generation: g}
	if old := c.current.Load(); old != nil && old.generation == g {
		fresh.found = old.found
	} else {
		fresh.found = &found{tokens: make(map[uint64]*entry)}
	}
	c.current.Store(fresh)
	return fresh
}

// get gives what was found for a digest.
func (f *found) get(digest *[sha256.Size]byte) (*entry, bool) {
	f.mu.RLock()
	e := f.tokens[keyOf(digest)]
	f.mu.RUnlock()
	return e, e != nil && e.digest == *digest
}

// put remembers what was found under the snapshot's header, if that is still the
// header.
func (c *cache) put(s *snapshot, e *entry) {
	if now, ok := c.state(); !ok || now != s.header {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.tokens) >= maxCached {
		clear(s.tokens)
	}
	s.tokens[keyOf(&e.digest)] = e
}
