package front

import (
	"io"
	"net/http"
	"sync"
	"time"
)

// clientBody is the body of a request, with a deadline for each read instead of one for all.
type clientBody struct {
	io.ReadCloser
	x    *exchange
	read int64 // under the lock of the exchange
}

// How much of a body that the application didn't want is read, in bytes, so that the connection can be used again, and for how long.
// With more, net/http closes it: what it reads itself (256 KiB), and what may be read at this moment.
const (
	unreadTimeout = 5 * time.Second
	maxUnread     = 320 << 10
)

// readAway reads what is left of a body when the client has been answered. net/http would do that behind the handler, where the look behind the
// request that it begins with the end of a body is in its own way, and it closes the connection over that (net/http/server.go of Go 1.26:
// response.finishRequest ends such looks before it closes the body, and connReader.Read then panics). Bodies in chunks, and those that a client asked
// for before it sends them, end the connection anyway.
func (b *clientBody) readAway() {
	x := b.x
	x.mu.Lock()
	left := x.in.ContentLength - b.read
	x.mu.Unlock()
	_ = x.control.SetReadDeadline(time.Now().Add(unreadTimeout))
	if x.in.ContentLength < 0 || left > maxUnread || len(x.in.Header["Expect"]) > 0 {
		return
	}
	if x.control.Flush() == nil { // the client may wait for that
		_, _ = io.Copy(io.Discard, b.ReadCloser) // if it fails, so does the next request
	}
}

// Read implements io.Reader.
func (b *clientBody) Read(p []byte) (int, error) {
	x := b.x
	x.mu.Lock()
	over := x.done
	if !over {
		_ = x.control.SetReadDeadline(time.Now().Add(x.Timeout)) // fails for a writer of tests
	}
	x.mu.Unlock()
	if over {
		return 0, errClosed // the connection has the next request
	}
	x.asked.Store(true) // by net/http, if it wants to be
	x.waiting(true)
	n, err := b.ReadCloser.Read(p)
	x.waiting(false)
	x.mu.Lock()
	defer x.mu.Unlock()
	if b.read += int64(n); x.MaxBody > 0 && b.read > x.MaxBody {
		n, err = 0, errTooLarge
	}
	switch {
	case err == io.EOF && !x.done:
		_ = x.control.SetReadDeadline(time.Time{})
	case err != nil && err != io.EOF && x.bodyErr == nil:
		x.bodyErr = err
	}
	return n, err
}

// answerBody is the body of an answer.
type answerBody struct {
	io.ReadCloser
	x *exchange
}

// Read implements io.Reader.
func (b *answerBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if n > 0 {
		b.x.heard()
	}
	if err != nil && err != io.EOF {
		b.x.mu.Lock()
		b.x.answerErr = err
		b.x.mu.Unlock()
	}
	return n, err
}

// answerWriter is the client's ResponseWriter, as the proxy has it.
type answerWriter struct {
	http.ResponseWriter
	x    *exchange
	kept http.Header // what the server has set, for the last head; nil: nothing

	mu      sync.Mutex // of what is written
	pending bool       // something waits in buffers
	closed  bool       // the handler has returned, or is about to
}

// begin makes the writer that of an exchange.
func (w *answerWriter) begin(x *exchange) {
	w.ResponseWriter, w.x = x.w, x
	if own := x.w.Header(); len(own) > 0 {
		w.kept = own.Clone()
	}
}

// WriteHeader implements http.ResponseWriter.
func (w *answerWriter) WriteHeader(status int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.extend()
	header := w.Header()
	head := w.x.spelling(status)
	if interim(status) {
		if status == http.StatusContinue && len(w.x.in.Header["Expect"]) > 0 && w.x.asked.Load() {
			return
		}
		// The proxy empties the header after each of these.
		if w.x.in.ProtoAtLeast(1, 1) { // HTTP/1.0 has none (RFC 9110, 15.2)
			removeHops(header)
			head.respell(header)
			w.ResponseWriter.WriteHeader(status)
		}
		return
	}
	for name, values := range w.kept {
		header[name] = values
	}
	head.respell(header)
	// net/http guesses what is missing, but sends none for nil.
	for _, name := range []string{"Date", "Content-Type"} {
		if _, there := header[name]; !there {
			header[name] = nil
		}
	}
	if r, ok := w.ResponseWriter.(interface{ SetReason(string) }); ok && head.reason != "" {
		r.SetReason(head.reason)
	}
	w.ResponseWriter.WriteHeader(status)
	w.pending = true
}

// Write implements http.ResponseWriter.
func (w *answerWriter) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.extend()
	w.pending = true
	n, err := w.ResponseWriter.Write(b)
	w.x.heard()
	return n, err
}

// FlushError sends what is buffered.
func (w *answerWriter) FlushError() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.extend()
	w.pending = false
	return w.x.control.Flush()
}

// close keeps the timer from writing from now on.
func (w *answerWriter) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
}

// flushIdle sends what is buffered, unless something is being written.
func (w *answerWriter) flushIdle() {
	if !w.mu.TryLock() {
		return
	}
	defer w.mu.Unlock()
	if w.pending && !w.closed {
		w.extend()
		w.pending = false
		_ = w.x.control.Flush() // the next write tells
	}
}

// Unwrap gives http.ResponseController access to the wrapped writer.
func (w *answerWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// extend gives the client time to take what is written next.
func (w *answerWriter) extend() {
	_ = w.x.control.SetWriteDeadline(time.Now().Add(w.x.Timeout)) // fails for a writer of tests
}
