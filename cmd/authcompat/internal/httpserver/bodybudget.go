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
	// valueBytes is what a body takes for each value in it, beside its bytes: decoded, a
	// JSON text of small values takes up to 30 times its length.
	valueBytes = 64
)

// BodyBudget bounds the memory that large request bodies take together. Its zero value
// is ready for use.
type BodyBudget struct{ held atomic.Int64 }

// Bytes returns the memory that large bodies take, in bytes, beyond what each may always
// take.
func (b *BodyBudget) Bytes() float64 { return float64(b.held.Load()) }

// track counts the body of the request until release is called. The request must be a
// copy: net/http looks at the body of the original, when it sends a reply, to find out
// what was left unread.
func (b *BodyBudget) track(r *http.Request) (release func()) {
	body := &trackedBody{ReadCloser: r.Body, budget: b}
	r.Body = body
	return func() { b.held.Add(-body.held) }
}

// trackedBody is the body of one request.
type trackedBody struct {
	io.ReadCloser
	budget      *BodyBudget
	taken, held int64
	values      int64 // most that it can have
}

// Read implements io.Reader. It fails with core.KindOverloaded when the budget
// is used up.
func (b *trackedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.taken += int64(n)
	b.values += separators(p[:n])
	if err == io.EOF { // now it is decoded
		b.taken += valueBytes * b.values
		b.values = 0
	}
	// One body alone is never refused.
	if more := min(b.taken-smallBody, largeBodies) - b.held; more > 0 {
		b.held += more
		if b.budget.held.Add(more) > largeBodies {
			return n, &core.Error{Kind: core.KindOverloaded, RetryAfter: time.Second}
		}
	}
	return n, err
}

// separators returns how many values a part of a body can have, as JSON or a form, in
// every charset that is read: each begins behind one of these bytes.
func separators(b []byte) (n int64) {
	for _, c := range b {
		switch c {
		case ',', ':', '[', '{', '&':
			n++
		}
	}
	return n
}
