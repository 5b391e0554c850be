package httpserver

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"testing"
	"time"
)

// mustTick serves a handler, and returns the listener whose ticks pass.
func mustTick(t *testing.T, handler http.HandlerFunc) *tickListener {
	t.Helper()
	return mustListen(t, new(counted), handler).(*rejectionListener).Listener.(*tickListener)
}

// pass has as many ticks pass as there are in so long.
func (l *tickListener) pass(d time.Duration) {
	l.ticks.Add(int64(d / l.tick))
	l.expire()
}

// await waits until the only connection has about so long left, in one direction.
func (l *tickListener) await(t *testing.T, left time.Duration, of func(*tickConn) *tickDeadline) {
	t.Helper()
	for began := time.Now(); ; time.Sleep(time.Millisecond) {
		l.mu.Lock()
		var has time.Duration
		for c := range l.conns {
			d := of(c)
			d.mu.Lock()
			if d.there && d.last > 0 {
				has = time.Duration(d.last-l.ticks.Load()) * l.tick
			}
			d.mu.Unlock()
		}
		l.mu.Unlock()
		if has > left-2*time.Second && has <= left+2*l.tick {
			return
		}
		if time.Since(began) > 20*time.Second {
			t.Fatalf("a connection has %v left, want %v", has, left)
		}
	}
}

func reading(c *tickConn) *tickDeadline { return &c.read }
func writing(c *tickConn) *tickDeadline { return &c.write }

// TestDeadlinesOfAConnection has ticks pass at each stage of a connection: most of the time that it has, after which it is answered
// all the same, and all of it.
func TestDeadlinesOfAConnection(t *testing.T) {
	const request, begin, end = "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "GET / HTTP/1.1\r\nHo", "st: x\r\n\r\n"
	for name, test := range map[string]struct {
		before     string // requests that are answered
		sent, rest string // the beginning of the next one, and the rest of it
		time       time.Duration
		answer     int
	}{
		"nothing":                          {"", "", request, readHeaderTimeout, 200},
		"a part of the first head":         {"", begin, end, readHeaderTimeout, 200},
		"nothing after a request":          {request, "", request, idleTimeout, 200},
		"an empty line after a request":    {request, "\r\n", "\r\n" + request, idleTimeout, 400},
		"a part of a head after a request": {request, begin, end, readHeaderTimeout, 200},
		"a part of a head after two":       {request + request, begin, end, readHeaderTimeout, 200},
	} {
		for over, d := range map[bool]time.Duration{false: test.time / 2, true: test.time + 3*deadlineTick} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				l := mustTick(t, answerOK)
				c := mustDial(t, l.Addr().String(), test.before)
				replies := bufio.NewReader(c)
				for range len(test.before) / len(request) {
					mustReply(t, replies)
				}
				if _, err := io.WriteString(c, test.sent); err != nil {
					t.Fatal(err)
				}
				if test.sent != "" {
					l.await(t, writeTimeout, writing) // which it has as soon as that is read
				}
				l.await(t, test.time, reading)
				l.pass(d)
				if over {
					// As an end, or by net/http's answer to what is no request.
					if reply, err := http.ReadResponse(replies, nil); errors.Is(err, os.ErrDeadlineExceeded) || err == nil && !reply.Close {
						t.Errorf("after %v: %v, %v", d, reply, err)
					}
					return
				}
				if _, err := io.WriteString(c, test.rest); err != nil {
					t.Fatal(err)
				}
				if reply, err := http.ReadResponse(replies, nil); err != nil || reply.StatusCode != test.answer {
					t.Errorf("after %v: %v, %v", d, reply, err)
				}
			})
		}
	}
}

func mustReply(t *testing.T, replies *bufio.Reader) {
	t.Helper()
	reply, err := http.ReadResponse(replies, nil)
	if err != nil || reply.StatusCode != http.StatusOK {
		t.Fatal(reply, err)
	}
	if _, err := io.Copy(io.Discard, reply.Body); err != nil {
		t.Fatal(err)
	}
}

// TestDeadlinesOfReplies has clients that read nothing: what is written to them, by a handler or by net/http, ends with the time that there
// is for a reply, and no earlier.
func TestDeadlinesOfReplies(t *testing.T) {
	t.Parallel()
	failed := make(chan error)
	l := mustTick(t, func(w http.ResponseWriter, _ *http.Request) {
		for {
			if _, err := w.Write(make([]byte, 1<<20)); err != nil {
				failed <- err
				return
			}
		}
	})
	mustDial(t, l.Addr().String(), "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	l.await(t, writeTimeout, writing)
	l.pass(writeTimeout / 2)
	select {
	case err := <-failed:
		t.Error("after half of the time:", err)
	default:
	}
	l.pass(writeTimeout)
	if err := <-failed; !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error(err)
	}
}

// TestDeadlinesOfRefusals has a client send what is no request: net/http's reply has a deadline, too.
func TestDeadlinesOfRefusals(t *testing.T) {
	t.Parallel()
	l := mustTick(t, answerOK)
	accepted := make(chan struct{})
	conn, server := net.Pipe() // nothing is written before it is read
	defer conn.Close()
	c := &tickConn{Conn: server, listener: l}
	c.read, c.write = tickDeadline{listener: l, apply: server.SetReadDeadline}, tickDeadline{listener: l, apply: server.SetWriteDeadline}
	client := &clientConn{Conn: c, below: c, max: headLimits{1 << 10, 10}}
	go func() {
		defer close(accepted)
		_, _ = io.WriteString(conn, "no request")
	}()
	if n, err := client.Read(make([]byte, 64)); n == 0 || err != nil {
		t.Fatal(n, err)
	}
	<-accepted
	if !c.write.there || c.write.last == 0 {
		t.Error("a reply may take for ever")
	}
}

// TestTicksOfAStoppedProcess has a deadline in ticks: it does not pass with a clock that jumps, as when a process is stopped for a while.
func TestTicksOfAStoppedProcess(t *testing.T) {
	l, server, client := tickPair(t)
	c := server.(*tickConn)
	c.read.within(time.Hour)
	l.now.Add(int64(2 * time.Hour))
	l.expire()
	if _, err := io.WriteString(client, "x"); err != nil {
		t.Fatal(err)
	}
	if err := readByte(server); err != nil {
		t.Error("before the deadline:", err)
	}
	l.pass(2 * time.Hour)
	if err := readByte(server); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("after it:", err)
	}
	c.read.within(time.Hour)
	if _, err := io.WriteString(client, "x"); err != nil {
		t.Fatal(err)
	}
	if err := readByte(server); err != nil {
		t.Error("with another deadline:", err)
	}
}

// TestDeadlineOfARefusedBody has a handler answer before it has read the body, as for an application that has answered early: the deadline that it
// has set for the rest holds, also if another goroutine still reads, which net/http interrupts. Then the connection is closed: what comes of the
// body later is no request.
func TestDeadlineOfARefusedBody(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		still bool
		left  time.Duration
	}{"nobody reads": {false, time.Second}, "it is being read": {true, time.Second}, "it is being read, and too late": {true, time.Nanosecond}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			requests := make(chan string, 2)
			l := mustTick(t, func(w http.ResponseWriter, r *http.Request) {
				requests <- r.Method
				c := http.NewResponseController(w)
				if err := c.EnableFullDuplex(); err != nil {
					t.Error(err)
				}
				if test.still {
					reading := make(chan struct{})
					go func() {
						b := make([]byte, 16)
						_, _ = io.ReadFull(r.Body, b[:1])
						close(reading)
						_, _ = r.Body.Read(b)
					}()
					<-reading
				}
				if err := c.SetReadDeadline(time.Now().Add(test.left)); err != nil {
					t.Error(err)
				}
			})
			c := mustDial(t, l.Addr().String(), "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nx")
			replies := bufio.NewReader(c)
			mustReply(t, replies)
			if b, err := replies.ReadByte(); err != io.EOF {
				_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
				t.Errorf("the connection goes on: %q, %v", b, err)
				mustReply(t, replies)
			}
			if len(requests) != 1 {
				t.Errorf("%d requests", len(requests))
			}
		})
	}
}
