package httpserver

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"testing"
	"time"
)

// tickPair returns a connection of a tickListener, and its other end.
func tickPair(t *testing.T) (l *tickListener, server, client net.Conn) {
	t.Helper()
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l = newTickListener(inner, 5*time.Millisecond, newConnLimits(newFileShare(slog.New(slog.DiscardHandler)), 16, 16, nil), func(net.Addr) {})
	t.Cleanup(func() { l.Close() })
	if client, err = net.Dial("tcp", inner.Addr().String()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	if server, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	return l, server, client
}

// readByte reads one byte and returns the error.
func readByte(c net.Conn) error {
	_, err := io.ReadFull(c, make([]byte, 1))
	return err
}

func TestTickDeadlineEndsARead(t *testing.T) {
	_, server, _ := tickPair(t)
	began := time.Now()
	const wait = 30 * time.Millisecond
	if err := server.SetReadDeadline(began.Add(wait)); err != nil {
		t.Fatal(err)
	}
	if err := readByte(server); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("read: %v", err)
	}
	if took := time.Since(began); took < wait {
		t.Errorf("ended after %v", took)
	}
	// A new deadline does not inherit the old one, which has passed.
	if err := server.SetReadDeadline(time.Now().Add(wait)); err != nil {
		t.Fatal(err)
	}
	if err := readByte(server); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("read: %v", err)
	}
}

// TestTickDeadlineEndsAWrite writes to a peer that does not read.
func TestTickDeadlineEndsAWrite(t *testing.T) {
	_, server, _ := tickPair(t)
	if err := server.SetDeadline(time.Now().Add(30 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := server.Write(make([]byte, 1<<20)); err != nil {
			if !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("write: %v", err)
			}
			return
		}
	}
}

// TestTickDeadlineInThePast interrupts a read as net/http does, and then continues reading.
func TestTickDeadlineInThePast(t *testing.T) {
	_, server, client := tickPair(t)
	reading := make(chan error)
	go func() { reading <- readByte(server) }()
	if err := server.SetReadDeadline(time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	if err := <-reading; !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("read: %v", err)
	}
	if err := server.SetReadDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if err := readByte(server); err != nil {
		t.Errorf("read after the interruption: %v", err)
	}
}

// TestTickListenerEnds checks that closed connections are forgotten.
func TestTickListenerEnds(t *testing.T) {
	l, server, _ := tickPair(t)
	if !l.expire() {
		t.Error("an open listener has nothing to look at")
	}
	l.Close()
	if !l.expire() {
		t.Error("an open connection is not looked at")
	}
	server.Close()
	if l.expire() {
		t.Error("a closed connection is kept")
	}
}
