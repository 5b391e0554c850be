package front

import (
	"bytes"
	"net"
	"testing"
	"testing/synctest"
)

// TestHeadsWaitForTheLastAnswer sends a request only once net/http waits for more than it has read: else it would
// take what is left of the answer before for the one to this request.
func TestHeadsWaitForTheLastAnswer(t *testing.T) {
	for _, closed := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			ours, application := net.Pipe()
			defer application.Close()
			x := &exchange{target: "/x"}
			c := &upstreamConn{Conn: ours}
			c.begin(x)
			failed := make(chan error, 1)
			go func() {
				_, err := c.Write([]byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"))
				failed <- err
			}()
			got := make(chan []byte, 1)
			go func() {
				head := make([]byte, 100)
				n, _ := application.Read(head)
				got <- head[:n]
			}()
			synctest.Wait()
			if len(got) > 0 || x.sent.Load() {
				t.Errorf("%q is sent while something is left", <-got)
				return
			}
			if closed { // since what was left has been found
				_ = c.Close()
				if err := <-failed; err == nil || x.sent.Load() {
					t.Errorf("a request is sent on a closed connection, %v", err)
				}
				return
			}
			go func() { _, _ = c.Read(make([]byte, 1)) }()
			if err := <-failed; err != nil || !x.sent.Load() || !bytes.HasPrefix(<-got, []byte("GET /x HTTP/1.1\r\n")) {
				t.Errorf("not sent when nothing is left, %v", err)
			}
			_ = c.Close()
		})
	}
}
