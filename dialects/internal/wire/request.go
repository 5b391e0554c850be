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

// What can be wrong with a body before anyone reads a meaning into it.
var (
	ErrBodyTooLarge = errors.New("request body is too large")
	ErrBodyCut      = errors.New("request body ended early")
)

// Body reads the whole request body, up to MaxBody bytes. An error that is the
// engine's, because there is no room for the body now, stays as it is.
func Body(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if r.ContentLength > MaxBody {
		return nil, ErrBodyTooLarge
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, ErrBodyTooLarge
	case NoRoom(err):
		return nil, err
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrBodyCut, err)
	}
	return body, nil
}

// NoRoom tells whether an error of Body is the engine's.
func NoRoom(err error) bool {
	var e *core.Error
	return errors.As(err, &e)
}

// ContentType gives the Content-Type of a request, "" where there is none: of
// several lines the last, as gunicorn hands it on (gunicorn/http/wsgi.py).
func ContentType(r *http.Request) string {
	lines := r.Header["Content-Type"]
	if len(lines) == 0 {
		return ""
	}
	return lines[len(lines)-1]
}

// Header gives a request header as a WSGI server hands it on: several lines
// joined with commas. ok is false where there is none at all.
func Header(r *http.Request, name string) (value string, ok bool) {
	lines, ok := r.Header[name]
	if !ok {
		return "", false
	}
	return strings.Join(lines, ","), true
}
