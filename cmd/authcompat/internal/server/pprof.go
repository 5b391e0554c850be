package server

import (
	"net/http"
	"net/http/pprof"
	"strconv"
	"time"
)

// withPprof adds Go's profiles of this process to a management listener:
// /debug/pprof/ lists them (net/http/pprof). They show how the program works and
// cost time, so that they are behind a flag.
func withPprof(next http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", next)
	for path, h := range map[string]http.HandlerFunc{"": pprof.Index, "profile": pprof.Profile, "trace": pprof.Trace} {
		mux.HandleFunc("GET /debug/pprof/"+path, func(w http.ResponseWriter, r *http.Request) {
			// It fails only for a writer of tests.
			_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(profileTime(r.FormValue("seconds"))))
			h(w, r)
		})
	}
	return mux
}

// A profile may be asked for as many seconds as there are in a day, and take a minute more to be received.
const (
	longestProfile = 24 * 60 * 60
	profileReply   = time.Minute
)

// profileTime returns how long the reply with a profile of so many seconds may take; net/http/pprof has 30 where that is no
// number. It would add them to its server's WriteTimeout, but connections have theirs by themselves.
func profileTime(text string) time.Duration {
	seconds, err := strconv.ParseFloat(text, 64)
	if err != nil || !(seconds > 0) {
		seconds = 30
	}
	return time.Duration(min(seconds, longestProfile)*float64(time.Second)) + profileReply
}
