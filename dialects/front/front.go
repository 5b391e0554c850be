package front

import (
	"context"
	"io"
	"log"
	"net/http"
	"net/http/httputil"
	"net/netip"
	"sync"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/cutover"
	"github.com/authcompat/authcompat/dialects/internal/wire"
)

// API answers for the API that the application is behind: each refusal has its status, its
// body and its headers.
type API interface {
	// Authenticate returns the session of the request's token; nil if it has none and needs
	// none. ok is false if the request was refused, and is answered.
	Authenticate(w http.ResponseWriter, r *http.Request, needed bool) (session *core.Session, ok bool)
	// Ended reports whether the request's token is known to be no good any more. While the
	// store doesn't answer, it isn't.
	Ended(r *http.Request) bool
	// Unavailable answers 502, 503 or 504; err is logged, not sent. A 503 has a Retry-After.
	Unavailable(w http.ResponseWriter, status int, err error)
	// TooLarge answers a request whose body is too large.
	TooLarge(w http.ResponseWriter)
	// Malformed answers a request whose body breaks HTTP's rules.
	Malformed(w http.ResponseWriter)
	// Unknown answers a path that nothing is behind.
	Unknown(w http.ResponseWriter, r *http.Request)
	// User returns the name of the user whom a request is about: for some endpoints whom its
	// body names, or else, and without an endpoint, the owner of its token. It is empty if that
	// is not known. Of a body that is a wire.Kept nothing is lost. Nothing is answered.
	User(r *http.Request, endpoint string) string
}

// Options are what a front needs to know. Durations, and IdleConnections, that are 0 are the defaults.
type Options struct {
	Old Application
	New *Application // nil: there is none
	// Switch says which requests go on to which of them; nil: all to Old.
	Switch *Switch
	Rules  Rules
	// Shadow watches what goes to Old of the API's endpoints that are switched; nil: nobody does.
	Shadow Shadow
	// Identity is how the application is told whose token was checked; nil: it isn't.
	Identity *Identity
	// Timeout is how long the application may take to answer, once it has the request, and
	// either side to take or to send more of a message that it has begun.
	Timeout time.Duration
	// IdleTimeout is how long an answer that has begun, and a tunnel, may be silent.
	IdleTimeout time.Duration
	// Recheck is how often the token of a tunnel is checked, where its path needs one.
	Recheck time.Duration
	// IdleConnections is how many connections to each application are kept at most, of each kind:
	// for requests that can be sent again, and for others. A connection takes some 20 KB.
	IdleConnections int
	// Connections is how many connections to all applications there may be at a time, those that are kept included; 0: any
	// number. A request that needs one more waits. It has to be more than requests come at a time and connections are kept.
	Connections int
	// MaxBody is how many bytes a request's body may have; 0: any number.
	MaxBody int64
	// Trusted reports whether an address is a proxy's whose X-Forwarded headers are passed
	// on; nil: none is.
	Trusted func(netip.Addr) bool
	// Own reports whether an address of this machine is one that the server listens at, where
	// an application can't be; nil: it isn't.
	Own func(netip.AddrPort) bool
	// Scheme is the one that clients use; empty: http.
	Scheme string
	// Streams are those of the process; nil: the front's own.
	Streams *Streams
}

// The defaults of Options.
const (
	DefaultTimeout     = time.Minute
	DefaultIdleTimeout = time.Hour
	DefaultRecheck     = time.Minute

	DefaultIdleConnections = 512
)

// flushInterval is how long bytes of an answer with a known length may wait to be sent.
const flushInterval = 20 * time.Millisecond

// Front is the handler of what an API's own endpoints don't answer.
type Front struct {
	Options
	api      API
	proxy    *httputil.ReverseProxy
	old, new *transport // new is nil if there is no such application
	scheme   []string   // of clients
}

// New makes a front.
func New(api API, o Options) *Front {
	defaults(&o)
	var places chan struct{}
	if o.Connections > 0 {
		places = make(chan struct{}, o.Connections)
	}
	f := &Front{Options: o, api: api, old: newTransport(o.Old, &o, places), scheme: []string{o.Scheme}}
	if o.New != nil {
		f.new = newTransport(*o.New, &o, places)
	}
	f.proxy = &httputil.ReverseProxy{
		Rewrite:        f.rewrite,
		Transport:      roundTripper(roundTrip),
		ErrorLog:       log.New(io.Discard, "", 0), // it has bytes of answers in it
		BufferPool:     &buffers{},
		ModifyResponse: func(r *http.Response) error { return exchangeOf(r.Request).begun(r) },
		ErrorHandler:   func(_ http.ResponseWriter, r *http.Request, err error) { exchangeOf(r).fail(err) },
	}
	return f
}

func defaults(o *Options) {
	for _, d := range []struct {
		value    *time.Duration
		standard time.Duration
	}{{&o.Timeout, DefaultTimeout}, {&o.IdleTimeout, DefaultIdleTimeout}, {&o.Recheck, DefaultRecheck}} {
		if *d.value == 0 {
			*d.value = d.standard
		}
	}
	if o.IdleConnections == 0 {
		o.IdleConnections = DefaultIdleConnections
	}
	if o.Trusted == nil {
		o.Trusted = func(netip.Addr) bool { return false }
	}
	if o.Own == nil {
		o.Own = func(netip.AddrPort) bool { return false }
	}
	if o.Scheme == "" {
		o.Scheme = "http"
	}
	if o.Streams == nil {
		o.Streams = NewStreams()
	}
}

// ServeHTTP implements http.Handler.
func (f *Front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if isForeign(r) {
		f.api.Unknown(w, r)
		return
	}
	decision := f.Rules.Decide(r.RequestURI)
	if o, ok := w.(wire.RuleRecorder); ok && decision.Rule != "" {
		o.RecordRule(decision.Rule)
	}
	var session *core.Session
	switch token := decision.Token; token {
	case Refuse:
		f.api.Unknown(w, r)
		return
	case Checked, Needed:
		var ok bool
		if session, ok = f.api.Authenticate(w, r, token == Needed); !ok {
			return
		}
	}
	f.forward(w, r, session, f.sideOfPath(w, r, decision, session))
}

// isForeign reports whether a request is none that an application can get: CONNECT asks for a
// tunnel to anywhere; HTTP/2 is not spoken here, only its preface comes.
func isForeign(r *http.Request) bool { return r.Method == http.MethodConnect || r.ProtoMajor != 1 }

// Pass passes a request on to the old application without a look at the rules, for endpoints
// of the API that it answers.
func (f *Front) Pass(w http.ResponseWriter, r *http.Request) {
	if isForeign(r) {
		f.api.Unknown(w, r)
		return
	}
	f.forward(w, r, nil, cutover.Old)
}

// forward passes a request on to the application of a side.
func (f *Front) forward(w http.ResponseWriter, r *http.Request, session *core.Session, side cutover.Side) {
	if f.MaxBody > 0 && r.ContentLength > f.MaxBody {
		f.api.TooLarge(w)
		return
	}
	f.newExchange(w, r, session, f.application(side)).serve()
}

// application returns the connections to the application of a side.
func (f *Front) application(side cutover.Side) *transport {
	if side == cutover.New {
		return f.new
	}
	return f.old
}

// Probe connects to the application of a side, and fails if that can't be done. The error has
// addresses in it, and nothing secret.
func (f *Front) Probe(ctx context.Context, side cutover.Side) error {
	conn, err := f.application(side).dial(ctx)
	if err != nil {
		return explain(err)
	}
	return conn.Close()
}

// Retire closes connections that wait for requests. Exchanges that have begun go on.
func (f *Front) Retire() {
	f.old.closeIdle()
	if f.new != nil {
		f.new.closeIdle()
	}
}

// buffers are what answers are copied through.
type buffers struct{ pool sync.Pool }

// copyBuffer is the size of a buffer, in bytes, as that of ReverseProxy without a pool.
const copyBuffer = 32 << 10

// Get implements httputil.BufferPool.
func (b *buffers) Get() []byte {
	if buffer, ok := b.pool.Get().(*[copyBuffer]byte); ok {
		return buffer[:]
	}
	return make([]byte, copyBuffer)
}

// Put implements httputil.BufferPool.
func (b *buffers) Put(buffer []byte) { b.pool.Put((*[copyBuffer]byte)(buffer)) }
