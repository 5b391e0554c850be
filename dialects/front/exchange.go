package front

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/dialects/internal/wire"
)

// exchangeKey is the key of an exchange in the context of its request.
type exchangeKey struct{}

// exchangeContext is the context of an exchange's request, which knows it.
type exchangeContext struct {
	context.Context
	x *exchange
}

// Value implements context.Context.
func (c exchangeContext) Value(key any) any {
	if _, mine := key.(exchangeKey); mine {
		return c.x
	}
	return c.Context.Value(key)
}

// exchangeOf returns the exchange of a request that the proxy has made.
func exchangeOf(r *http.Request) *exchange {
	return r.Context().Value(exchangeKey{}).(*exchange)
}

// exchange is a request that goes on to the application, and its answer.
type exchange struct {
	*Front
	to             *transport
	w              http.ResponseWriter // the client's
	control        http.ResponseController
	in             *http.Request // of the client
	ctx            context.Context
	cancel         context.CancelCauseFunc
	target         string // of the request line
	sentZeroLength bool
	asked          atomic.Bool   // the client is asked for its body without the application
	session        *core.Session // of its token, which is good and its path wants; nil: none was checked
	streams        bool          // it is one of Streams
	pace           pace
	out            answerWriter
	body           answerBody  // of the answer
	sent           atomic.Bool // the request's head was sent on the connection in use

	mu        sync.Mutex
	heads     []answerHead // that were read, and are not sent yet
	done      bool         // the handler has returned, or is about to
	bodyErr   error        // of reading the client's body
	answerErr error        // of reading the answer's body
	result    Result       // empty: not counted yet
}

func (f *Front) newExchange(w http.ResponseWriter, r *http.Request, session *core.Session, to *transport) *exchange {
	x := &exchange{Front: f, to: to, w: w, control: *http.NewResponseController(w), target: r.RequestURI, session: session}
	x.pace.client = r.Context()
	_, hasLength := r.Header["Content-Length"]
	x.sentZeroLength = hasLength && r.ContentLength == 0
	// That the client leaves is watched for later: most answers take less time than that.
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(r.Context()))
	x.ctx, x.cancel = exchangeContext{ctx, x}, cancel
	x.in = r.WithContext(x.ctx)
	return x
}

// serve sends the request to the application, and its answer to the client.
func (x *exchange) serve() {
	x.record("proxied", nil)
	hasBody := x.in.Body != nil && x.in.Body != http.NoBody && x.in.ContentLength != 0
	if hasBody {
		// net/http would read the body away when the answer begins. This fails only where it
		// wouldn't (HTTP/2), or for a writer of tests.
		_ = x.control.EnableFullDuplex()
		_, kept := x.in.Body.(*wire.Kept)
		x.asked.Store(kept)
		if body, ok := x.in.Body.(wire.Budgeted); ok {
			x.in.Body = body.Unbudgeted()
		}
		x.in.Body = &clientBody{ReadCloser: x.in.Body, x: x}
	} else {
		// The request is read: what is silent from now on is the application.
		_ = x.control.SetReadDeadline(time.Time{})
	}
	x.out.begin(x)
	x.startPace()
	whole := false
	defer func() { x.end(whole) }()
	x.proxy.ServeHTTP(&x.out, x.in)
	whole = true
}

// end releases what the exchange holds. If the answer broke off, the proxy panics, which
// closes the connection: what has come of it is sent before.
func (x *exchange) end(whole bool) {
	x.mu.Lock()
	x.done = true
	x.endPace()
	x.mu.Unlock()
	x.out.close()
	if x.streams {
		x.Streams.remove(x)
	}
	if whole {
		x.count(ResultOK)
	} else {
		_ = x.control.Flush()
		x.broke()
	}
	x.cancel(nil)
	if body, ok := x.in.Body.(*clientBody); ok && whole {
		body.readAway()
	}
}

// broke records an answer that the client has not got whole.
func (x *exchange) broke() {
	x.mu.Lock()
	err := x.answerErr
	x.mu.Unlock()
	cause := context.Cause(x.ctx)
	switch {
	case errors.Is(cause, errShutdown):
		x.count(ResultOK)
	case errors.Is(cause, errSilent):
		err = errSilent
	case cause != nil || err == nil:
		x.count(ResultCanceled) // the client left
		return
	}
	if err == nil {
		return
	}
	x.count(ResultBroken)
	x.record("broken", x.explain(err))
}

// begun is told of the head of an answer.
func (x *exchange) begun(r *http.Response) error {
	if r.StatusCode < http.StatusContinue {
		return errNoStatus
	}
	if !x.sent.Load() {
		return errEarly // the connection is closed, since the request is not on its way
	}
	tunnel := r.StatusCode == http.StatusSwitchingProtocols
	if tunnel && !isWebSocket(x.in) {
		return errUnasked // the proxy would leave the connection open
	}
	kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	events := strings.EqualFold(strings.TrimSpace(kind), "text/event-stream")
	x.answering(!tunnel && !events && r.ContentLength >= 0)
	if tunnel || events {
		x.streams = true
		x.Streams.add(x)
	}
	if !tunnel {
		x.body = answerBody{r.Body, x}
		r.Body = &x.body
	}
	return nil
}

// headRead is told of the head of an answer before net/http is.
func (x *exchange) headRead(h answerHead) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.heads = append(x.heads, h)
}

// spelling returns the head that was read of an answer with this status.
func (x *exchange) spelling(status int) answerHead {
	x.mu.Lock()
	defer x.mu.Unlock()
	for i, h := range x.heads {
		if h.status == status {
			x.heads = x.heads[i+1:]
			return h
		}
	}
	return answerHead{}
}

// record records the outcome of the request for logs and metrics.
func (x *exchange) record(outcome string, err error) {
	if o, ok := x.w.(wire.OutcomeRecorder); ok {
		o.RecordOutcome("", outcome, err)
	}
}

// count counts the result, once.
func (x *exchange) count(r Result) {
	x.mu.Lock()
	first := x.result == ""
	if first {
		x.result = r
	}
	x.mu.Unlock()
	if first {
		x.to.count(r)
	}
}
