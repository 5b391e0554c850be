// Package wire holds the raw HTTP rules that all families share: a reply with
// the header spelling of its profile, and a request body with a bound.
package wire

import (
	"context"
	"net/http"
	"strconv"

	"github.com/authcompat/authcompat/profiles"
)

// Reply is an answer, complete before its first byte is sent.
type Reply struct {
	Status int
	// ContentType is empty for a reply without one.
	ContentType string
	// Always are headers that stand on each reply of an endpoint, prepared once.
	Always  []Prepared
	Headers []profiles.Header
	Body    []byte
	// Outcome says in a word what came of the request, for logs and metrics: one
	// of a closed set, the engine's kinds among them.
	Outcome string
	// Err is the cause where the server is at fault. It is logged, never sent.
	Err error
}

// Observer is a ResponseWriter that wants to know what came of the request.
type Observer interface {
	// Observe is called once, before the reply is written. It says the name of
	// the endpoint (empty for other paths) with what the reply says of itself.
	Observe(endpoint, outcome string, err error)
}

// Informer is a ResponseWriter that knows who a request is from.
type Informer interface {
	// Inform puts what it knows into a context of the request.
	Inform(ctx context.Context) context.Context
}

// Context gives the context in which the engine acts on a request. Checks of
// tokens do without: who a request is from does not matter to them, and to find
// out costs more than the check.
func Context(w http.ResponseWriter, r *http.Request) context.Context {
	if i, ok := w.(Informer); ok {
		return i.Inform(r.Context())
	}
	return r.Context()
}

// Prepared is a header as net/http takes it.
type Prepared struct {
	name   string
	values []string
}

// Prepare makes headers ready to stand on many replies.
func Prepare(headers []profiles.Header) []Prepared {
	prepared := make([]Prepared, 0, len(headers))
	for _, h := range headers {
		prepared = append(prepared, Prepared{h.Name, []string{h.Value}})
	}
	return prepared
}

// Add puts one more header on the reply.
func (r *Reply) Add(name, value string) {
	r.Headers = append(r.Headers, profiles.Header{Name: name, Value: value})
}

// WriteFor sends the reply of an endpoint.
func (r *Reply) WriteFor(w http.ResponseWriter, endpoint string) {
	if o, ok := w.(Observer); ok {
		o.Observe(endpoint, r.Outcome, r.Err)
	}
	r.send(w)
}

// Write sends a reply that is no endpoint's.
func (r *Reply) Write(w http.ResponseWriter) { r.WriteFor(w, "") }

// send writes the reply. The body of an answer to HEAD is counted, not sent.
func (r *Reply) send(w http.ResponseWriter) {
	// The keys are assigned, not Set: that would respell them
	// ("Www-Authenticate").
	h := w.Header()
	for _, header := range r.Always {
		h[header.name] = header.values
	}
	for _, header := range r.Headers {
		h[header.Name] = append(h[header.Name], header.Value)
	}
	// An absent Content-Type would be guessed; a nil one stays absent.
	h["Content-Type"] = nil
	if r.ContentType != "" {
		h["Content-Type"] = []string{r.ContentType}
	}
	if r.Status != http.StatusNoContent {
		h["Content-Length"] = []string{strconv.Itoa(len(r.Body))}
	}
	w.WriteHeader(r.Status)
	if len(r.Body) > 0 {
		// The client may be gone; there is nobody left to tell.
		_, _ = w.Write(r.Body)
	}
}
