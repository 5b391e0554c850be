//go:build !linux

package dbfile

// probe finds nothing: on this system, it is not known who has a file open.
type probe struct{}

func newProbe(string) *probe { return &probe{} }

func (*probe) used() (used, known bool) { return false, false }

func (*probe) read([]byte) bool { return false }

func (*probe) close() {}
