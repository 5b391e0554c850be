package server

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"
)

func TestProfiles(t *testing.T) {
	next := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	for _, tt := range []struct {
		path string
		want int
	}{
		{"/debug/pprof/", http.StatusOK},
		{"/debug/pprof/heap?debug=1", http.StatusOK},
		{"/debug/pprof/nothing", http.StatusNotFound},
		{"/livez", http.StatusTeapot},
	} {
		w := httptest.NewRecorder()
		withPprof(next).ServeHTTP(w, httptest.NewRequest(http.MethodGet, tt.path, nil))
		if w.Code != tt.want {
			t.Errorf("%s: status %d, want %d", tt.path, w.Code, tt.want)
		}
	}
}

// deadlineWriter notes until when it may be written to.
type deadlineWriter struct {
	http.ResponseWriter
	until time.Time
}

// SetWriteDeadline is for http.ResponseController.
func (w *deadlineWriter) SetWriteDeadline(until time.Time) error {
	w.until = until
	return nil
}

// TestLongProfile asks for profiles of more seconds than a reply may take by itself (there are none by this name, so that nobody waits
// for them): they have that time, and some to be received.
func TestLongProfile(t *testing.T) {
	h := withPprof(http.NotFoundHandler())
	for seconds, want := range map[string]time.Duration{
		"": 90 * time.Second, "x": 90 * time.Second, "-1": 90 * time.Second, "NaN": 90 * time.Second, "0.5": 60500 * time.Millisecond,
		"100": 160 * time.Second, "1e300": 24*time.Hour + time.Minute, "+Inf": 24*time.Hour + time.Minute,
	} {
		w := &deadlineWriter{ResponseWriter: httptest.NewRecorder()}
		before := time.Now()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/debug/pprof/nothing?seconds="+url.QueryEscape(seconds), nil))
		if w.until.Before(before.Add(want)) || w.until.After(time.Now().Add(want)) {
			t.Errorf("%q: %v, want %v", seconds, w.until.Sub(before), want)
		}
	}
}
