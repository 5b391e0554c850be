//go:build unix

package sqlite

import (
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// walIndex is a view into the shared memory in which every process that has the
// database open finds the state of its write-ahead log.
//
// A commit changes the header before it returns, in whichever process: it
// counts commits and holds the checksum of the last frame. A process that dies
// while it writes the header leaves its two copies different, which read
// reports as no state at all until SQLite has recovered the log.
//
// The mapping and the file descriptor stay for as long as the process lives,
// also when the store is closed: a reader may be late, and closing the file
// would drop the locks that SQLite holds on it for another store of this process
// (POSIX locks end with any close). Hence no os.File, which the garbage collector
// closes.
type walIndex struct{ memory []byte }

// mapWALIndex maps the WAL-index of an open database. A connection that has
// read from the database must be kept open for as long as the view is used:
// the last one to close deletes the file.
func mapWALIndex(database string) (*walIndex, error) {
	file, err := unix.Open(database+"-shm", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open the WAL-index: %w", err)
	}
	page := os.Getpagesize()
	var info unix.Stat_t
	if err := unix.Fstat(file, &info); err != nil || info.Size < int64(page) {
		return nil, errors.Join(errors.New("the WAL-index is too small"), err)
	}
	memory, err := unix.Mmap(file, 0, page, unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("map the WAL-index: %w", err)
	}
	return &walIndex{memory: memory}, nil
}

// read gives the current header; ok is false while a commit is writing it, or
// where one died doing so.
func (w *walIndex) read() (h walHeader, ok bool) {
	words := (*[2 * headerWords]uint32)(unsafe.Pointer(&w.memory[0]))
	// A writer fills the second copy first, a reader reads the first one first.
	for i := range h {
		h[i] = atomic.LoadUint32(&words[i])
	}
	for i := range h {
		if atomic.LoadUint32(&words[headerWords+i]) != h[i] {
			return h, false
		}
	}
	return h, h[initializedWord] != 0
}
