package server

import (
	"net/http"
	"net/http/httptest"
	"testing"
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
