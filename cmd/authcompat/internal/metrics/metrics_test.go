package metrics_test

import (
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/metrics"
)

// TestRequestsAreCountedApart has requests that differ in one label each.
func TestRequestsAreCountedApart(t *testing.T) {
	m := metrics.New(func() float64 { return 0 })
	for i, r := range []struct {
		profile, endpoint string
		status            int
	}{{"p", "login", 200}, {"p", "login", 400}, {"p", "account", 200}, {"q", "login", 200}, {"q", "", 404}} {
		for range 2*i + 1 {
			m.CountRequest(r.profile, r.endpoint, r.status, time.Millisecond)
		}
	}
	w := httptest.NewRecorder()
	m.Handler(slog.New(slog.DiscardHandler)).ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	for _, line := range []string{
		`authcompat_http_requests_total{endpoint="login",profile="p",status="200"} 1`,
		`authcompat_http_requests_total{endpoint="login",profile="p",status="400"} 3`,
		`authcompat_http_requests_total{endpoint="account",profile="p",status="200"} 5`,
		`authcompat_http_requests_total{endpoint="login",profile="q",status="200"} 7`,
		`authcompat_http_requests_total{endpoint="other",profile="q",status="404"} 9`,
		`authcompat_http_request_duration_seconds_count{endpoint="login",profile="p"} 4`,
	} {
		if !strings.Contains(w.Body.String(), line+"\n") {
			t.Errorf("no line %s", line)
		}
	}
}
