package front

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"

	"github.com/authcompat/authcompat/core"
)

// Result is how an exchange with the application ended, for metrics.
type Result string

// The results of exchanges.
const (
	ResultOK          Result = "ok"          // answered
	ResultUnreachable Result = "unreachable" // no connection: 503
	ResultTimeout     Result = "timeout"     // no answer in time: 504
	ResultInvalid     Result = "invalid"     // no answer that can be understood: 502
	ResultBroken      Result = "broken"      // the answer broke off
	ResultCanceled    Result = "canceled"    // the client left
	ResultRefused     Result = "refused"     // the client's body was refused
)

// Results returns all results.
func Results() []Result {
	return []Result{ResultOK, ResultUnreachable, ResultTimeout, ResultInvalid, ResultBroken, ResultCanceled, ResultRefused}
}

// The reasons for which an exchange is ended here.
var (
	errSilent   = errors.New("the application was silent for too long")
	errShutdown = errors.New("the server stops")
	errEnded    = errors.New("the token has ended")
	errTooLarge = errors.New("the body is too large")
	errNoStatus = errors.New("the status is none")
	errEarly    = errors.New("an answer came before its request was sent")
	errUnasked  = errors.New("the protocol was switched unasked")
	errLoop     = errors.New("its address is one of this server's listeners")
	errClosed   = errors.New("the exchange is over")
)

// failure is why there is no answer of the application. Its text has no byte of what either
// side sent: errors of net/http quote answers.
type failure struct {
	result      Result
	status      int
	text        string
	application string // HOST:PORT
}

// Error implements error.
func (f *failure) Error() string { return f.text }

// Application returns which application has failed the request, as HOST:PORT: logs tell those
// of one from those of another by it.
func (f *failure) Application() string { return f.application }

// explain returns what an error of the exchange means.
func (x *exchange) explain(err error) *failure {
	f := explain(err)
	f.application = x.to.address
	return f
}

// explain returns what an error of an exchange means.
func explain(err error) *failure {
	var dialed *dialError
	var handshake *handshakeError
	var timeout net.Error
	switch {
	case errors.As(err, &dialed):
		return &failure{result: ResultUnreachable, status: http.StatusServiceUnavailable, text: "the application can't be reached: " + dialed.Error()}
	case errors.As(err, &handshake):
		return &failure{result: ResultInvalid, status: http.StatusBadGateway, text: "no TLS with the application: " + handshake.Error()}
	case errors.Is(err, errSilent), errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return &failure{result: ResultTimeout, status: http.StatusGatewayTimeout, text: "the application did not answer in time"}
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE),
		strings.Contains(err.Error(), "server closed"):
		return &failure{result: ResultInvalid, status: http.StatusBadGateway, text: "the application closed the connection before its answer was whole"}
	case strings.Contains(err.Error(), "response headers exceeded"):
		return &failure{result: ResultInvalid, status: http.StatusBadGateway, text: "the head of the application's answer is too long"}
	}
	return &failure{result: ResultInvalid, status: http.StatusBadGateway, text: "the application's answer breaks HTTP's rules"}
}

// fail answers a request that has no answer of the application's. The server's time for a reply may be over: it counts from the request's head,
// and the body may have come slowly, or the application have had longer.
func (x *exchange) fail(err error) {
	x.out.extend()
	x.mu.Lock()
	bodyErr := x.bodyErr
	x.mu.Unlock()
	switch cause := context.Cause(x.ctx); {
	case errors.Is(bodyErr, errTooLarge):
		x.count(ResultRefused)
		x.api.TooLarge(x.w)
	case errors.Is(cause, errShutdown):
		x.count(ResultOK)
		x.api.Unavailable(x.w, http.StatusServiceUnavailable, cause)
	case cause != nil && !errors.Is(cause, errSilent), bodyErr != nil && gone(bodyErr):
		x.count(ResultCanceled)
		x.api.Unavailable(x.w, http.StatusServiceUnavailable, &core.Error{Kind: core.KindCanceled})
	case bodyErr != nil:
		x.count(ResultRefused)
		x.api.Malformed(x.w)
	default:
		if cause != nil {
			err = cause
		}
		f := x.explain(err)
		x.count(f.result)
		x.api.Unavailable(x.w, f.status, f)
	}
}

// gone reports whether reading a body failed because the client did, and not what it sent.
func gone(err error) bool {
	var failed net.Error
	return errors.As(err, &failed) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF)
}
