// Package wire holds the HTTP rules that all families share: replies keep the
// header spelling of their profile, and request bodies are limited in size.
package wire

import (
	"net/http"
	"strconv"

	"github.com/authcompat/authcompat/profiles"
)

// Reply is an answer, complete before its first byte is sent.
type Reply struct {
	Status int
	// ContentType is empty for a reply without one.
	ContentType string
	// Always are the headers that every reply of an endpoint has, prepared once.
	Always  *Prepared // nil: none
	Headers []profiles.Header
	Body    []byte
	// Outcome names the result of the request for logs and metrics. The set of
	// names is closed; the engine's kinds of failure are among them.
	Outcome string
	// Err is the cause of a failure on the server's side. It is logged, never sent.
	Err error
}

// OutcomeRecorder is a ResponseWriter that records the outcome of its request.
type OutcomeRecorder interface {
	// RecordOutcome is called once, before the reply is written, with the name of
	// the endpoint (empty for other paths) and the reply's Outcome and Err.
	RecordOutcome(endpoint, outcome string, err error)
}

// RuleRecorder is a ResponseWriter that records which rule of a front decided about its request.
type RuleRecorder interface {
	// RecordRule is called with the path of the rule, before anything else is recorded.
	RecordRule(path string)
}

// SideRecorder is a ResponseWriter that records which side of a switch answers its request.
type SideRecorder interface {
	// RecordSide is called once, before the request is answered, with the name of the
	// endpoint (empty for an application's paths), which counts as the endpoint of replies
	// that belong to none.
	RecordSide(endpoint, side string)
}

// HeaderFinisher is a ResponseWriter that has the last word on the headers of the API's own
// replies. Answers of an application behind the API are none.
type HeaderFinisher interface {
	// FinishHeader is called once, before a reply is sent.
	FinishHeader(h http.Header)
}

// Add adds a header to the reply.
func (r *Reply) Add(name, value string) {
	r.Headers = append(r.Headers, profiles.Header{Name: name, Value: value})
}

// WriteFor sends the reply of an endpoint.
func (r *Reply) WriteFor(w http.ResponseWriter, endpoint string) {
	if o, ok := w.(OutcomeRecorder); ok {
		o.RecordOutcome(endpoint, r.Outcome, r.Err)
	}
	r.send(w)
}

// Write sends the reply to a path that no endpoint has.
func (r *Reply) Write(w http.ResponseWriter) { r.WriteFor(w, "") }

// send writes the reply. The body of an answer to HEAD is counted, not sent.
func (r *Reply) send(w http.ResponseWriter) {
	if r.sendWhole(w) {
		return
	}
	// Header.Set would respell the names ("Www-Authenticate").
	h := w.Header()
	r.Always.addTo(h)
	for _, header := range r.Headers {
		h[header.Name] = append(h[header.Name], header.Value)
	}
	values := &[2]string{r.ContentType} // in one allocation
	if r.ContentType != "" {
		h["Content-Type"] = values[0:1:1]
	} else {
		h["Content-Type"] = nil // net/http guesses one that is missing, but sends none for nil
	}
	if r.Status != http.StatusNoContent {
		values[1] = strconv.Itoa(len(r.Body))
		h["Content-Length"] = values[1:]
	}
	if f, ok := w.(HeaderFinisher); ok {
		f.FinishHeader(h)
	}
	w.WriteHeader(r.Status)
	if len(r.Body) > 0 {
		// This fails when the client has gone: nobody is left to hear of it.
		_, _ = w.Write(r.Body)
	}
}
