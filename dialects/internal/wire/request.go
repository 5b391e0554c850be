package wire

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/authcompat/authcompat/core"
)

// MaxBody is the most bytes a request body may have.
const MaxBody = 1 << 20

// The errors of Body that are about the request. Errors of the engine come besides.
var (
	ErrBodyTooLarge = errors.New("request body is too large")
	ErrBodyCut      = errors.New("request body ended early")
)

// Body reads the whole request body, up to MaxBody bytes. It fails with
// ErrBodyTooLarge, ErrBodyCut, or an error for which IsOverloaded is true when the
// server has no memory to spare for the body.
func Body(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if r.ContentLength > MaxBody {
		return nil, ErrBodyTooLarge
	}
	if kept, ok := r.Body.(*Kept); ok {
		return kept.all()
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, ErrBodyTooLarge
	case IsOverloaded(err):
		return nil, err
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrBodyCut, err)
	}
	return body, nil
}

// IsOverloaded tells whether Body failed for want of memory, with an error of the
// engine.
func IsOverloaded(err error) bool { return core.KindOf(err) == core.KindOverloaded }

// ContentType gives the Content-Type of a request, "" if it has none. Of several
// header lines the last counts, as in gunicorn (gunicorn/http/wsgi.py).
func ContentType(r *http.Request) string {
	lines := r.Header["Content-Type"]
	if len(lines) == 0 {
		return ""
	}
	return lines[len(lines)-1]
}

// Header gives a request header as a WSGI server does: several lines are joined
// with commas. ok is false if the request has no such header.
func Header(r *http.Request, name string) (value string, ok bool) {
	lines, ok := r.Header[name]
	if !ok {
		return "", false
	}
	return strings.Join(lines, ","), true
}
