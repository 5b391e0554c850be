package wire

import (
	"fmt"
	"io"
)

// Kept is a body of which Body can read as much as it may, and which is whole all the same
// for the next reader.
type Kept struct {
	rest io.ReadCloser // what is not read yet
	read []byte        // by all
	err  error         // that all ended with; nil: at the end, or where the body is too large
	done bool          // all was called
	next int           // byte of read for Read
}

// Keep returns a body that is kept.
func Keep(body io.ReadCloser) *Kept { return &Kept{rest: body} }

// all reads the whole body, as Body does.
func (k *Kept) all() ([]byte, error) {
	if !k.done {
		k.done = true
		k.read, k.err = io.ReadAll(io.LimitReader(k.rest, MaxBody+1))
	}
	switch {
	case IsOverloaded(k.err):
		return nil, k.err
	case k.err != nil:
		return nil, fmt.Errorf("%w: %w", ErrBodyCut, k.err)
	case len(k.read) > MaxBody:
		return nil, ErrBodyTooLarge
	}
	return k.read, nil
}

// Touched reports whether anything was asked of the client: it may have been told to send.
func (k *Kept) Touched() bool { return k.done }

// Read implements io.Reader. Errors are those that the body had.
func (k *Kept) Read(p []byte) (int, error) {
	if k.next < len(k.read) {
		n := copy(p, k.read[k.next:])
		k.next += n
		return n, nil
	}
	switch {
	case !k.done, len(k.read) > MaxBody, IsOverloaded(k.err):
		return k.rest.Read(p)
	case k.err != nil:
		return 0, k.err
	}
	return 0, io.EOF
}

// Close implements io.Closer.
func (k *Kept) Close() error { return k.rest.Close() }

// Unbudgeted returns the body for a reader that keeps none of it in memory: what is not read
// yet counts against no budget.
func (k *Kept) Unbudgeted() io.ReadCloser {
	if rest, ok := k.rest.(Budgeted); ok {
		k.rest = rest.Unbudgeted()
	}
	return k
}

// Budgeted is a body that counts against a budget of memory.
type Budgeted interface {
	// Unbudgeted returns what is not read of the body, which counts no more.
	Unbudgeted() io.ReadCloser
}
