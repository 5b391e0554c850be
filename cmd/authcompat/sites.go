package main

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"syscall"
	"time"

	"golang.org/x/net/netutil"
)

// The bounds of a listener. A body is bounded by its dialect.
const (
	// net/http reads 4096 bytes more than it is told: a request line and headers
	// of more than 16 KiB are refused with its own 431.
	maxHeaderBytes    = 16<<10 - 4096
	readHeaderTimeout = 10 * time.Second
	readTimeout       = 30 * time.Second
	writeTimeout      = 60 * time.Second
	idleTimeout       = 2 * time.Minute
	// shutdownTimeout is how long requests in flight may take to finish.
	shutdownTimeout = 30 * time.Second
)

// sites are the listeners of a process with what answers at them.
type sites []site

type site struct {
	listener net.Listener
	server   *http.Server
}

// siteOptions are what listeners differ in.
type siteOptions struct {
	log         *slog.Logger
	connections int          // open at a time; 0: as many as the system allows
	tls         *certificate // nil: none
}

// listen opens one more listener.
func (s *sites) listen(address string, handler http.Handler, o siteOptions) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	if o.connections == 0 {
		o.connections = connectionsAllowed()
	}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	server := &http.Server{
		Handler:           handler,
		Protocols:         protocols,
		MaxHeaderBytes:    maxHeaderBytes,
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		ErrorLog:          slog.NewLogLogger(o.log.Handler(), slog.LevelDebug),
		// OPTIONS * is an unknown path like others.
		DisableGeneralOptionsHandler: true,
	}
	var limited net.Listener = newCoarseListener(netutil.LimitListener(listener, o.connections), deadlineTick)
	if o.tls != nil {
		server.TLSConfig = o.tls.config()
		limited = tls.NewListener(limited, server.TLSConfig)
	}
	*s = append(*s, site{listener: limited, server: server})
	return nil
}

// What a process needs files for beside connections, and how many connections it
// holds at most where nobody says otherwise.
const (
	otherFiles     = 256
	maxConnections = 16384
)

// connectionsAllowed is how many connections a listener holds at a time, so that
// files are left for the store.
func connectionsAllowed() int {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil || limit.Cur > 2*maxConnections {
		return maxConnections
	}
	return max(otherFiles, min(maxConnections, int(limit.Cur)-otherFiles))
}

// serve answers until the context ends, then lets requests in flight finish.
func (s sites) serve(ctx context.Context, log *slog.Logger) error {
	failed := make(chan error, len(s))
	for _, site := range s {
		go func() { failed <- site.server.Serve(site.listener) }()
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
	for _, site := range s {
		go func() { stopped <- site.server.Shutdown(ending) }()
	}
	var errs []error
	for range s {
		errs = append(errs, <-stopped)
	}
	err := errors.Join(errs...)
	if errors.Is(err, context.DeadlineExceeded) {
		log.Warn("some requests were not finished in time and are cut off", "after", shutdownTimeout)
		for _, site := range s {
			_ = site.server.Close()
		}
		return nil
	}
	return err
}

// close gives the listeners back. Those that were served are closed already.
func (s sites) close() {
	for _, site := range s {
		_ = site.listener.Close()
	}
}
