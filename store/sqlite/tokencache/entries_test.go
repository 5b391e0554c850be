package tokencache

import (
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/authcompat/authcompat/core"
)

// tokenChange and userChange are steps about an entry.
func tokenChange(e *Entry) change { return change{Digest: e.Token.Digest[:prefixSize]} }

func userChange(id int64) change {
	return change{UserID: sql.NullInt64{Int64: id, Valid: true}}
}

// has reports whether there is an entry for the digest.
func (s *entries) has(digest [sha256.Size]byte) bool {
	e, _, _ := s.get(&digest)
	return e != nil
}

// TestSlowLookUpsKeepNothing keeps what was read in one generation once the changes of the next have been taken in: it may be
// what they are about.
func TestSlowLookUpsKeepNothing(t *testing.T) {
	for name, most := range map[string]int{"as they are": 10, "packed": -1} {
		s, e := newEntries(most, 7), entry(1)
		if !s.forget([]change{tokenChange(e)}, 8) {
			t.Fatal("all is to be dropped")
		}
		s.keep(e, 7, true)
		if s.has(e.Digest) {
			t.Errorf("%s: it is kept", name)
		}
		s.keep(e, 8, true)
		if !s.has(e.Digest) {
			t.Errorf("%s: what was read later is not", name)
		}
	}
	// Likewise, what was found packed.
	s, e := newEntries(10, 7), entry(1)
	s.packed = newPacked()
	s.packed.add(e)
	found, n, fresh := s.get(&e.Digest)
	if found == nil || !fresh || n != 7 {
		t.Fatal(found, n, fresh)
	}
	s.forget([]change{tokenChange(e)}, 8)
	s.keep(found, n, false)
	if s.has(e.Digest) {
		t.Error("what was found packed is kept")
	}
}

// TestForgetUser has a user change: of what is kept, nothing holds that was there before.
func TestForgetUser(t *testing.T) {
	s := newEntries(10, 0)
	s.packed = newPacked()
	ann, ben := entry(1), entry(2)
	second := entry(3)
	second.User.ID, second.Token.UserID = 1, 1
	packed := entry(4)
	packed.User.ID, packed.Token.UserID = 1, 1
	s.packed.add(packed)
	for _, e := range []*Entry{ann, ben, second} {
		s.keep(e, 0, true)
	}
	if !s.forget([]change{userChange(1)}, 1) {
		t.Fatal("all is to be dropped")
	}
	for name, e := range map[string]*Entry{"ann": ann, "ben": ben, "second": second, "packed": packed} {
		if got, want := s.has(e.Digest), name == "ben"; got != want {
			t.Errorf("%s is there: %v", name, got)
		}
	}
	again := entry(1)
	s.keep(again, 1, true)
	if !s.has(again.Digest) {
		t.Error("what was read since is not there")
	}
	if s.packed.find(&ben.Digest) == nil {
		t.Error("ben is not packed")
	}
	clear(s.keys) // what was kept of ann before is packed, and does not come back
	if s.has(ann.Digest) || s.has(packed.Digest) || !s.has(ben.Digest) {
		t.Errorf("ann %v, packed %v, ben %v", s.has(ann.Digest), s.has(packed.Digest), s.has(ben.Digest))
	}
}

// TestForgetAll says that all is to be dropped: at a step that may be about any token, and after very many users.
func TestForgetAll(t *testing.T) {
	for name, c := range map[string]change{"any token": {}, "no whole digest": {Digest: []byte("1234567")}, "a longer one": {Digest: []byte("123456789")}} {
		if newEntries(10, 0).forget([]change{c}, 1) {
			t.Errorf("%s: not all", name)
		}
	}
	s := newEntries(10, 0)
	for i := range int64(maxChangedUsers) {
		if !s.forget([]change{userChange(i)}, i+1) {
			t.Fatalf("after %d users", i+1)
		}
	}
	if s.forget([]change{userChange(1 << 40)}, 1<<20) {
		t.Error("users without end")
	}
}

// TestForgetRow forgets tokens whose rows have another digest, by that, and those of the same key alone.
func TestForgetRow(t *testing.T) {
	s := newEntries(10, 0)
	row := core.Digest(fmt.Sprintf("%064d", 1))
	var all []*Entry
	for i := range 4 {
		e := entry(i)
		if i < 2 {
			e.Token.Digest = row
		}
		s.keep(e, 0, true)
		s.keep(e, 0, true)
		all = append(all, e)
	}
	if !s.forget([]change{tokenChange(all[0])}, 1) {
		t.Fatal("all is to be dropped")
	}
	for i, e := range all {
		if s.has(e.Digest) != (i >= 2) {
			t.Errorf("token %d is there: %v", i, i < 2)
		}
	}
	if len(s.rows) != 0 {
		t.Errorf("%d rows are left", len(s.rows))
	}
}

// TestPackedRemoval adds and removes entries at random, of sizes that differ, many with the same place in the table or the same
// beginning: those are there that were added and not removed.
func TestPackedRemoval(t *testing.T) {
	const seed, steps, different = 1, 20_000, 3000
	random := rand.New(rand.NewPCG(seed, seed))
	p, there := newPacked(), map[int]bool{}
	made := func(i int) *Entry {
		e := entry(i)
		// A third has one of few places; each has a neighbour with the same beginning.
		binary.BigEndian.PutUint32(e.Digest[:], uint32(i/2))
		if i%3 == 0 {
			binary.BigEndian.PutUint32(e.Digest[4:], uint32(i/2%7))
		} else {
			binary.BigEndian.PutUint32(e.Digest[4:], uint32(i/2*7919))
		}
		e.User.Username = e.User.Username[:1+i%8]
		e.Token.Sealed = make([]byte, i%50)
		return e
	}
	alike := func(i, j int) bool { return [prefixSize]byte(made(i).Digest[:]) == [prefixSize]byte(made(j).Digest[:]) }
	check := func(i int) {
		t.Helper()
		e := made(i)
		found := p.find(&e.Digest)
		if (found != nil) != there[i] || found != nil && (found.User.ID != int64(i) || found.User.Username != e.User.Username || len(found.Token.Sealed) != i%50) {
			t.Fatalf("token %d, added %v: %+v", i, there[i], found)
		}
	}
	for range steps {
		i := random.IntN(different)
		if random.IntN(2) == 0 {
			if !p.add(made(i)) {
				t.Fatal("there is no room")
			}
			there[i] = true
		} else {
			p.remove([prefixSize]byte(made(i).Digest[:]))
			for _, j := range []int{i, i ^ 1} {
				if alike(i, j) {
					delete(there, j)
				}
			}
		}
		check(i)
	}
	for i := range different {
		check(i)
	}
	if p.count != len(there) || len(there) < different/4 {
		t.Errorf("%d entries, want %d", p.count, len(there))
	}
	used := 0
	for _, s := range p.slots {
		if s != 0 {
			used++
		}
	}
	if used != p.count {
		t.Errorf("%d slots for %d entries", used, p.count)
	}
}

// TestPackedRoomIsUsedAgain removes and adds many times as many entries as there is room for.
func TestPackedRoomIsUsedAgain(t *testing.T) {
	p := newPacked()
	for i := range 1000 {
		p.add(entry(i))
	}
	blocks := len(p.blocks.all)
	for i := range 60_000 {
		e := entry(i % 1000)
		p.remove([prefixSize]byte(e.Digest[:]))
		if !p.add(e) {
			t.Fatal("there is no room")
		}
	}
	if len(p.blocks.all) != blocks {
		t.Errorf("%d blocks, and %d at first", len(p.blocks.all), blocks)
	}
	for i := range 1000 {
		if e := entry(i); p.find(&e.Digest) == nil {
			t.Errorf("token %d is gone", i)
		}
	}
}
