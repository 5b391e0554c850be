package server

import (
	"context"
	"io"
	"net/http"
	"time"

	"github.com/authcompat/authcompat/core"
)

// readyTimeout bounds how long readiness waits for the store.
const readyTimeout = 2 * time.Second

// managementHandler answers on the management listener: /livez while the process runs,
// /readyz while the store answers (else 503), /metrics for Prometheus.
func managementHandler(service *core.Service, metrics http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "ok\n")
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
		defer cancel()
		if err := service.Ready(ctx); err != nil {
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = io.WriteString(w, "the store does not answer\n")
			return
		}
		_, _ = io.WriteString(w, "ok\n")
	})
	mux.Handle("GET /metrics", metrics)
	return mux
}
