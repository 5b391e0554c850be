package httpserver

import (
	"context"
	"net"
	"sync/atomic"
	"time"

	"github.com/authcompat/authcompat/core/clients"
)

// departureInterval is how often a connection is checked for a reset, while a request waits.
const departureInterval = 100 * time.Millisecond

// connKey is the key of a connection in the contexts of its requests.
type connKey struct{}

// withConn is the ConnContext of a server.
func withConn(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, c)
}

// connOf returns the connection of the request that a context is of; nil if it is of another kind.
func connOf(ctx context.Context) *clientConn {
	conn, _ := ctx.Value(connKey{}).(*clientConn)
	return conn
}

// requestContext is the context of a request, which ends when the client resets the
// connection, or when it is closed here. That of net/http ends at the end of the input
// too: but a client that shuts its sending side still waits for the response.
type requestContext struct {
	context.Context                 // of net/http
	request         clients.Request // whose context it is; nil: unknown
	// watched is what Done and all contexts derived from this one rely on. Most requests
	// need none.
	watched atomic.Pointer[watchedContext]
}

// watchedContext ends once a client is known to be gone.
type watchedContext struct {
	context.Context
	cancel context.CancelFunc
	stop   func() bool // ends the watch before it begins
}

// Err implements context.Context.
func (c *requestContext) Err() error {
	if w := c.watched.Load(); w != nil {
		return w.Err()
	}
	err := c.Context.Err()
	if err != nil && !c.departed() {
		return nil
	}
	return err
}

// Done implements context.Context.
func (c *requestContext) Done() <-chan struct{} { return c.watch().Done() }

// Value implements context.Context. Once there is a watched context it answers, since
// contexts are derived from what it knows about itself.
func (c *requestContext) Value(key any) any {
	if c.request != nil && clients.IsKey(key) {
		return c.request
	}
	if w := c.watched.Load(); w != nil {
		return w.Value(key)
	}
	return c.Context.Value(key)
}

// end releases what the context holds, when the request is done.
func (c *requestContext) end() {
	if w := c.watched.Load(); w != nil {
		w.stop()
		w.cancel()
	}
}

// watch starts to watch the connection. Where a reset can be told from the end of the input,
// net/http is not relied on: it would read one byte behind a request at most, and notice
// nothing after that (net/http/server.go of Go 1.26, connReader). clientConn.Read spares it that.
func (c *requestContext) watch() *watchedContext {
	if w := c.watched.Load(); w != nil {
		return w
	}
	w := &watchedContext{}
	w.Context, w.cancel = context.WithCancel(context.WithoutCancel(c.Context))
	look := func() {
		ticker := time.NewTicker(departureInterval)
		defer ticker.Stop()
		for !c.departed() {
			select {
			case <-ticker.C:
			case <-w.Done():
				return
			}
		}
		w.cancel()
	}
	if tellsResets && c.tcp() != nil {
		w.stop = time.AfterFunc(departureInterval, look).Stop
	} else {
		w.stop = context.AfterFunc(c.Context, look)
	}
	if !c.watched.CompareAndSwap(nil, w) {
		w.stop()
		w.cancel()
	}
	return c.watched.Load()
}

// departed reports whether the client can't receive anything any more.
func (c *requestContext) departed() bool {
	tcp := c.tcp()
	return tcp == nil || closed(tcp)
}

// tcp returns the connection of the system; nil if it is of another kind.
func (c *requestContext) tcp() *net.TCPConn {
	if conn := connOf(c.Context); conn != nil {
		return conn.tcp()
	}
	return nil
}
