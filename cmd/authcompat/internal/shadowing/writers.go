package shadowing

import (
	"bytes"
	"errors"
	"net/http"

	"github.com/authcompat/authcompat/conformance/shadow"
	"github.com/authcompat/authcompat/dialects"
)

// recorder is a ResponseWriter that keeps an answer of ours, or one that the old server gives besides.
type recorder struct {
	header http.Header
	head   bool // of an answer to HEAD, the body is not sent
	most   int  // bytes of the body, beyond which the answer is given up; 0: any number
	status int
	body   bytes.Buffer
	err    error // by RecordOutcome
}

// Header implements http.ResponseWriter.
func (w *recorder) Header() http.Header { return w.header }

// WriteHeader implements http.ResponseWriter.
func (w *recorder) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
}

// Write implements http.ResponseWriter.
func (w *recorder) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	if w.head {
		return len(b), nil
	}
	if w.most > 0 && w.body.Len()+len(b) > w.most {
		return 0, errLong
	}
	return w.body.Write(b)
}

// errLong is the error of an answer that is longer than is compared.
var errLong = errors.New("the answer is too long")

// RecordOutcome implements dialects.OutcomeRecorder.
func (w *recorder) RecordOutcome(_, _ string, err error) { w.err = err }

// capture is a ResponseWriter that keeps an answer of the old server on its way to the client. It
// passes on all that the server's own writers can do.
type capture struct {
	http.ResponseWriter
	status int
	header http.Header
	body   bytes.Buffer // at most a byte more than is compared
	failed bool         // the answer is ours: the old server has none
	whole  bool         // the answer has come to its end
}

var (
	_ dialects.OutcomeRecorder = (*capture)(nil)
	_ dialects.RuleRecorder    = (*capture)(nil)
	_ dialects.SideRecorder    = (*capture)(nil)
)

// WriteHeader implements http.ResponseWriter.
func (w *capture) WriteHeader(status int) {
	if status >= http.StatusOK && w.status == 0 {
		w.status, w.header = status, w.Header().Clone()
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (w *capture) Write(b []byte) (int, error) {
	if room := maxBody + 1 - w.body.Len(); room > 0 {
		w.body.Write(b[:min(room, len(b))])
	}
	return w.ResponseWriter.Write(b)
}

// answer returns what was kept.
func (w *capture) answer() shadow.Answer {
	return shadow.Answer{Status: w.status, Header: w.header, Body: w.body.Bytes()}
}

// RecordOutcome implements dialects.OutcomeRecorder.
func (w *capture) RecordOutcome(endpoint, outcome string, err error) {
	w.failed = err != nil
	if o, ok := w.ResponseWriter.(dialects.OutcomeRecorder); ok {
		o.RecordOutcome(endpoint, outcome, err)
	}
}

// RecordRule implements dialects.RuleRecorder.
func (w *capture) RecordRule(path string) {
	if o, ok := w.ResponseWriter.(dialects.RuleRecorder); ok {
		o.RecordRule(path)
	}
}

// RecordSide implements dialects.SideRecorder.
func (w *capture) RecordSide(endpoint, side string) {
	if o, ok := w.ResponseWriter.(dialects.SideRecorder); ok {
		o.RecordSide(endpoint, side)
	}
}

// SetReason sets the reason phrase, as the front does.
func (w *capture) SetReason(reason string) {
	if r, ok := w.ResponseWriter.(interface{ SetReason(string) }); ok {
		r.SetReason(reason)
	}
}

// FinishHeader has the last word on the headers of the API's own replies: those that say that the
// old server has none.
func (w *capture) FinishHeader(h http.Header) {
	if f, ok := w.ResponseWriter.(interface{ FinishHeader(http.Header) }); ok {
		f.FinishHeader(h)
	}
}

// Unwrap gives http.ResponseController access to the wrapped writer.
func (w *capture) Unwrap() http.ResponseWriter { return w.ResponseWriter }
