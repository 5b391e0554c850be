package server

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"
)

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
		if err := ready(r.Context()); err != nil {
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = io.WriteString(w, err.Error()+"\n")
			return
		}
		_, _ = io.WriteString(w, "ok\n")
	})
	mux.Handle("GET /metrics", metrics)
	return mux
}
