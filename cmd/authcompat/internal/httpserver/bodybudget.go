package httpserver

import (
	"context"
	"io"
	"net/http"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"golang.org/x/sync/semaphore"

	"github.com/authcompat/authcompat/core"
)

// How much memory request bodies may take. The first bytes of each are always read, so
// that clients which send large bodies slowly can't keep others from logging in. What
// goes beyond that is limited for all requests together.
const (
	smallBody   = 16 << 10 // bytes of each body, and of the values in it
	largeBodies = 64 << 20 // bytes beyond that, of all bodies at a time
	largeValues = 64 << 20 // likewise, of all values
	// valueBytes is what a body takes for each value in it, beside its bytes: decoded, a
	// JSON text of small values takes up to 30 times its length.
	valueBytes = 64
	// replacedBytes is what a body takes for each byte beyond ASCII: read as text, it may
	// become U+FFFD, which takes three, in a buffer that is copied.
	replacedBytes = 6
)

// valuesWait is how long a body waits for others with many values, which are done with
// them in a moment.
const valuesWait = 5 * time.Second

// BodyBudget bounds the memory that large request bodies take together: while they are
// read, and with the values in them from when they are read to when they are answered.
type BodyBudget struct {
	read, decoded atomic.Int64
	values        *semaphore.Weighted
	wait          time.Duration
}

// NewBodyBudget returns a budget of which nothing is taken.
func NewBodyBudget() *BodyBudget {
	return &BodyBudget{values: semaphore.NewWeighted(largeValues), wait: valuesWait}
}

// Bytes returns the memory that large bodies take, in bytes, beyond what each may always
// take.
func (b *BodyBudget) Bytes() float64 { return float64(b.read.Load() + b.decoded.Load()) }

// track counts the body of the request until release is called. The request must be a
// copy: net/http looks at the body of the original, when it sends a reply, to find out
// what was left unread.
func (b *BodyBudget) track(r *http.Request) (release func()) {
	body := &trackedBody{ReadCloser: r.Body, ctx: r.Context(), budget: b}
	r.Body = body
	return body.release
}

// trackedBody is the body of one request.
type trackedBody struct {
	io.ReadCloser
	ctx    context.Context // of the request
	budget *BodyBudget
	length int64 // read so far
	values int64 // most bytes that the values can take
	held   int64 // bytes that count
	// decoded are the bytes of the values that count, once all of the body is read.
	decoded int64
}

// Unbudgeted returns what is not read yet of the body, for a handler that keeps none of it in
// memory: it counts no more, nor do the values in what was read. The deadlines of net/http's
// server hold all the same, until the handler sets its own.
func (b *trackedBody) Unbudgeted() io.ReadCloser {
	b.releaseValues()
	return b.ReadCloser
}

// Read implements io.Reader. It fails with core.KindOverloaded when the budget
// is used up.
func (b *trackedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.length += int64(n)
	b.values += decodedBytes(p[:n])
	if more := b.length - smallBody - b.held; more > 0 {
		b.held += more
		if b.budget.read.Add(more) > largeBodies {
			return n, overloadedBodies()
		}
	}
	// Now it is decoded. One body alone is never refused.
	if more := min(b.values, largeValues) - smallBody; err == io.EOF && more > 0 && b.decoded == 0 {
		if !b.budget.take(b.ctx, more) {
			return n, overloadedBodies()
		}
		b.decoded = more
	}
	return n, err
}

func overloadedBodies() error {
	return &core.Error{Kind: core.KindOverloaded, RetryAfter: time.Second}
}

// take waits for room for values, and reports whether there is.
func (b *BodyBudget) take(ctx context.Context, bytes int64) bool {
	if !b.values.TryAcquire(bytes) {
		ctx, cancel := context.WithTimeout(ctx, b.wait)
		defer cancel()
		if b.values.Acquire(ctx, bytes) != nil {
			return false
		}
	}
	b.decoded.Add(bytes)
	return true
}

func (b *trackedBody) release() {
	b.budget.read.Add(-b.held)
	b.releaseValues()
}

func (b *trackedBody) releaseValues() {
	b.budget.decoded.Add(-b.decoded)
	b.budget.values.Release(b.decoded)
	b.decoded = 0
}

// decodedBytes returns how much the values in a part of a body can take, as JSON, a form or
// parts, in every charset that is read: each value begins behind one of these bytes.
func decodedBytes(b []byte) (n int64) {
	for _, c := range b {
		switch c {
		case ',', ':', '[', '{', '&':
			n += valueBytes
		default:
			if c >= utf8.RuneSelf {
				n += replacedBytes
			}
		}
	}
	return n
}
