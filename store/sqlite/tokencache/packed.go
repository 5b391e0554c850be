package tokencache

import (
	"crypto/sha256"
	"encoding/binary"
	"runtime"
	"time"
)

// maxPacked is how much memory packed tokens take at most, in bytes: a million of some hundred bytes, which tokens
// have whose text is not kept.
const maxPacked = 128e6

// How the memory is divided.
const (
	blockSize = 1 << 20 // bytes of entries
	alignment = 4       // of an entry, so that 32 bits say where it is
	slotSize  = 8
	leastRoom = 1 << 10 // slots of a new table
	maxWords  = 1 << 12 // names of realms, APIs and keys, which many tokens have in common
)

// packed keeps entries in little memory, which the garbage collector need not look at: one after the other in blocks,
// and a table that says where. It keeps no entry that would not come out as it went in.
type packed struct {
	// slots are an open hash table: the first four bytes of a digest, and where the entry is, from 1 on;
	// 0: nothing.
	slots  []uint64
	count  int // of entries
	blocks *blocks
	used   int // bytes of the last block
	// free has, by their size, the places of entries that were removed, from 1 on; in each of them is the next one.
	free   map[int]uint32
	words  []string
	known  map[string]int // index of a word
	buffer []byte         // of the entry that is added
}

func newPacked() *packed {
	p := &packed{slots: make([]uint64, leastRoom), blocks: &blocks{}, used: blockSize, free: make(map[int]uint32), known: make(map[string]int)}
	runtime.AddCleanup(p, (*blocks).free, p.blocks)
	return p
}

// bytes returns how much memory is taken, or would be with more of it.
func (p *packed) bytes(slots, blocks int) int {
	return (len(p.slots)+slots)*slotSize + (len(p.blocks.all)+blocks)*blockSize
}

// slot returns where an entry is, or belongs, in the table, and where it is in the blocks; ok is false if it is nowhere.
func (p *packed) slot(digest *[sha256.Size]byte) (slot int, at int, ok bool) {
	tag, mask := uint64(binary.BigEndian.Uint32(digest[:])), len(p.slots)-1
	for i := int(binary.BigEndian.Uint32(digest[4:])) & mask; ; i = (i + 1) & mask {
		s := p.slots[i]
		if s == 0 {
			return i, 0, false
		}
		if s>>32 != tag {
			continue
		}
		if at = (int(uint32(s)) - 1) * alignment; string(p.at(at)[:sha256.Size-4]) == string(digest[4:]) {
			return i, at, true
		}
	}
}

// at returns the memory from an entry on.
func (p *packed) at(at int) []byte { return p.blocks.all[at/blockSize][at%blockSize:] }

// add keeps an entry, unless it can't be packed. It reports false if there is no room for it.
func (p *packed) add(e *Entry) bool {
	if _, _, there := p.slot(&e.Digest); there || !p.pack(e) {
		return true
	}
	if (p.count+1)*8 > len(p.slots)*5 && !p.grow() {
		return false
	}
	at, ok := p.room(len(p.buffer))
	if !ok {
		return false
	}
	copy(p.at(at), p.buffer)
	slot, _, _ := p.slot(&e.Digest)
	p.slots[slot] = uint64(binary.BigEndian.Uint32(e.Digest[:]))<<32 | uint64(at/alignment+1)
	p.count++
	return true
}

// grow doubles the table.
func (p *packed) grow() bool {
	if p.bytes(len(p.slots), 0) > maxPacked {
		return false
	}
	old := p.slots
	p.slots = make([]uint64, 2*len(old))
	mask := len(p.slots) - 1
	for _, s := range old {
		if s == 0 {
			continue
		}
		i := p.home(s)
		for p.slots[i] != 0 {
			i = (i + 1) & mask
		}
		p.slots[i] = s
	}
	return true
}

// The flags of an entry.
const (
	reusable = 1 << iota
	active
	sealed     // not nil
	attributes // not nil
)

// pack encodes an entry without the first four bytes of its digest, and reports whether it could.
func (p *packed) pack(e *Entry) bool {
	t, u := &e.Token, &e.User
	realm, issuer, key := p.word(t.Realm), p.word(t.Issuer), p.word(t.SealKey)
	switch {
	case string(t.Digest) != string(e.Digest[:]), t.Legacy.Format != "" || t.Legacy.Prefix != "" || t.Legacy.Salt != nil || t.Legacy.Digest != nil,
		t.Login, t.By != nil, t.Plaintext != "", min(realm, issuer, key) < 0, !exact(t.CreatedAt), !exact(t.ExpiresAt), !exact(u.CreatedAt):
		return false
	}
	var flags byte
	for i, set := range []bool{t.Reusable, u.Active, t.Sealed != nil, u.Attributes != nil} {
		if set {
			flags |= 1 << i
		}
	}
	b := append(append(p.buffer[:0], e.Digest[4:]...), flags)
	for _, n := range []int64{t.UserID, int64(realm), int64(issuer), int64(key), t.CreatedAt.UnixMicro(), t.ExpiresAt.UnixMicro(), int64(t.Sliding), u.ID - t.UserID, u.CreatedAt.UnixMicro()} {
		b = binary.AppendVarint(b, n)
	}
	b = appendText(appendText(b, u.Username), u.Email)
	if t.Sealed != nil {
		b = appendText(b, string(t.Sealed))
	}
	if u.Attributes != nil {
		b = binary.AppendVarint(b, int64(len(u.Attributes)))
		for name, value := range u.Attributes {
			b = appendText(appendText(b, name), value)
		}
	}
	p.buffer = b
	return len(b) <= blockSize
}

// word returns the index of a word; -1 if there are too many.
func (p *packed) word(word string) int {
	i, ok := p.known[word]
	switch {
	case ok:
		return i
	case len(p.words) >= maxWords:
		return -1
	}
	p.known[word] = len(p.words)
	p.words = append(p.words, word)
	return len(p.words) - 1
}

// exact reports whether a time is the same after its microseconds were kept alone.
func exact(t time.Time) bool { return t == time.UnixMicro(t.UnixMicro()).UTC() }

func appendText(b []byte, text string) []byte {
	return append(binary.AppendVarint(b, int64(len(text))), text...)
}

// find returns a copy of the entry for a digest; nil: there is none.
func (p *packed) find(digest *[sha256.Size]byte) *Entry {
	_, at, ok := p.slot(digest)
	if !ok {
		return nil
	}
	e, _ := p.unpack(at)
	e.Digest = *digest
	return e
}

// unpack decodes the entry at a place, but for its digest, and returns its size, too.
func (p *packed) unpack(at int) (e *Entry, size int) {
	memory := p.at(at)
	r := reader(memory[sha256.Size-4:])
	flags := r.bytes(1)[0]
	e = &Entry{}
	t, u := &e.Token, &e.User
	t.Digest = e.Digest[:]
	t.UserID = r.number()
	t.Realm, t.Issuer, t.SealKey = p.words[r.number()], p.words[r.number()], p.words[r.number()]
	t.CreatedAt, t.ExpiresAt = r.time(), r.time()
	t.Sliding = time.Duration(r.number())
	t.Reusable, u.Active = flags&reusable != 0, flags&active != 0
	u.ID = t.UserID + r.number()
	u.CreatedAt = r.time()
	u.Username, u.Email = r.text(), r.text()
	if flags&sealed != 0 {
		t.Sealed = []byte(r.text())
	}
	if flags&attributes != 0 {
		n := r.number()
		u.Attributes = make(map[string]string, n)
		for range n {
			name := r.text()
			u.Attributes[name] = r.text()
		}
	}
	return e, len(memory) - len(r)
}

// reader reads what pack has encoded.
type reader []byte

func (r *reader) bytes(n int64) []byte {
	b := (*r)[:n]
	*r = (*r)[n:]
	return b
}

func (r *reader) number() int64 {
	n, size := binary.Varint(*r)
	*r = (*r)[size:]
	return n
}

func (r *reader) time() time.Time { return time.UnixMicro(r.number()).UTC() }

// text returns a copy.
func (r *reader) text() string { return string(r.bytes(r.number())) }
