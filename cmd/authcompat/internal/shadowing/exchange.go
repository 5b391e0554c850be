package shadowing

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/authcompat/authcompat/conformance/shadow"
	"github.com/authcompat/authcompat/core/clients"
	"github.com/authcompat/authcompat/core/overlay"
	"github.com/authcompat/authcompat/dialects/front"
)

// exchange is a request that both servers answer.
type exchange struct {
	*Shadow
	endpoint string
	at       time.Time
	request  *http.Request // a copy that outlives the client's
	body     []byte
	client   clients.Client
	pass     func(http.ResponseWriter, *http.Request)
	known    *overlay.Request // what our answers have read
	first    chan ours        // the first answer
	ours     ours             // likewise, once it is there
	late     bool             // it was not there in time
	beside   bool             // nobody has waited for it
	began    time.Time        // when both servers had the request
	took     time.Duration    // how long the old server took
	old      *capture
}

// newExchange reads a request, or says why it can't be compared.
func (s *Shadow) newExchange(r *http.Request, watched front.Watched) (*exchange, shadow.Reason) {
	if r.ContentLength > maxBody {
		return nil, shadow.ReasonLarge
	}
	body, err := watched.Body()
	switch {
	case err != nil:
		return nil, shadow.ReasonUnread
	case len(body) > maxBody:
		return nil, shadow.ReasonLarge
	}
	x := &exchange{Shadow: s, endpoint: watched.Endpoint, at: now(), body: bytes.Clone(body), client: clients.Of(r.Context()), pass: watched.Pass, known: overlay.NewRequest()}
	x.request = r.Clone(context.Background())
	x.request.Body = http.NoBody
	return x, ""
}

// before answers the request from the state before it. Unless the old server hashes a password
// before it changes anything, the client waits for that.
func (x *exchange) before() {
	x.began, x.first, x.beside = time.Now(), make(chan ours, 1), x.paces.hashes(x.endpoint)
	limit := x.MaxDelay
	if x.beside {
		limit = maxWork
	}
	ctx, cancel := context.WithTimeout(x.group.ctx, limit)
	go func() {
		defer cancel()
		is := x.answer(ctx, x.known)
		is.took = time.Since(x.began)
		x.first <- is
	}()
	if x.beside {
		return
	}
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case is := <-x.first:
		x.first <- is
	case <-timer.C:
		x.late = true // the store may take a while to notice
	}
}

// receive takes the first answer.
func (x *exchange) receive(ctx context.Context) {
	if x.late {
		return
	}
	select {
	case x.ours = <-x.first:
		// The old server hashes first, and then writes: where we have read in the first quarter
		// of the time that it took, it had not.
		x.late = errors.Is(x.ours.err, context.DeadlineExceeded) || x.beside && x.known.HasRead() && 4*x.ours.took > x.took
	case <-ctx.Done():
		x.late = true
	}
}

// finish compares the answers, and writes what came of it.
func (x *exchange) finish(ctx context.Context) {
	r := shadow.Record{At: x.at, Profile: x.Profile.Name, Endpoint: x.endpoint, Method: x.request.Method, Status: x.old.status, Request: x.client.RequestID}
	x.receive(ctx)
	user, reason := "", x.unfit()
	if reason == "" {
		user, reason = x.compare(ctx, &r)
	}
	if reason != "" {
		x.skip(x.request, x.endpoint, reason)
		return
	}
	if user != "" {
		user = x.Pseudonym(user)
	}
	x.Count(x.endpoint, string(r.Verdict))
	x.Journal.Add(r, user)
}
