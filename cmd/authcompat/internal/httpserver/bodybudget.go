package httpserver

import (
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/authcompat/authcompat/core"
)

// How much memory request bodies may take. The first bytes of each are always read, so
// that clients which send large bodies slowly can't keep others from logging in. What
// goes beyond that is limited for all requests together.
const (
	smallBody   = 16 << 10 // bytes of each body
	largeBodies = 64 << 20 // bytes beyond that, of all bodies at a time
)

// BodyBudget bounds the memory that large request bodies take together. Its zero value
// is ready for use.
type BodyBudget struct{ held atomic.Int64 }

// Bytes returns how many bytes of large bodies are in memory, beyond those that are
// always read of each.
func (b *BodyBudget) Bytes() float64 { return float64(b.held.Load()) }

// track returns a copy of the request whose body is counted, and a function that ends
// the count. It is a copy because net/http looks at the original body to find out what
// was left unread when it sends a reply.
func (b *BodyBudget) track(r *http.Request) (counted *http.Request, release func()) {
	body := &trackedBody{ReadCloser: r.Body, budget: b}
	counted = r.WithContext(r.Context())
	counted.Body = body
	return counted, func() { b.held.Add(-body.held) }
}

// trackedBody is the body of one request.
type trackedBody struct {
	io.ReadCloser
	budget     *BodyBudget
	read, held int64
}

// Read implements io.Reader. It fails with core.KindOverloaded when the budget
// is used up.
func (b *trackedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.read += int64(n)
	if more := b.read - smallBody - b.held; more > 0 {
		b.held += more
		if b.budget.held.Add(more) > largeBodies {
			return n, &core.Error{Kind: core.KindOverloaded, RetryAfter: time.Second}
		}
	}
	return n, err
}
