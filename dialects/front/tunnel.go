package front

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// Streams are the exchanges of a process that have no end of their own: tunnels, and answers
// of events. They outlive a reload of the settings, and not a stop of the server.
type Streams struct {
	mu     sync.Mutex
	ending bool
	open   map[*exchange]struct{}
}

// NewStreams returns Streams of which there are none.
func NewStreams() *Streams { return &Streams{open: make(map[*exchange]struct{})} }

// End ends all streams, and those that begin later.
func (s *Streams) End() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ending = true
	for x := range s.open {
		x.cancel(errShutdown)
	}
}

// Open returns how many streams there are.
func (s *Streams) Open() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.open)
}

func (s *Streams) add(x *exchange) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open[x] = struct{}{}
	if s.ending {
		x.cancel(errShutdown)
	}
}

func (s *Streams) remove(x *exchange) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, x)
}

// tunnel is the client's connection once it and the application speak another protocol.
type tunnel struct {
	net.Conn
	x        *exchange
	buffered *bufio.Reader // what the server has read already
	head     []byte        // what was written of the answer's head
	headSent bool
}

// tunnelBuffer is the size of the buffers of a tunnel, in bytes, one for each direction.
const tunnelBuffer = 4 << 10

// Hijack implements http.Hijacker. The connection writes the head of the answer as the
// application spelled it.
func (w *answerWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := w.x.control.Hijack()
	if err != nil {
		if !errors.Is(err, http.ErrNotSupported) {
			w.x.cancel(context.Canceled) // the connection is closed, and the application has done nothing wrong
		}
		return nil, nil, err
	}
	t := &tunnel{Conn: conn, x: w.x, buffered: buffered.Reader}
	w.x.watchToken()
	return t, bufio.NewReadWriter(bufio.NewReader(t), bufio.NewWriter(t)), nil
}

// watchToken checks the token of a tunnel at every Recheck, and ends the tunnel when it has
// ended.
func (x *exchange) watchToken() {
	if x.session == nil {
		return
	}
	var check func()
	check = func() {
		if x.ctx.Err() != nil {
			return
		}
		if x.api.Ended(x.in) {
			x.cancel(errEnded)
			return
		}
		time.AfterFunc(x.Recheck, check)
	}
	time.AfterFunc(x.Recheck, check)
}

// Read implements net.Conn.
func (t *tunnel) Read(b []byte) (n int, err error) {
	if t.buffered.Buffered() > 0 {
		n, err = t.buffered.Read(b[:min(len(b), t.buffered.Buffered())])
	} else {
		n, err = t.Conn.Read(b)
	}
	t.x.heard()
	return n, err
}

// Write implements net.Conn.
func (t *tunnel) Write(b []byte) (int, error) {
	t.x.heard()
	if err := t.SetWriteDeadline(time.Now().Add(t.x.Timeout)); err != nil {
		return 0, err
	}
	if t.headSent {
		return t.Conn.Write(b)
	}
	t.head = append(t.head, b...)
	end := bytes.Index(t.head, []byte("\r\n\r\n"))
	if end < 0 {
		return len(b), nil
	}
	out := append(t.x.spelling(http.StatusSwitchingProtocols).respellLines(t.head[:end+4]), t.head[end+4:]...)
	t.head, t.headSent = nil, true
	if _, err := t.Conn.Write(out); err != nil {
		t.x.cancel(context.Canceled) // as above
		return 0, err
	}
	return len(b), nil
}

// ReadFrom implements io.ReaderFrom, with less memory than io.Copy takes.
func (t *tunnel) ReadFrom(r io.Reader) (int64, error) { return copyTunnel(struct{ io.Writer }{t}, r) }

// WriteTo implements io.WriterTo, with less memory than io.Copy takes.
func (t *tunnel) WriteTo(w io.Writer) (int64, error) { return copyTunnel(w, struct{ io.Reader }{t}) }

func copyTunnel(w io.Writer, r io.Reader) (int64, error) {
	return io.CopyBuffer(struct{ io.Writer }{w}, struct{ io.Reader }{r}, make([]byte, tunnelBuffer))
}

// CloseWrite shuts the sending side.
func (t *tunnel) CloseWrite() error {
	if half, ok := t.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return errors.ErrUnsupported
}
