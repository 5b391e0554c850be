// Package answer describes what the endpoints of an API answer, with the bytes that are sent. A family describes its own by
// the code that answers requests, so that there is no second opinion on what an answer looks like.
package answer

import (
	"net/http"
	"slices"

	"github.com/authcompat/authcompat/dialects/internal/wire"
	"github.com/authcompat/authcompat/profiles"
)

// Endpoint is what one endpoint answers.
type Endpoint struct {
	Success  Answer
	Refusals []Answer // in the order in which a request meets them
}

// Answer is one answer of an endpoint.
type Answer struct {
	Stage Stage // of the success: StageAction
	// Field is the name of the field that it is about, as on the wire; empty: of none. One answer can have the errors of
	// several fields, and several of one.
	Field string
	// When says in words what brings it about; several for one and the same answer.
	When   []string
	Status int
	// Headers are all of the answer's but Content-Length and Date, sorted by name as they are sent. What Retry-After
	// depends on is there as {seconds}.
	Headers []profiles.Header
	Body    Text
}

// Stage is how far a request has come.
type Stage string

// The stages, in their order.
const (
	StageRequest Stage = "request" // its query and its Accept, and in families formjson and plainjson its method
	StageClient  Stage = "client"  // who sends it
	StageMethod  Stage = "method"  // its method (family drf)
	StageBody    Stage = "body"    // whether its body can be read
	StageField   Stage = "field"   // what is in the body
	StageAction  Stage = "action"  // what it asks for
	StageServer  Stage = "server"  // nothing that the client sent
)

// Stages returns all stages in their order.
func Stages() []Stage {
	return []Stage{StageRequest, StageClient, StageMethod, StageBody, StageField, StageAction, StageServer}
}

// TooLarge is in words what wire.MaxBody is in bytes, for Answer.When.
const TooLarge = "the body has more than 1 MiB"

// List gathers the refusals of an endpoint.
type List struct{ all []Answer }

// Add adds a refusal. One that is there already, at the same stage, has one more reason.
func (l *List) Add(stage Stage, field, when string, reply wire.Reply) {
	a := Of(reply)
	a.Stage, a.Field, a.When = stage, field, []string{when}
	for i := range l.all {
		if same := &l.all[i]; same.Stage == stage && same.Field == field && same.equal(a) {
			if !slices.Contains(same.When, when) {
				same.When = append(same.When, when)
			}
			return
		}
	}
	l.all = append(l.all, a)
}

func (a Answer) equal(b Answer) bool {
	return a.Status == b.Status && slices.Equal(a.Headers, b.Headers) && slices.Equal(a.Body, b.Body)
}

// Sorted returns the refusals by their stage, and those of one stage as they were added.
func (l *List) Sorted() []Answer { return Sort(l.all) }

// Sort sorts answers by their stage, and leaves those of one stage in their order.
func Sort(all []Answer) []Answer {
	order := Stages()
	slices.SortStableFunc(all, func(a, b Answer) int { return slices.Index(order, a.Stage) - slices.Index(order, b.Stage) })
	return all
}

// Of returns the answer that a reply is, as it is sent.
func Of(reply wire.Reply) Answer {
	w := recorder{header: make(http.Header)}
	reply.Write(&w)
	a := Answer{Status: w.status, Body: parse(string(w.body))}
	for name, values := range w.header {
		for _, value := range values {
			if name == "Retry-After" {
				value = "{seconds}"
			}
			if name != "Content-Length" {
				a.Headers = append(a.Headers, profiles.Header{Name: name, Value: value})
			}
		}
	}
	slices.SortStableFunc(a.Headers, func(x, y profiles.Header) int {
		switch { // as net/http writes them
		case x.Name < y.Name:
			return -1
		case x.Name > y.Name:
			return 1
		}
		return 0
	})
	return a
}

// recorder is a ResponseWriter that keeps one answer.
type recorder struct {
	header http.Header
	status int
	body   []byte
}

func (w *recorder) Header() http.Header { return w.header }

func (w *recorder) WriteHeader(status int) { w.status = status }

func (w *recorder) Write(p []byte) (int, error) {
	w.body = append(w.body, p...)
	return len(p), nil
}
