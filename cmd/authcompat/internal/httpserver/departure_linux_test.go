package httpserver

import (
	"bufio"
	"cmp"
	"context"
	"io"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestHungUp checks that a signal during poll ends no connection: the runtime sends some to
// its own threads.
func TestHungUp(t *testing.T) {
	for name, test := range map[string]struct {
		answers []error
		revents int16
		want    bool
	}{
		"open":                   {[]error{nil}, 0, false},
		"reset":                  {[]error{nil}, unix.POLLHUP, true},
		"interrupted":            {[]error{unix.EINTR, unix.EINTR, nil}, 0, false},
		"interrupted, and reset": {[]error{unix.EINTR, nil}, unix.POLLHUP | unix.POLLERR, true},
		"no memory":              {[]error{unix.ENOMEM}, unix.POLLHUP, false},
	} {
		calls := 0
		got := hungUp(3, func(state []unix.PollFd, _ int) (int, error) {
			err := test.answers[calls]
			calls++
			state[0].Revents = test.revents
			return 1, err
		})
		if got != test.want || calls != len(test.answers) {
			t.Errorf("%s: %v after %d calls", name, got, calls)
		}
	}
}

// TestHalfClosedWaits has clients shut their sending side behind a request, while it is being
// answered: they wait for the answer. net/http takes them for gone as soon as it looks behind the
// request, which it does not where resets can be told.
func TestHalfClosedWaits(t *testing.T) {
	for name, ended := range map[string]func(ctx context.Context) error{
		"a look at the context": func(ctx context.Context) error { return ctx.Err() },
		"a wait in a queue": func(ctx context.Context) error {
			select {
			case <-ctx.Done():
				return context.Cause(ctx)
			case <-time.After(5 * departureInterval):
				return nil
			}
		},
		"a derived context": func(ctx context.Context) error {
			derived, cancel := context.WithTimeout(ctx, time.Hour)
			defer cancel()
			return derived.Err()
		},
	} {
		t.Run(name, func(t *testing.T) {
			arrived, shut := make(chan struct{}), make(chan struct{})
			address := mustServe(t, new(counted), func(w http.ResponseWriter, r *http.Request) {
				close(arrived)
				<-shut
				own, cancel := context.WithCancel(r.Context().(*requestContext).Context) // as if net/http had looked
				cancel()
				ctx := &requestContext{Context: own}
				defer ctx.end()
				if err := cmp.Or(ended(r.Context()), ended(ctx)); err != nil {
					http.Error(w, err.Error(), http.StatusServiceUnavailable)
				}
			})
			c := mustDial(t, address, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
			<-arrived
			if err := c.CloseWrite(); err != nil {
				t.Fatal(err)
			}
			close(shut)
			reply, err := http.ReadResponse(bufio.NewReader(c), nil)
			if err != nil {
				t.Fatal(err)
			}
			if text, err := io.ReadAll(reply.Body); err != nil || reply.StatusCode != http.StatusOK {
				t.Errorf("status %d, %q, %v", reply.StatusCode, text, err)
			}
		})
	}
}

// TestResetEndsAWait has clients reset their connection while a request waits, with and
// without a part of another request behind it, of which net/http reads one byte and then
// nothing more.
func TestResetEndsAWait(t *testing.T) {
	for name, behind := range map[string]string{"nothing behind it": "", "a byte behind it": "G", "a request behind it": "GET / HTTP/1.1\r\nHost: x\r\n\r\n"} {
		for kind, head := range map[string]string{"no body": "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "a body": "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody"} {
			t.Run(kind+", "+name, func(t *testing.T) {
				arrived, left := make(chan struct{}, 1), make(chan bool, 1)
				address := mustServe(t, new(counted), func(_ http.ResponseWriter, r *http.Request) {
					_, _ = io.Copy(io.Discard, r.Body)
					derived, cancel := context.WithTimeout(r.Context(), 20*departureInterval)
					defer cancel()
					arrived <- struct{}{}
					<-derived.Done()
					left <- r.Context().Err() != nil
				})
				c := mustDial(t, address, head+behind)
				<-arrived
				if err := c.SetLinger(0); err != nil {
					t.Fatal(err)
				}
				c.Close()
				if !<-left {
					t.Error("the request goes on waiting")
				}
			})
		}
	}
}

// TestNobodyLooksBehindARequest has requests on one connection: net/http reads nothing behind them while
// they are handled, which it would have to interrupt each time, and a request that comes early is not lost.
// Between requests there is a deadline again.
func TestNobodyLooksBehindARequest(t *testing.T) {
	const head = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"
	for name, request := range map[string]string{"no body": head, "a body": "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody"} {
		t.Run(name, func(t *testing.T) {
			var applied int
			var until []time.Duration // when reading had to end, by request
			arrived, behind := make(chan struct{}, 3), make(chan struct{})
			address := mustServe(t, new(counted), func(_ http.ResponseWriter, r *http.Request) {
				deadline := &connOf(r.Context()).below.read
				deadline.apply = func(time.Time) error { applied++; return nil }
				until = append(until, deadline.wanted)
				_, _ = io.Copy(io.Discard, r.Body)
				arrived <- struct{}{}
				<-behind
			})
			c := mustDial(t, address, request)
			<-arrived
			if _, err := io.WriteString(c, request+request); err != nil {
				t.Fatal(err)
			}
			close(behind)
			replies := bufio.NewReader(c)
			for range 3 {
				reply, err := http.ReadResponse(replies, nil)
				if err != nil || reply.StatusCode != http.StatusOK {
					t.Fatal(reply, err)
				}
			}
			if applied > 0 {
				t.Errorf("reading was interrupted, or let go on, %d times", applied)
			}
			for i := 1; i < len(until); i++ {
				if until[i] <= until[i-1] {
					t.Errorf("request %d has the deadline of the one before", i)
				}
			}
		})
	}
}

// TestDeadlinesOfBodies has a handler set a deadline for reading: it holds while there is a body to read.
func TestDeadlinesOfBodies(t *testing.T) {
	later := time.Now().Add(time.Hour)
	address := mustServe(t, new(counted), func(w http.ResponseWriter, r *http.Request) {
		set := func() time.Duration {
			if err := http.NewResponseController(w).SetReadDeadline(later); err != nil {
				t.Error(err)
			}
			later = later.Add(time.Hour)
			return connOf(r.Context()).below.read.wanted
		}
		first := set()
		if again := set(); again-first != time.Hour {
			t.Errorf("with a body to come, the deadline moved by %v", again-first)
		}
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, "ok")
	})
	c := mustDial(t, address, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody")
	if reply, err := http.ReadResponse(bufio.NewReader(c), nil); err != nil || reply.StatusCode != http.StatusOK {
		t.Error(reply, err)
	}
}

// TestNetContext has a handler without a requestContext wait for its client to leave.
func TestNetContext(t *testing.T) {
	arrived, left := make(chan struct{}), make(chan bool, 1)
	log := slog.New(slog.DiscardHandler)
	var servers Servers
	if err := servers.Listen("127.0.0.1:0", http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(arrived)
		select {
		case <-r.Context().Done():
			left <- true
		case <-time.After(readHeaderTimeout): // long after any departure is noticed
			left <- false
		}
	}), ListenOptions{Log: log, NetContext: true}); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- servers.Serve(ctx, log) }()
	c := mustDial(t, servers[0].Listener.Addr().String(), "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	<-arrived
	c.Close()
	if !<-left {
		t.Error("nobody notices that the client has left")
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
