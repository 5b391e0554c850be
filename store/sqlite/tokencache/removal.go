package tokencache

import "encoding/binary"

// round returns the room that an entry of a size takes.
func round(size int) int { return (size + alignment - 1) / alignment * alignment }

// room returns a place for an entry of a size: that of a removed one, or a new one. ok is false if there is none.
func (p *packed) room(size int) (at int, ok bool) {
	size = round(size)
	if first := p.free[size]; first != 0 {
		at = (int(first) - 1) * alignment
		p.free[size] = binary.NativeEndian.Uint32(p.at(at))
		return at, true
	}
	if p.used+size > blockSize {
		if p.bytes(0, 1) > maxPacked {
			return 0, false
		}
		memory, err := newBlock()
		if err != nil {
			return 0, false
		}
		p.blocks.all, p.used = append(p.blocks.all, memory), 0
	}
	at = (len(p.blocks.all)-1)*blockSize + p.used
	p.used += size
	return at, true
}

// home returns where in the table the search for an entry begins.
func (p *packed) home(slot uint64) int {
	return int(binary.BigEndian.Uint32(p.at((int(uint32(slot))-1)*alignment))) & (len(p.slots) - 1)
}

// remove removes the entries whose digests begin so.
func (p *packed) remove(prefix [prefixSize]byte) {
	tag, rest, mask := uint64(binary.BigEndian.Uint32(prefix[:])), binary.BigEndian.Uint32(prefix[4:]), len(p.slots)-1
	for i := int(rest) & mask; p.slots[i] != 0; {
		s := p.slots[i]
		at := (int(uint32(s)) - 1) * alignment
		if s>>32 != tag || binary.BigEndian.Uint32(p.at(at)) != rest {
			i = (i + 1) & mask
			continue
		}
		p.vacate(i) // another one may be there now
		_, size := p.unpack(at)
		size = round(size)
		binary.NativeEndian.PutUint32(p.at(at), p.free[size])
		p.free[size] = uint32(at/alignment + 1)
		p.count--
	}
}

// vacate empties a slot of the table, and moves those behind it up that the search would not reach otherwise (linear probing;
// Knuth, The Art of Computer Programming 3, 6.4, algorithm R).
func (p *packed) vacate(i int) {
	mask := len(p.slots) - 1
	for j := (i + 1) & mask; p.slots[j] != 0; j = (j + 1) & mask {
		if (j-p.home(p.slots[j]))&mask >= (j-i)&mask {
			p.slots[i], i = p.slots[j], j
		}
	}
	p.slots[i] = 0
}
