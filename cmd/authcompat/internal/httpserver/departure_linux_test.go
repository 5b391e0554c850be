package httpserver

import (
	"bufio"
	"context"
	"io"
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
// answered: net/http takes them for gone, but they wait for the answer.
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
			arrived := make(chan struct{})
			address := mustServe(t, new(counted), func(w http.ResponseWriter, r *http.Request) {
				close(arrived)
				of := r.Context().(*requestContext).Context // net/http's own
				<-of.Done()
				if err := ended(r.Context()); err != nil {
					http.Error(w, err.Error(), http.StatusServiceUnavailable)
				}
			})
			c := mustDial(t, address, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
			<-arrived
			if err := c.CloseWrite(); err != nil {
				t.Fatal(err)
			}
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
