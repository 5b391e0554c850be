//go:build unix

package walindex

import (
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Index is a read-only mapping of the WAL-index of a database.
//
// The mapping and its file descriptor are kept until the process ends, even after the
// database has been closed: a reader may still use the mapping, and closing the
// descriptor would release the locks that SQLite holds on the file for other
// connections of this process (POSIX locks end with any close). For the same reason
// the descriptor is not an os.File, which the garbage collector would close.
type Index struct {
	memory []byte
	file   int
	// largest is the largest size of the file that was seen, in bytes. SQLite never makes it
	// smaller while it is open.
	largest atomic.Int64
}

// Open maps the WAL-index of a database file. A connection that has read from the
// database must stay open for as long as the index is used, because the last connection
// that is closed deletes the file.
func Open(database string) (*Index, error) {
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
	x := &Index{memory: memory, file: file}
	x.largest.Store(info.Size)
	return x, nil
}

// Intact reports whether the file is still there and no smaller than it was. Otherwise
// somebody else has removed or truncated it: SQLite, which maps it too, must not be called
// any more, because it would read beyond the end, and that ends the process (SIGBUS).
func (x *Index) Intact() bool {
	// Read before the size: another call may see it grow meanwhile.
	largest := x.largest.Load()
	var info unix.Stat_t
	if err := unix.Fstat(x.file, &info); err != nil {
		return true // SQLite says what is wrong
	}
	if info.Nlink == 0 || info.Size < largest {
		return false
	}
	if info.Size > largest {
		x.largest.CompareAndSwap(largest, info.Size)
	}
	return true
}

// Read returns the current header. ok is false while a commit is writing it, after a
// process has died doing so, for as long as the write-ahead log has no header (see
// [Header]), and if the file has been truncated.
func (x *Index) Read() (h Header, ok bool) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if recover() != nil { // SIGBUS: the file has no first page any more
			ok = false
		}
	}()
	words := (*[2 * headerWords]uint32)(unsafe.Pointer(&x.memory[0]))
	// A writer writes the second copy first, and a reader reads the first one first.
	for i := range h {
		h[i] = atomic.LoadUint32(&words[i])
	}
	for i := range h {
		if atomic.LoadUint32(&words[headerWords+i]) != h[i] {
			return h, false
		}
	}
	return h, h[initWord] != 0 && (h[saltWord] != 0 || h[saltWord+1] != 0)
}
