package httpserver

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/callers"
	"github.com/authcompat/authcompat/core/clients"
	"github.com/authcompat/authcompat/core/password"
	"github.com/authcompat/authcompat/dialects"
	"github.com/authcompat/authcompat/dialects/adopt"
)

// RequestLog says which requests are logged: a value of --log-requests.
type RequestLog string

const (
	// LogAll logs every request.
	LogAll RequestLog = "all"
	// LogFailures logs requests that failed because of the server, or that it refused
	// because it was overloaded.
	LogFailures RequestLog = "failures"
	// LogNone logs no request.
	LogNone RequestLog = "none"
)

// middleware wraps the handler of every API: it finds the client of a request, counts
// and logs the request, and keeps a panic from ending the process. Of what a client
// sent, nothing but its address is logged.
type middleware struct {
	profile string
	next    http.Handler
	InstrumentOptions
	refused    *sampler
	unanswered *sampler
	forwarded  *sampler
	failed     sync.Map  // *sampler, by application
	replies    sync.Pool // of *wholeReply
}

// Recorder counts requests and their outcomes.
type Recorder interface {
	// CountRequest counts an answered request of a profile. The endpoint is empty if
	// none has the path.
	CountRequest(profile, endpoint string, status int, took time.Duration)
	// CountPanic counts a request whose handler panicked.
	CountPanic()
}

// InstrumentOptions are what the APIs of a server share.
type InstrumentOptions struct {
	Proxies Proxies // whose X-Forwarded-For headers are trusted; nil: none
	// AnyForwarded says that others may send one that is ignored, without a warning.
	AnyForwarded bool
	Recorder     Recorder
	Callers      *callers.Counter // nil: who calls is not counted
	Bodies       *BodyBudget
	Log          *slog.Logger
	Requests     RequestLog // which requests are logged
}

// Instrument wraps the handler of a profile: requests are counted and logged, their
// bodies count against the budget, and a panic ends one connection instead of the
// process.
func Instrument(next http.Handler, profile string, o InstrumentOptions) http.Handler {
	return &middleware{profile: profile, next: next, InstrumentOptions: o, refused: &sampler{interval: time.Second}, unanswered: &sampler{interval: time.Second}, forwarded: &sampler{interval: time.Minute}}
}

func (t *middleware) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := &responseRecorder{ResponseWriter: w, request: r, middleware: t, began: time.Now()}
	x.ctx.Context, x.ctx.request = r.Context(), x
	r = r.WithContext(&x.ctx)
	defer x.ctx.end()
	if r.ContentLength != 0 {
		t.claim(x)
		defer t.Bodies.track(r)()
	}
	defer t.finish(x)
	t.next.ServeHTTP(x, r)
}

// claim says to the limits of connections whose request a trusted proxy has sent, since its body
// may be sent slowly, or the application's answer have no end. Of requests that the proxy has itself,
// nobody else is the client.
func (t *middleware) claim(x *responseRecorder) {
	c := connOf(x.request.Context())
	if c == nil || !c.below.slot.proxied {
		return
	}
	if client := x.Client(); client.Address.IsValid() && !t.Proxies.Trusted(client.Address) {
		c.below.slot.claim(client.Networks())
	}
}

// statusClientClosedRequest is nginx's status for a client that left before it was
// answered. It is counted and logged, so that this does not look like a server error.
const statusClientClosedRequest = 499

// finish counts and logs a request. If its handler panicked, the connection is closed: with
// http.ErrAbortHandler it has asked for just that, because a reply that has begun can't be
// finished.
func (t *middleware) finish(x *responseRecorder) {
	cause := recover()
	took := time.Since(x.began)
	if cause == http.ErrAbortHandler {
		defer panic(cause)
		cause = nil
	}
	if cause != nil {
		t.Recorder.CountPanic()
		what, stack := describe(cause)
		t.Log.Error("a request panicked: a defect of this program", "request", x.Client().RequestID, "profile", t.profile,
			"endpoint", x.endpoint, "panic", what, "stack", stack)
		panic(http.ErrAbortHandler)
	}
	canceled := x.err != nil && core.KindOf(x.err) == core.KindCanceled
	if canceled {
		x.status = statusClientClosedRequest
	}
	t.Recorder.CountRequest(t.profile, x.endpoint, x.status, took)
	if !canceled {
		x.count(x.began.Add(took))
	}
	if t.Requests == LogAll || t.Requests == LogFailures && x.err != nil && !canceled {
		t.logRequest(x, took)
	}
}

// applicationError is the error of a request that an application behind the API has failed.
type applicationError interface {
	error
	Application() string // which one; there are few
}

// logRequest logs a request. Of those that were refused, and of those that one application has
// failed, LogFailures logs one a second.
func (t *middleware) logRequest(x *responseRecorder, took time.Duration) {
	kind := core.KindOf(x.err)
	refused := x.err != nil && (kind == core.KindOverloaded || kind == core.KindThrottled)
	var failed applicationError
	level := slog.LevelInfo
	client := x.Client()
	attrs := []slog.Attr{
		slog.String("request", client.RequestID), slog.String("profile", t.profile), slog.String("endpoint", x.endpoint),
		slog.Int("status", x.status), slog.Float64("duration_ms", float64(took.Microseconds())/1000), slog.String("outcome", x.outcome),
		slog.String("client", client.Address.String()),
	}
	if x.side != "" {
		attrs = append(attrs, slog.String("side", x.side))
	}
	var sampled *sampler // nil: every one is logged
	switch {
	case refused:
		sampled = t.refused
	case errors.As(x.err, &failed):
		each, _ := t.failed.LoadOrStore(failed.Application(), &sampler{interval: time.Second})
		sampled = each.(*sampler)
	case adopt.Unanswered(x.err):
		sampled = t.unanswered
	}
	if sampled != nil && t.Requests != LogAll {
		omitted, ok := sampled.take(x.began)
		if !ok {
			return // a flood must not fill the disk
		}
		if omitted > 0 {
			attrs = append(attrs, slog.Int("omitted", omitted))
		}
	}
	switch {
	case refused:
		level = slog.LevelWarn
	case x.err != nil && kind != core.KindCanceled:
		level = slog.LevelError
		attrs = append(attrs, slog.String("error", x.err.Error()))
	}
	t.Log.LogAttrs(context.Background(), level, "request", attrs...)
}

// warnForwarded warns at most once a minute of X-Forwarded-For headers that come from an
// address which is not a trusted proxy. If it is a proxy, all its clients share one login
// limit, and one of them can lock out the others.
func (t *middleware) warnForwarded(peer netip.Addr, now time.Time) {
	omitted, ok := t.forwarded.take(now)
	if !ok {
		return
	}
	t.Log.Warn("X-Forwarded-For is ignored: it comes from an address that is not a trusted proxy; if it is a proxy of yours, its clients share one login limit until --trusted-proxy names it",
		"profile", t.profile, "client", peer.String(), "omitted", omitted)
}

// describe returns the type of a panic and its stack, without anything that a client
// may have sent.
func describe(cause any) (what, stack string) {
	stack = string(debug.Stack())
	if p, ok := cause.(*password.Panic); ok {
		cause, stack = p.Value, string(p.Stack)
	}
	var fault runtime.Error
	if err, ok := cause.(error); ok && errors.As(err, &fault) {
		return fault.Error(), stack
	}
	return fmt.Sprintf("a value of type %T", cause), stack
}

// requestID returns the id of a request in logs: the trusted proxy's X-Request-Id if it
// is a plain word, or else a random one.
func requestID(r *http.Request, proxied bool) string {
	const longest = 64
	if proxied {
		id := r.Header.Get("X-Request-Id")
		if id != "" && len(id) <= longest && strings.Trim(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") == "" {
			return id
		}
	}
	const digits = "0123456789abcdef"
	var id [16]byte
	for n, i := rand.Uint64(), 0; i < len(id); i++ {
		id[i] = digits[n&15]
		n >>= 4
	}
	return string(id[:])
}

// responseRecorder is a ResponseWriter that records the outcome of its request.
type responseRecorder struct {
	http.ResponseWriter
	request           *http.Request
	ctx               requestContext
	middleware        *middleware
	began             time.Time
	resolve           sync.Once
	client            clients.Client // after resolve
	status            int
	endpoint, outcome string
	switched, side    string // by RecordSide
	err               error
	caller            caller
	touched           bool // the header may have been changed
}

var (
	_ dialects.OutcomeRecorder = (*responseRecorder)(nil)
	_ dialects.RuleRecorder    = (*responseRecorder)(nil)
	_ clients.Request          = (*responseRecorder)(nil)
	_ dialects.SideRecorder    = (*responseRecorder)(nil)
)

// Client implements clients.Request.
func (x *responseRecorder) Client() clients.Client {
	x.resolve.Do(func() {
		address, proxied := x.middleware.Proxies.client(x.request)
		if !proxied && !x.middleware.AnyForwarded && len(x.request.Header["X-Forwarded-For"]) > 0 {
			x.middleware.warnForwarded(address, x.began)
		}
		x.client = clients.Client{Address: address, RequestID: requestID(x.request, proxied)}
	})
	return x.client
}

// RecordOutcome implements dialects.OutcomeRecorder.
func (x *responseRecorder) RecordOutcome(endpoint, outcome string, err error) {
	x.endpoint, x.outcome, x.err = cmp.Or(endpoint, x.switched), outcome, err
	if outcome == proxied {
		x.middleware.claim(x)
	}
}

// RecordSide implements dialects.SideRecorder.
func (x *responseRecorder) RecordSide(endpoint, side string) { x.switched, x.side = endpoint, side }

// WriteHeader implements http.ResponseWriter.
func (x *responseRecorder) WriteHeader(status int) {
	x.record(status)
	x.ResponseWriter.WriteHeader(status)
}

// record notes the status of the reply.
func (x *responseRecorder) record(status int) {
	x.status, x.caller.proxied = status, x.outcome == proxied
}

// SetReason sets the reason phrase of the reply, before its head is written. It has no line
// breaks.
func (x *responseRecorder) SetReason(reason string) {
	if c := connOf(x.request.Context()); c != nil {
		c.reason.Store(&reason)
	}
}

// Hijack implements http.Hijacker. Whoever takes a connection over switches protocols.
func (x *responseRecorder) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := http.NewResponseController(x.ResponseWriter).Hijack()
	if err == nil {
		x.status = http.StatusSwitchingProtocols
		x.count(time.Now()) // nobody waits for the handler when the server stops
	}
	return conn, buffered, err
}

// Unwrap gives http.ResponseController access to the wrapped writer.
func (x *responseRecorder) Unwrap() http.ResponseWriter { return x.ResponseWriter }

// sampler lets one event through in each interval, and counts the others.
type sampler struct {
	interval time.Duration

	mu      sync.Mutex
	next    time.Time
	omitted int
}

// take reports whether an event at this time is let through, and how many were not since
// the last one.
func (s *sampler) take(now time.Time) (omitted int, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now.Before(s.next) {
		s.omitted++
		return 0, false
	}
	omitted, s.omitted, s.next = s.omitted, 0, now.Add(s.interval)
	return omitted, true
}
