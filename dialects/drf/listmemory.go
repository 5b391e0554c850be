package drf

import (
	"context"
	"sync"
	"time"

	"github.com/authcompat/authcompat/core"
)

// How much memory lists of users may take, in bytes of JSON, beyond the first page of each. There are no
// pages to ask for, and a list is in memory until its client has read it.
const (
	allLists = 64 << 20 // of all callers of an API
	ownLists = 16 << 20 // of one caller, who else could keep the others from theirs
)

// decodedList is how many times its own length a list takes that is decoded, to be indented.
const decodedList = 30

// listMemory counts what lists of users take. A list that is alone is never refused.
type listMemory struct {
	all, own int64 // at most

	mu    sync.Mutex
	taken int64
	by    map[int64]int64 // user id to bytes; without those who have none
}

func newListMemory() *listMemory {
	return &listMemory{all: allLists, own: ownLists, by: make(map[int64]int64)}
}

// heldList is what one list takes. It is nil until there is one.
type heldList struct {
	memory *listMemory
	caller int64
	bytes  int64
	ended  bool
}

// hold begins a list, which ends with its request at the latest: also with one that panics.
func (m *listMemory) hold(ctx context.Context, caller int64) *heldList {
	h := &heldList{memory: m, caller: caller}
	context.AfterFunc(ctx, h.release)
	return h
}

// grow takes memory up to so many bytes. It fails with core.KindOverloaded if others, or other lists
// of the caller, leave too little; then the list has ended.
func (h *heldList) grow(to int64) error {
	m := h.memory
	m.mu.Lock()
	defer m.mu.Unlock()
	more := to - h.bytes
	others, own := m.taken-h.bytes, m.by[h.caller]-h.bytes
	if h.ended || others > 0 && m.taken+more > m.all || own > 0 && own+to > m.own {
		h.end()
		return &core.Error{Kind: core.KindOverloaded, RetryAfter: time.Second}
	}
	h.bytes = to
	m.taken += more
	m.by[h.caller] += more
	return nil
}

// release gives everything back, once.
func (h *heldList) release() {
	if h == nil {
		return
	}
	h.memory.mu.Lock()
	defer h.memory.mu.Unlock()
	h.end()
}

// end is release for a holder of the lock.
func (h *heldList) end() {
	m := h.memory
	m.taken -= h.bytes
	if m.by[h.caller] -= h.bytes; m.by[h.caller] == 0 {
		delete(m.by, h.caller)
	}
	h.bytes, h.ended = 0, true
}
