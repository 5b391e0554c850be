package wire

import "io"

// A Recording is what went over the connection of one request, byte for byte.
type Recording struct {
	// Sent is the whole request. The server need not have read all of it.
	Sent []byte
	// Received is all that came, in its order: interim responses, the status line, the headers and the body, with
	// its transfer coding, and what is behind the body, as far as it came with it. Of a response that is longer than
	// a caller of Record wants, it is the beginning.
	Received []byte
	// Cut says that the body of the response is longer than its caller wants: the rest was not read.
	Cut bool

	left int // how many bytes more are kept
}

// reader returns a reader of the connection that keeps what is read. Nothing is kept for Do.
func (r *Recording) reader(conn io.Reader) io.Reader { return io.TeeReader(conn, keeper{r}) }

// A keeper keeps what is written to it, up to a limit.
type keeper struct{ recording *Recording }

// Write implements io.Writer. It never fails.
func (k keeper) Write(p []byte) (int, error) {
	kept := p[:min(len(p), k.recording.left)]
	k.recording.Received = append(k.recording.Received, kept...)
	k.recording.left -= len(kept)
	return len(p), nil
}
