package wire

import (
	"context"
	"errors"
	"fmt"
	"os"
)

// A Kind is the reason why there is no usable response.
type Kind int

const (
	// Unreachable: connecting, or the TLS handshake, failed. Nothing was sent.
	Unreachable Kind = iota + 1
	// TimedOut: the response was not complete in time.
	TimedOut
	// BadResponse: the server closed the connection before the response was complete, or sent
	// something that is not HTTP/1.x or larger than this package reads.
	BadResponse
	// Cancelled: the caller's context ended.
	Cancelled
)

// An Error is what Do returns when there is no response. Its text quotes neither
// headers nor bodies, so it contains no secrets.
type Error struct {
	Kind Kind
	Err  error
}

// Error returns the text of the cause, one line.
func (e *Error) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

func badResponse(format string, args ...any) *Error {
	return &Error{Kind: BadResponse, Err: fmt.Errorf(format, args...)}
}

// classify returns the kind of an error that occurred on an established connection.
func classify(ctx context.Context, err error) *Error {
	var e *Error
	switch {
	case ctx.Err() != nil && errors.Is(ctx.Err(), context.Canceled):
		return &Error{Kind: Cancelled, Err: ctx.Err()}
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded), ctx.Err() != nil:
		return &Error{Kind: TimedOut, Err: errors.New("no complete response in time")}
	case errors.As(err, &e):
		return e
	}
	return badResponse("the connection ended before a whole response: %w", err)
}
