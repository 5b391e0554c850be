//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// client sends requests over connections that stay open, as cheaply as it can:
// requests are bytes made ahead, replies are known by their length and status
// line.
type client struct {
	address string
	// request gives a connection its next request. The bytes are used before the
	// connection asks again.
	request func(connection int) []byte
	good    []byte // how a good reply begins
	size    int    // of a good reply
	// closes says that the server closes the connection after each reply.
	closes bool
	conns  []net.Conn
}

// replyTime is how long a reply may take.
const replyTime = 30 * time.Second

// connect makes a client. It asks once to learn what a good reply is, which has to
// have the status 200.
func connect(address string, connections int, request func(connection int) []byte) (*client, error) {
	c := &client{address: address, request: request, conns: make([]net.Conn, connections)}
	raw, err := exchange(address, request(0))
	if err != nil {
		return nil, err
	}
	first, _, _ := strings.Cut(string(raw), "\r\n")
	if !strings.HasPrefix(first, "HTTP/1.1 200 ") {
		return nil, fmt.Errorf("the first reply is %q", first)
	}
	c.good, c.size = []byte(first+"\r\n"), len(raw)
	head, _, _ := bytes.Cut(raw, []byte("\r\n\r\n"))
	c.closes = bytes.Contains(bytes.ToLower(head), []byte("\r\nconnection: close"))
	return c, nil
}

// close closes the connections.
func (c *client) close() {
	for _, conn := range c.conns {
		if conn != nil {
			_ = conn.Close() // nothing is lost
		}
	}
}

// tally is what came of a client's turn.
type tally struct {
	done, failed int64
	elapsed      time.Duration
}

// run sends requests for a while, on all connections at once.
func (c *client) run(ctx context.Context, turn time.Duration) (tally, error) {
	var (
		over  atomic.Bool
		sum   tally
		mu    sync.Mutex
		errs  []error
		group sync.WaitGroup
	)
	began := time.Now()
	timer := time.AfterFunc(turn, func() { over.Store(true) })
	defer timer.Stop()
	for i := range c.conns {
		group.Go(func() {
			done, failed, err := c.drive(ctx, i, &over)
			mu.Lock()
			defer mu.Unlock()
			sum.done += done
			sum.failed += failed
			errs = append(errs, err)
		})
	}
	group.Wait()
	sum.elapsed = time.Since(began)
	return sum, errors.Join(errs...)
}

// drive keeps one connection busy.
func (c *client) drive(ctx context.Context, i int, over *atomic.Bool) (done, failed int64, err error) {
	reply := make([]byte, c.size)
	for !over.Load() && ctx.Err() == nil {
		if c.conns[i] == nil {
			if c.conns[i], err = net.Dial("tcp", c.address); err != nil {
				return done, failed, err
			}
		}
		if done&1023 == 0 || c.closes {
			if err := c.conns[i].SetDeadline(time.Now().Add(replyTime)); err != nil {
				return done, failed, err
			}
		}
		ok := c.ask(c.conns[i], c.request(i), reply)
		if ok {
			done++
		} else {
			failed++
		}
		if !ok || c.closes {
			_ = c.conns[i].Close() // nothing is lost
			c.conns[i] = nil
		}
	}
	return done, failed, ctx.Err()
}

// ask sends one request and tells whether the reply is good.
func (c *client) ask(conn net.Conn, request, reply []byte) bool {
	if _, err := conn.Write(request); err != nil {
		return false
	}
	for n := 0; n < len(reply); {
		got, err := conn.Read(reply[n:])
		n += got
		if n >= len(c.good) && !bytes.HasPrefix(reply[:n], c.good) || err != nil && n < len(reply) {
			return false
		}
	}
	return true
}

// exchange sends a request on a connection of its own and gives the whole reply
// as it came.
func exchange(address string, request []byte) ([]byte, error) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(replyTime)); err != nil {
		return nil, err
	}
	if _, err := conn.Write(request); err != nil {
		return nil, err
	}
	return readReply(conn)
}

// readReply reads a reply that has a Content-Length, or none and no body.
func readReply(r io.Reader) ([]byte, error) {
	raw := make([]byte, 0, 4096)
	for {
		head, body, whole := bytes.Cut(raw, []byte("\r\n\r\n"))
		if whole && len(body) >= contentLength(head) {
			return raw, nil
		}
		if len(raw) == cap(raw) {
			return nil, errors.New("the reply is too long")
		}
		n, err := r.Read(raw[len(raw):cap(raw)])
		raw = raw[:len(raw)+n]
		if err != nil {
			return nil, fmt.Errorf("reply of %d bytes: %w", len(raw), err)
		}
	}
}

// contentLength is the length of a body, by the head before it.
func contentLength(head []byte) (n int) {
	for row := range strings.SplitSeq(string(head), "\r\n") {
		if name, value, _ := strings.Cut(row, ":"); strings.EqualFold(name, "Content-Length") {
			_, _ = fmt.Sscan(value, &n) // 0 where it is no number
		}
	}
	return n
}

// get is a GET request as old clients send it.
func get(address, path, token string) []byte {
	return []byte("GET " + path + " HTTP/1.1\r\nHost: " + address +
		"\r\nUser-Agent: bench\r\nAccept: */*\r\nAuthorization: Token " + token + "\r\n\r\n")
}

// post is a POST request with a JSON body, and a token if it is not empty.
func post(address, path, token, body string) []byte {
	head := "POST " + path + " HTTP/1.1\r\nHost: " + address + "\r\nUser-Agent: bench\r\nAccept: */*\r\n"
	if token != "" {
		head += "Authorization: Token " + token + "\r\n"
	}
	return fmt.Appendf(nil, "%sContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", head, len(body), body)
}
