// Package tokencache keeps the tokens that were found in a SQLite database, each for as long as neither it
// nor its user is changed or deleted: the next look-up sees every logout, disabled user or other
// change, whichever process made it.
package tokencache

import (
	"cmp"
	"context"
	"crypto/sha256"
	"sync"
	"sync/atomic"

	"github.com/authcompat/authcompat/store/sqlite/walindex"
)

// maxCached is the maximum number of cached tokens that are not packed, at about a kilobyte each. When there are as
// many, they are dropped, and those that are packed remain.
const maxCached = 1 << 15

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
//     whatever else was written, and the entries are valid in this snapshot too. The generation is
//     increased by triggers, which belong to the database and not to a program, in the transaction of
//     the change.
//   - If it has, the triggers have written, in that transaction too, which token or user each step was about.
//     The steps since the generation in which the entries were valid are read under that same header, and what they are about is
//     dropped; what no step is about has not changed. They are the steps from that generation to this one only if none
//     is missing, and if the database still has, as the first and the last of them, what was drawn at random in both:
//     so a writer whose triggers write no steps, a number that went back and forward again, an emptied table or more
//     steps than are kept all make the cache drop everything. So does a step that may be about any token: a REPLACE, which removes
//     rows by no trigger of a removal, and a token or user that may have replaced another. And so does another
//     number of the schema: a backup that is restored into the file may bring back an older generation, but then SQLite increases
//     that one (sqlite/src/backup.c, sqlite3_backup_step).
//   - What a slow look-up has read is not kept once later steps have been taken in, which may be about it: both
//     happen under one lock, with a number that says how far the entries have come.
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
	// DropAll has everything dropped at each change of a token or user, to compare with. It must not change once the cache is used.
	DropAll bool

	index        atomic.Pointer[walindex.Index] // nil if there is no cache
	current      atomic.Pointer[Snapshot]
	revalidating sync.Mutex // held while the generation is read, and changes are taken in
}

// Snapshot holds what is known to be valid under one header.
type Snapshot struct {
	header     walindex.Header
	generation generation
	entries    *entries // later snapshots may share them
}

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

// Revalidate returns what is valid under the header, reading the generation, and what has changed, if
// necessary. It returns nil if the header has changed again, or another caller is
// reading them, or they can't be read.
func (c *Cache) Revalidate(ctx context.Context, h *walindex.Header, r Reader) *Snapshot {
	if s := c.Valid(h); s != nil {
		return s
	}
	if !c.revalidating.TryLock() {
		return nil
	}
	defer c.revalidating.Unlock()
	g, err := r.readGeneration(ctx)
	if err != nil {
		return nil
	}
	old := c.current.Load()
	same := old != nil && old.generation == g
	var changes []change
	complete := false
	if !same && old != nil && !c.DropAll && g.follows(old.generation) {
		if changes, complete, err = r.readChanges(ctx, old.generation, g); err != nil {
			return nil
		}
	}
	if now, ok := c.Header(); !ok || now != *h {
		return nil
	}
	fresh := &Snapshot{header: *h, generation: g}
	if same || complete && old.entries.forget(changes, g.N) {
		fresh.entries = old.entries
	} else {
		fresh.entries = newEntries(cmp.Or(c.Unpacked, maxCached), g.N)
	}
	c.current.Store(fresh)
	return fresh
}

// Get returns the entry for the digest of a token of this realm.
func (s *Snapshot) Get(digest *[sha256.Size]byte, realm string) (*Entry, bool) {
	e, n, fresh := s.entries.get(digest)
	if fresh {
		s.entries.keep(e, n, false)
	}
	if e == nil || e.Token.Realm != realm {
		return nil, false
	}
	return e, true
}

// Add caches an entry that was read under the snapshot's header, if that is still the
// current header.
func (c *Cache) Add(s *Snapshot, e *Entry) {
	if now, ok := c.Header(); !ok || now != s.header {
		return
	}
	s.entries.keep(e, s.generation.N, true)
}
