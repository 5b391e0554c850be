// Package httpserver has what every API needs of an HTTP server: listeners and their
// limits, certificates, the addresses of clients behind proxies, and the metrics and logs
// of requests.
package httpserver

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"time"

	"github.com/authcompat/authcompat/profiles"
)

// The limits of a listener. That of a request body is the dialect's.
const (
	readHeaderTimeout = 10 * time.Second
	readTimeout       = 30 * time.Second
	writeTimeout      = 60 * time.Second
	idleTimeout       = 2 * time.Minute
	// shutdownTimeout is how long requests in flight may take to finish.
	shutdownTimeout = 30 * time.Second
)

// The limits of a request's head, unless options say otherwise.
const (
	DefaultMaxHeaderBytes  = 16 << 10 // request line and header
	DefaultMaxHeaderFields = 100      // as gunicorn's limit_request_fields
)

// unaskedBytes is how much more of a head net/http reads than it is told to.
const unaskedBytes = 4096

// Servers are the HTTP servers of a process, in the order in which they were opened.
type Servers []Server

// Server is a listener with the HTTP server that answers at it.
type Server struct {
	Listener net.Listener
	HTTP     *http.Server
	files    *fileShare // of all
	limits   *connLimits
}

// SetMaxConnections changes how many connections may be open at a time. Those above it are closed as others come.
func (s Server) SetMaxConnections(n int) { s.limits.set(n, perNetwork(n)) }

// ListenOptions are the options of a listener.
type ListenOptions struct {
	Log            *slog.Logger // messages of net/http are at level debug
	MaxConnections int          // open at a time; 0: those of a single listener ([Connections])
	// Trusted reports whether an address is that of a trusted proxy; nil: none is. From
	// others, at most a quarter of the connections may come from one network, or 1024.
	Trusted     func(netip.Addr) bool
	Certificate *Certificate // nil: no TLS
	// TLS returns what each handshake goes by; nil: the zero TLSOptions.
	TLS func() TLSOptions
	// MaxHeaderBytes and MaxHeaderFields limit the head of a request, which is otherwise
	// refused with 431. At least 8192 bytes; 0: the defaults.
	MaxHeaderBytes, MaxHeaderFields int
	// NetContext says that the handler is not one of [Instrument], and relies on net/http to end the
	// contexts of requests whose clients leave. It costs each request a look behind it.
	NetContext bool
	// Rejected counts a request that was refused before it reached the handler, by its
	// Rejection; nil: it is not counted.
	Rejected func(reason string)
	// Headers returns those that the replies to rejected requests get; nil: none.
	Headers func() []profiles.Header
}

// Listen opens a listener at a TCP address, HOST:PORT, and adds it with a server of
// the handler, which does not answer before it is served. The error is that of
// net.Listen.
func (s *Servers) Listen(address string, handler http.Handler, o ListenOptions) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	s.Take(listener, handler, o)
	return nil
}

// Take adds a listener that is open already, as Listen does: for a handler that has to know its address.
func (s *Servers) Take(listener net.Listener, handler http.Handler, o ListenOptions) {
	if o.MaxConnections == 0 {
		o.MaxConnections, _, _ = Connections(1, 0, 0)
	}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	server := &http.Server{
		Handler:        handling(handler),
		Protocols:      protocols,
		MaxHeaderBytes: cmp.Or(o.MaxHeaderBytes, DefaultMaxHeaderBytes) - unaskedBytes,
		ReadTimeout:    readTimeout,
		// Connections have these by themselves (clientConn), and read no clock for them.
		ReadHeaderTimeout: -1, WriteTimeout: -1, IdleTimeout: -1,
		ErrorLog: slog.NewLogLogger(o.Log.Handler(), slog.LevelDebug),
		// OPTIONS * is an unknown path like others.
		DisableGeneralOptionsHandler: true,
		ConnContext:                  withConn,
		ConnState:                    stateChanged,
	}
	if o.Rejected == nil {
		o.Rejected = func(string) {}
	}
	if o.TLS == nil {
		o.TLS = func() TLSOptions { return TLSOptions{} }
	}
	if o.Headers == nil {
		o.Headers = func() []profiles.Header { return nil }
	}
	rejected := &rejections{count: o.Rejected, headers: o.Headers, log: o.Log, logged: sampler{interval: time.Second}}
	files := newFileShare(o.Log)
	if len(*s) > 0 {
		files = (*s)[0].files
	}
	limits := newConnLimits(files, o.MaxConnections, perNetwork(o.MaxConnections), o.Trusted)
	ticks := newTickListener(listener, deadlineTick, limits, func(client net.Addr) { rejected.reject(RejectedConnection, client) })
	var limited net.Listener = ticks
	if o.Certificate != nil {
		ticks.shaking = newHandshakeTurns()
		limited = tls.NewListener(limited, o.Certificate.config(o.TLS))
	}
	limited = &rejectionListener{limited, rejected, headLimits{cmp.Or(o.MaxHeaderBytes, DefaultMaxHeaderBytes), cmp.Or(o.MaxHeaderFields, DefaultMaxHeaderFields)}, o.NetContext}
	*s = append(*s, Server{Listener: limited, HTTP: server, files: files, limits: limits})
}

// OnStop has f called when the servers stop, before requests in flight are waited for: for
// connections that handlers have taken over, of which net/http knows nothing any more, and
// for replies that have no end.
func (s Servers) OnStop(f func()) {
	for _, server := range s {
		server.HTTP.RegisterOnShutdown(f)
	}
}

// Serve serves all listeners until ctx ends, then gives requests in flight half a minute
// to finish. The error is that of a listener that failed.
func (s Servers) Serve(ctx context.Context, log *slog.Logger) error {
	failed := make(chan error, len(s))
	for _, server := range s {
		go func() { failed <- server.HTTP.Serve(server.Listener) }()
	}
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	log.Info("stopping: requests in flight finish first")
	ending, cancel := context.WithTimeout(context.Background(), shutdownTimeout)
	defer cancel()
	stopped := make(chan error, len(s))
	for _, server := range s {
		go func() { stopped <- server.HTTP.Shutdown(ending) }()
	}
	var errs []error
	for range s {
		errs = append(errs, <-stopped)
	}
	err := errors.Join(errs...)
	if errors.Is(err, context.DeadlineExceeded) {
		log.Warn("some requests were not finished in time and are cut off", "after", shutdownTimeout)
		for _, server := range s {
			_ = server.HTTP.Close()
		}
		return nil
	}
	return err
}

// Close closes the listeners. Those that were served are closed already.
func (s Servers) Close() {
	for _, server := range s {
		_ = server.Listener.Close()
	}
}
