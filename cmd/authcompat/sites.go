package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"
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

// listen opens one more listener.
func (s *sites) listen(address string, handler http.Handler, log *slog.Logger) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	server := &http.Server{
		Handler:           handler,
		MaxHeaderBytes:    maxHeaderBytes,
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
		// OPTIONS * is an unknown path like others.
		DisableGeneralOptionsHandler: true,
	}
	*s = append(*s, site{listener, server})
	return nil
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
	return errors.Join(errs...)
}

// close gives the listeners back. Those that were served are closed already.
func (s sites) close() {
	for _, site := range s {
		_ = site.listener.Close()
	}
}
