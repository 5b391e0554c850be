//go:build unix

package tokencache

import "golang.org/x/sys/unix"

// blocks are pieces of memory that the garbage collector doesn't count: with them it would run half as often, and let
// as much garbage gather as there are tokens.
type blocks struct{ all [][]byte }

// newBlock returns memory that takes room once it is written to.
func newBlock() ([]byte, error) {
	return unix.Mmap(-1, 0, blockSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
}

// free gives the memory back. Nobody may use it any more.
func (b *blocks) free() {
	for _, memory := range b.all {
		_ = unix.Munmap(memory) // which can only fail for what is none of it
	}
	b.all = nil
}
