package server

import (
	"net/http"
	"net/http/pprof"
)

// withPprof adds Go's profiles of this process to a management listener:
// /debug/pprof/ lists them (net/http/pprof). They show how the program works and
// cost time, so that they are behind a flag.
func withPprof(next http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", next)
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	return mux
}
