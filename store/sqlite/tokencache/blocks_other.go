//go:build !unix

package tokencache

// blocks are pieces of memory. There is no cache on this system.
type blocks struct{ all [][]byte }

func newBlock() ([]byte, error) { return make([]byte, blockSize), nil }

func (b *blocks) free() { b.all = nil }
