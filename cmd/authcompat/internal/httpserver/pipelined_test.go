package httpserver

import (
	"bufio"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
)

// TestPipelinedRequestsTakeTurns has a client send requests without waiting for replies, beside work
// that needs the processor, such as hashing: that gets its turn after each of them, and not after as many as
// were read at once.
func TestPipelinedRequestsTakeTurns(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	const requests, most = 90, 4
	var served atomic.Int64
	address := mustServe(t, new(counted), func(http.ResponseWriter, *http.Request) { served.Add(1) })
	c := mustDial(t, address, "")
	stop, longest := make(chan struct{}), make(chan int64)
	go func() {
		var before, run int64
		for {
			select {
			case <-stop:
				longest <- run
				return
			default:
			}
			now := served.Load()
			before, run = now, max(run, now-before)
			runtime.Gosched()
		}
	}()
	if _, err := io.WriteString(c, strings.Repeat("GET / HTTP/1.1\r\nHost: x\r\n\r\n", requests)); err != nil {
		t.Fatal(err)
	}
	replies := bufio.NewReader(c)
	for range requests {
		reply, err := http.ReadResponse(replies, nil)
		if err != nil || reply.StatusCode != http.StatusOK {
			t.Fatal(reply, err)
		}
		if _, err := io.Copy(io.Discard, reply.Body); err != nil {
			t.Fatal(err)
		}
	}
	close(stop)
	if got := <-longest; got > most {
		t.Errorf("%d requests were answered in one turn", got)
	}
}
