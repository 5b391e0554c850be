// Package record makes exchange files of a live API: of requests and responses that a proxy passes on,
// or that an HTTP archive has.
//
// # Sequences
//
// Requests belong together, and become one exchange, if they are about the same thing that the server
// made: a token or a cookie that a response issued and a later request sends or a later response
// repeats, an id that a response to the same client showed and that a later path has, or a user whom
// the recording registers or changes. The rest stands alone, one request an exchange. What clients and
// paths are called plays no part, and exchanges with the same text are written once.
//
// # Secrets
//
// What stands in the place of a secret is one: the credentials of an Authorization header, values of
// cookies, and the values of headers, query parameters and fields whose names speak of passwords,
// tokens, keys, sessions or codes; and what a server issues and can't be guessed. Secrets stay in
// memory: wherever they stand in the recording, also encoded, the file has a reference (${token1},
// ${user1.password}) or a made-up value with as many characters of the same classes. A secret of less than four
// characters, and one that is also the name of a field, is replaced only where it stands as a secret.
// What is about to be written is searched for all others, decoded too: an exchange that has one is left
// out, and Write refuses a file in which one is left after all.
package record

import (
	"sync"
	"time"

	"github.com/authcompat/authcompat/conformance/wire"
)

// A Call is a request with the response to it.
type Call struct {
	// Client tells clients apart that send ids: any text, such as an address with a User-Agent.
	Client   string
	Request  wire.Request
	Response wire.Response
	Ended    time.Time // when the response was complete
}

// What a Recording holds at most. To make a Draft takes longer than the number of calls grows, and whoever
// reaches the proxy must not make it take hours.
const (
	MaxBytes = 64 << 20 // heads and bodies, in bytes
	MaxCalls = 10_000
)

// A Recording holds calls in memory, in the order in which they ended. The zero Recording is empty. It
// is safe for concurrent use.
type Recording struct {
	mu      sync.Mutex
	calls   []Call
	size    int
	dropped int
}

// Add adds a call, unless the recording would hold more than MaxBytes, or than MaxCalls: then it is counted only.
func (r *Recording) Add(c Call) {
	size := len(c.Request.Path) + len(c.Request.Body) + len(c.Response.Body)
	for _, headers := range [][]wire.Header{c.Request.Headers, c.Response.Headers} {
		for _, h := range headers {
			size += len(h.Name) + len(h.Value)
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.size+size > MaxBytes || len(r.calls) == MaxCalls {
		r.dropped++
		return
	}
	r.size += size
	r.calls = append(r.calls, c)
}

// Calls returns the calls, and how many were not held.
func (r *Recording) Calls() (calls []Call, dropped int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]Call(nil), r.calls...), r.dropped
}
