package main

import (
	"log/slog"
	"net/http"
	"runtime/debug"

	"github.com/authcompat/authcompat/dialects"
)

// watch logs the requests that failed on the server's side. What a client sent
// is never logged.
func watch(next http.Handler, profile string, log *slog.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		o := &observed{ResponseWriter: w, profile: profile, log: log}
		defer func() {
			if cause := recover(); cause != nil {
				log.Error("a request panicked: a defect of this program", "profile", profile, "panic", cause, "stack", string(debug.Stack()))
				panic(http.ErrAbortHandler)
			}
		}()
		next.ServeHTTP(o, r)
	})
}

// observed is a ResponseWriter that hears what came of the request.
type observed struct {
	http.ResponseWriter
	profile string
	log     *slog.Logger
}

var _ dialects.Observer = (*observed)(nil)

// Observe implements dialects.Observer.
func (o *observed) Observe(endpoint, outcome string, err error) {
	if err != nil {
		o.log.Error("a request failed", "profile", o.profile, "endpoint", endpoint, "outcome", outcome, "error", err)
	}
}

// Unwrap lets net/http reach the writer's own abilities.
func (o *observed) Unwrap() http.ResponseWriter { return o.ResponseWriter }
