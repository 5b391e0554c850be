package shadowing

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/authcompat/authcompat/conformance/shadow"
	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/clients"
	"github.com/authcompat/authcompat/core/overlay"
)

// ours is an answer of ours.
type ours struct {
	shadow.Answer
	effects overlay.Effects
	user    string // whose token or password was good
	took    time.Duration
	err     error // why there is none that can be compared
}

// caller is who sends the request, as the engine knows it.
type caller struct {
	client clients.Client
	user   string
}

// Client implements clients.Request.
func (c *caller) Client() clients.Client { return c.client }

// Identify implements clients.Request.
func (c *caller) Identify(username string) { c.user = username }

// Present implements clients.Request. No secret of the request is kept.
func (c *caller) Present(string) {}

// errPanic is an answer that our side has failed to give.
var errPanic = errors.New("the handler panicked")

// answer returns our answer to the request.
func (x *exchange) answer(ctx context.Context, known *overlay.Request) (is ours) {
	from := &caller{client: x.client}
	w := &recorder{header: make(http.Header), head: x.request.Method == http.MethodHead}
	defer func() {
		if cause := recover(); cause != nil {
			// What a panic says may have been sent by a client.
			x.Log.Error("a request panicked that was compared with the old server's answer: a defect of this program", "profile", x.Profile.Name, "endpoint", x.endpoint, "request", x.client.RequestID, "panic", fmt.Sprintf("%T", cause))
			is = ours{err: errPanic}
		}
	}()
	r := x.request.WithContext(overlay.With(clients.WithRequest(ctx, from), known))
	r.Body = io.NopCloser(bytes.NewReader(x.body))
	x.API.ServeHTTP(w, r)
	is = ours{Answer: shadow.Answer{Status: w.status, Header: w.header, Body: w.body.Bytes()}, effects: known.Effects(), user: from.user}
	switch core.KindOf(w.err) {
	case core.KindUnavailable, core.KindCanceled, core.KindOverloaded, core.KindThrottled:
		if is.err = w.err; ctx.Err() != nil {
			is.err = ctx.Err()
		}
	}
	return is
}
