package httpserver

import (
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/authcompat/authcompat/core"
)

// How much memory the bodies of requests may take. A small one is always read, so
// that those who send large ones slowly keep nobody from logging in; what goes
// beyond that is bounded for all requests together.
const (
	smallBody   = 16 << 10 // bytes of each
	largeBodies = 64 << 20 // bytes beyond that, of all at a time
)

// BodyBudget bounds the memory that large request bodies take together. Its zero value
// is ready for use.
type BodyBudget struct{ held atomic.Int64 }

// Bytes gives the memory that large bodies take at the moment, in bytes beyond those
// that are always read of each.
func (b *BodyBudget) Bytes() float64 { return float64(b.held.Load()) }

// track gives the request with a counter around its body, and what ends the count.
// It is a copy: net/http looks at the body of its own to know what is left unread
// when a reply is sent.
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

// Read implements io.Reader. It fails with core.KindOverloaded where there is no
// room left.
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
