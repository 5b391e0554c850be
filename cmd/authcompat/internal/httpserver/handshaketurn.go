package httpserver

import (
	"context"
	"net"
	"os"
	"runtime"

	"github.com/authcompat/authcompat/core/fairshare"
)

// newHandshakeTurns returns the turns in which the clients of a listener have it compute for their TLS
// handshakes, as many at a time as there are processors. One with an RSA key takes a millisecond, and costs a
// client that only repeats a recorded beginning nothing: thousands of them at once would have every
// goroutine wait for seconds, each time that it has something to do.
func newHandshakeTurns() *fairshare.Turns { return fairshare.NewTurns(runtime.GOMAXPROCS(0)) }

// handshakeTurn is the turn of a connection until its handshake is done: it begins when something of
// the client has come, and ends when more is awaited. What is sent meanwhile is less than the system keeps
// for a client that takes nothing.
type handshakeTurn struct {
	*fairshare.Turns
	conn context.Context // ends with the connection
	slot *connSlot
	has  bool
}

// begin waits for the turn. It fails as a read does.
func (t *handshakeTurn) begin() error {
	networks := t.slot.networks
	if len(networks) == 0 { // a trusted proxy's
		networks = nobody
	}
	bounded, cancel := context.WithTimeout(t.conn, readHeaderTimeout)
	defer cancel()
	switch err := t.Enter(bounded, networks, false); {
	case err == nil:
		t.has = true
		return nil
	case t.conn.Err() != nil:
		return &net.OpError{Op: "read", Net: "tcp", Err: net.ErrClosed}
	default:
		return os.ErrDeadlineExceeded
	}
}

// end ends the turn, if there is one.
func (t *handshakeTurn) end() {
	if t != nil && t.has {
		t.has = false
		t.Leave()
	}
}
