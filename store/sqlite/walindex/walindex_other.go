//go:build !unix

package walindex

import "errors"

// Index is not available on this system.
type Index struct{}

// Open fails with [errors.ErrUnsupported].
func Open(string) (*Index, error) { return nil, errors.ErrUnsupported }

// Read returns no header.
func (*Index) Read() (Header, bool) { return Header{}, false }

// Intact reports true.
func (*Index) Intact() bool { return true }
