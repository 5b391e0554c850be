package server

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
)

// TestReadyToHalfClosed asks for readiness as a client that has shut its sending side by then, which to net/http has left: the answer is
// that of the store.
func TestReadyToHalfClosed(t *testing.T) {
	handler := managementHandler(func(ctx context.Context) error { return ctx.Err() }, http.NotFoundHandler())
	left, cancel := context.WithCancel(t.Context())
	cancel()
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, httptest.NewRequestWithContext(left, http.MethodGet, "/readyz", nil))
	if w.Code != http.StatusOK {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
