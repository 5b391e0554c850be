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
	"github.com/authcompat/authcompat/core/hashing"
	overlay "github.com/authcompat/authcompat/core/shadow"
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

// ours is an answer of ours.
type ours struct {
	shadow.Answer
	effects overlay.Effects
	user    string // whose token or password was good
	took    time.Duration
	err     error // why there is none that can be compared
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

// unfit returns why what there is can't be compared.
func (x *exchange) unfit() shadow.Reason {
	old := x.old
	switch {
	case old.failed, old.status >= http.StatusInternalServerError, old.status == http.StatusTooManyRequests:
		return shadow.ReasonOldFailed
	case !old.whole, old.status < http.StatusOK:
		return shadow.ReasonInterrupted
	case old.body.Len() > maxBody:
		return shadow.ReasonLarge
	case x.late:
		return shadow.ReasonSlow
	}
	return ""
}

// compare sets the verdict, and returns whose request it was; or why there is no verdict.
func (x *exchange) compare(ctx context.Context, r *shadow.Record) (user string, reason shadow.Reason) {
	is, reason := x.checked(ctx, x.known, x.ours)
	if reason != "" {
		return "", reason
	}
	old := x.old.answer()
	if r.Differences = x.differences(old, is); x.judge(r) == shadow.Differ && x.learn(r, old) {
		x.judge(r)
	}
	if r.Verdict != shadow.Differ {
		return is.user, ""
	}
	again := x.known.Again()
	after, reason := x.checked(ctx, again, x.answer(ctx, again))
	if reason == shadow.ReasonBusy || reason == shadow.ReasonInterrupted {
		return "", reason // whether another came between is not known
	}
	if reason == "" && len(x.differences(old, after)) == 0 {
		return "", shadow.ReasonRaced
	}
	return is.user, ""
}

// judge sets the verdict by the differences.
func (x *exchange) judge(r *shadow.Record) shadow.Verdict {
	x.Journal.Judge(r)
	return r.Verdict
}

// maxRounds is how often a request is answered until no new password is asked about.
const maxRounds = 4

// checked returns our answer once the passwords that it depends on are checked.
func (x *exchange) checked(ctx context.Context, known *overlay.Request, is ours) (ours, shadow.Reason) {
	for range maxRounds {
		switch {
		case x.group.ctx.Err() != nil:
			return is, shadow.ReasonInterrupted
		case is.err != nil:
			return is, shadow.ReasonOursFailed
		case known.Checked():
			return is, ""
		}
		if err := x.checkPasswords(ctx, known); err != nil {
			if x.group.ctx.Err() != nil {
				return is, shadow.ReasonInterrupted
			}
			if errors.Is(err, hashing.ErrBusy) || ctx.Err() != nil {
				return is, shadow.ReasonBusy
			}
			return is, shadow.ReasonOursFailed
		}
		is = x.answer(ctx, known)
	}
	return is, shadow.ReasonOursFailed
}

// checkPasswords checks passwords, in the lane.
func (x *exchange) checkPasswords(ctx context.Context, known *overlay.Request) error {
	return x.group.lane.do(ctx, func() (err error) {
		defer func() {
			if cause := recover(); cause != nil {
				err = errPanic
			}
		}()
		return known.CheckPasswords(ctx, x.CheckPassword)
	})
}

// differences compares an answer of the old server with one of ours.
func (x *exchange) differences(old shadow.Answer, is ours) []shadow.Difference {
	options := shadow.Options{Existing: is.effects.Reusable, Words: x.words.has}
	if p := x.places[x.endpoint]; is.Status == p.status {
		options.Places = p.issued(is.effects)
	}
	return shadow.Compare(old, is.Answer, options)
}

// learn asks the old server again, if it may, and reports whether it has learned of noise.
func (x *exchange) learn(r *shadow.Record, old shadow.Answer) bool {
	if x.Learn == 0 || x.request.Method != http.MethodGet && x.request.Method != http.MethodHead || len(x.body) > 0 || !x.mayAsk(x.endpoint, x.at) {
		return false
	}
	second := &capture{ResponseWriter: &recorder{header: make(http.Header)}}
	if !x.askAgain(second) || second.failed || second.body.Len() > maxBody {
		return false
	}
	noise := shadow.NoiseOf(old, second.answer())
	x.Journal.Learn(x.at, r.Profile, r.Endpoint, noise)
	return len(noise) > 0
}

// askAgain sends the request to the old server once more, and reports whether the answer is
// whole.
func (x *exchange) askAgain(w http.ResponseWriter) (whole bool) {
	defer func() {
		if cause := recover(); cause != nil { // an answer that breaks off
			whole = false
		}
	}()
	x.pass(w, x.request)
	return true
}
