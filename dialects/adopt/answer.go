package adopt

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/dialects/front"
	"github.com/authcompat/authcompat/dialects/internal/wire"
	"github.com/authcompat/authcompat/profiles"
)

// The bounds of a question.
const (
	// askTimeout is how long the old server may take for its whole answer.
	askTimeout = 20 * time.Second
	// maxAnswer is how many bytes the body of an answer may have.
	maxAnswer = 64 << 10
)

// The reasons for which a question has no answer. None has a byte of what either side sent.
var (
	errTooMany  = errors.New("too many questions wait for the old server")
	errNoAnswer = errors.New("the old server's answer is not whole, or did not come in time")
	errTooLong  = &invalidError{"the old server's answer is too long"}
	errShape    = &invalidError{"the old server's answer has the status of the profile's reply, and not its shape"}
)

// invalidError is an answer that says nothing.
type invalidError struct{ text string }

// Error implements error.
func (e *invalidError) Error() string { return e.text }

// asker asks the old server at one URL. It passes requests on as a front does.
type asker struct {
	front   *front.Front
	target  string // of the request line
	host    string
	timeout time.Duration
}

// ask sends a request, and returns the whole answer. It fails with KindUnavailable. The request is not given up
// when its client leaves, who could have learned meanwhile what the answer is.
func (a *asker) ask(q *http.Request) (got *answer, err error) {
	// With a server's context, the proxy panics where an answer breaks off: else that could
	// not be told from its end.
	ctx, cancel := context.WithTimeout(context.WithValue(context.Background(), http.ServerContextKey, &http.Server{}), a.timeout)
	defer cancel()
	q.RequestURI, q.Host, q.Proto, q.ProtoMajor, q.ProtoMinor = a.target, a.host, "HTTP/1.1", 1, 1
	got = &answer{header: make(http.Header)}
	whole := got.serve(a.front, q.WithContext(ctx))
	switch {
	case got.err != nil:
		err = got.err
	case !whole || got.status == 0:
		err = errNoAnswer
	default:
		return got, nil
	}
	return nil, unavailable(err)
}

func unavailable(err error) error {
	return &core.Error{Kind: core.KindUnavailable, RetryAfter: time.Second, Err: &unansweredError{err}}
}

// unansweredError is a question without an answer.
type unansweredError struct{ err error }

// Error implements error.
func (e *unansweredError) Error() string { return e.err.Error() }

// Unwrap gives the cause.
func (e *unansweredError) Unwrap() error { return e.err }

// Unanswered reports whether a request failed because the old server did not answer a question.
// Clients may be able to bring that about: not each such request is worth a line in a log.
func Unanswered(err error) bool {
	var e *unansweredError
	return errors.As(err, &e)
}

// answer is what the old server answers: the http.ResponseWriter of a question.
type answer struct {
	header http.Header
	status int         // 0: none has come
	sent   http.Header // when the status came
	body   []byte
	err    error
}

// serve reports whether the answer is whole.
func (a *answer) serve(f *front.Front, q *http.Request) (whole bool) {
	defer func() {
		if cause := recover(); cause != nil && cause != http.ErrAbortHandler {
			panic(cause)
		}
	}()
	f.Pass(a, q)
	return true
}

// Header implements http.ResponseWriter.
func (a *answer) Header() http.Header { return a.header }

// WriteHeader implements http.ResponseWriter.
func (a *answer) WriteHeader(status int) {
	if status >= http.StatusOK && a.status == 0 {
		a.status, a.sent = status, a.header.Clone()
	}
}

// Write implements http.ResponseWriter.
func (a *answer) Write(b []byte) (int, error) {
	if len(a.body)+len(b) > maxAnswer {
		a.err = errTooLong
		return 0, a.err
	}
	a.body = append(a.body, b...)
	return len(b), nil
}

// reply is the answer for the client.
func (a *answer) reply() *wire.Reply {
	r := &wire.Reply{Status: a.status, Body: a.body, Outcome: outcomeAdopted}
	for name, values := range a.sent {
		for _, value := range values {
			switch {
			case strings.EqualFold(name, "Content-Type"):
				r.ContentType = value
			case strings.EqualFold(name, "Content-Length"), strings.HasPrefix(name, http.TrailerPrefix), strings.EqualFold(name, "Trailer"):
			default:
				r.Headers = append(r.Headers, profiles.Header{Name: name, Value: value})
			}
		}
	}
	slices.SortStableFunc(r.Headers, func(a, b profiles.Header) int { return strings.Compare(a.Name, b.Name) })
	return r
}

// failures is the front.API of an asker: it notes why there is no answer.
type failures struct{}

func fail(w http.ResponseWriter, err error) {
	if a, ok := w.(*answer); ok {
		a.err = err
	}
}

// Authenticate implements front.API. There are no rules that call it.
func (failures) Authenticate(w http.ResponseWriter, _ *http.Request, _ bool) (*core.Session, bool) {
	fail(w, errNoAnswer)
	return nil, false
}

// Ended implements front.API.
func (failures) Ended(*http.Request) bool { return false }

// User implements front.API.
func (failures) User(*http.Request, string) string { return "" }

// Unavailable implements front.API.
func (failures) Unavailable(w http.ResponseWriter, _ int, err error) {
	if core.KindOf(err) == core.KindCanceled {
		err = errNoAnswer // the whole took too long
	}
	fail(w, err)
}

// TooLarge implements front.API.
func (failures) TooLarge(w http.ResponseWriter) { fail(w, errNoAnswer) }

// Malformed implements front.API.
func (failures) Malformed(w http.ResponseWriter) { fail(w, errNoAnswer) }

// Unknown implements front.API.
func (failures) Unknown(w http.ResponseWriter, _ *http.Request) { fail(w, errNoAnswer) }
