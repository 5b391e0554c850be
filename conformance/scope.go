package conformance

import "time"

// A scope is what templates refer to while one exchange is replayed.
type scope struct {
	users    map[string]User
	captures map[string]string
	hidden   []string  // secrets that no template refers to
	before   time.Time // the server's clock before the last request
	after    time.Time // and after its response
}
