package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/config"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/httpserver"
)

// listenManaged opens the management listener, if there is one.
func (s *server) listenManaged(ctx context.Context, f *config.Config, connections int) error {
	if f.Manage == "" {
		return nil
	}
	listener, err := net.Listen("tcp", f.Manage)
	if err != nil {
		return fmt.Errorf("--manage: %w", err)
	}
	handler := managementHandler(s.ready, s.metrics.Handler(s.log))
	if f.Pprof {
		handler = withPprof(handler)
	}
	if f.Console.On {
		if handler, err = s.withConsole(ctx, handler, f, listener.Addr()); err != nil {
			return errors.Join(fmt.Errorf("--console: %w", err), listener.Close())
		}
	}
	s.servers.Take(listener, handler, httpserver.ListenOptions{Log: s.log, MaxConnections: connections, NetContext: true})
	return nil
}

// readyTimeout bounds how long readiness waits for the store and for applications.
const readyTimeout = 2 * time.Second

// What is not ready.
var (
	errStore       = errors.New("the store does not answer")
	errApplication = errors.New("an application behind an API can't be reached")
)

// managementHandler answers on the management listener: /livez while the process runs,
// /readyz while ready doesn't fail (else 503), /metrics for Prometheus.
func managementHandler(ready func(context.Context) error, metrics http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "ok\n")
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		// A client that has shut its sending side still waits; whoever has left takes no more than readyTimeout.
		if err := ready(context.WithoutCancel(r.Context())); err != nil {
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = io.WriteString(w, err.Error()+"\n")
			return
		}
		_, _ = io.WriteString(w, "ok\n")
	})
	mux.Handle("GET /metrics", metrics)
	return mux
}
