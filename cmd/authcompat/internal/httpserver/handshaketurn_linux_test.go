package httpserver

import (
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"net/http/httptest"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core/fairshare"
)

// shakingListener performs the handshakes of all clients, one at a time.
type shakingListener struct {
	*tickListener
	ended chan struct{} // a connection is over
}

// mustShakeHands opens a shakingListener.
func mustShakeHands(t *testing.T) shakingListener {
	t.Helper()
	example := httptest.NewTLSServer(nil) // for its certificate
	example.Close()
	certificate := &Certificate{}
	certificate.current.Store(&loadedPair{pair: example.TLS.Certificates[0]})
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	ticks := newTickListener(tcp, deadlineTick, newConnLimits(newFileShare(log), 9999, 9999, nil), func(net.Addr) {})
	ticks.shaking = fairshare.NewTurns(1)
	all := &rejectionListener{tls.NewListener(ticks, certificate.config(func() TLSOptions { return TLSOptions{} })),
		&rejections{count: func(string) {}, log: log, logged: sampler{interval: time.Second}}, headLimits{DefaultMaxHeaderBytes, DefaultMaxHeaderFields}, false}
	l := shakingListener{ticks, make(chan struct{}, 9999)}
	var served sync.WaitGroup
	served.Go(func() {
		for {
			conn, err := all.Accept()
			if err != nil {
				return
			}
			served.Go(func() {
				defer conn.Close()
				_, _ = io.Copy(io.Discard, conn) // until the client is gone
				l.ended <- struct{}{}
			})
		}
	})
	t.Cleanup(func() {
		_ = all.Close()
		served.Wait()
	})
	return l
}

// dialFrom connects to a listener from an address, until the test ends.
func dialFrom(t *testing.T, l net.Listener, address string) net.Conn {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}}
	conn, err := d.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// secureClient is the client's end of a connection.
func secureClient(conn net.Conn) *tls.Conn {
	return tls.Client(conn, &tls.Config{InsecureSkipVerify: true}) //#nosec
}

// TestHandshakesTakeTurns has one network begin 300 handshakes before another begins one, which is
// done before half of them are.
func TestHandshakesTakeTurns(t *testing.T) {
	l := mustShakeHands(t)
	if err := l.shaking.Enter(t.Context(), nobody, false); err != nil { // nothing is computed yet
		t.Fatal(err)
	}
	const flood = 300
	var done atomic.Int64
	var begun, ended sync.WaitGroup
	for range flood {
		conn := begin{dialFrom(t, l, "127.1.0.1"), &begun}
		begun.Add(1)
		ended.Go(func() {
			if err := secureClient(&conn).HandshakeContext(t.Context()); err != nil {
				t.Error(err)
			}
			done.Add(1)
		})
	}
	begun.Wait()
	began := make(chan struct{})
	go func() {
		<-began
		l.shaking.Leave()
	}()
	begun.Add(1)
	other := begin{dialFrom(t, l, "127.2.0.1"), &begun}
	go func() { begun.Wait(); close(began) }()
	if err := secureClient(&other).HandshakeContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := done.Load(); n > flood/2 {
		t.Errorf("%d handshakes of a network were done before the one of another", n)
	}
	ended.Wait()
}

// begin is a connection of a client that tells when it has sent something.
type begin struct {
	net.Conn
	begun *sync.WaitGroup
}

func (b *begin) Write(p []byte) (int, error) {
	n, err := b.Conn.Write(p)
	if b.begun != nil {
		b.begun.Done()
		b.begun = nil
	}
	return n, err
}

// TestHandshakesThatStop has clients stop in each part of a handshake, while the
// connection is open: others go on.
func TestHandshakesThatStop(t *testing.T) {
	l := mustShakeHands(t)
	hello := recordedHello(t)
	for _, sent := range [][]byte{hello[:1], hello[:100], hello, append(hello[:len(hello):len(hello)], record([]byte{1})...)} {
		conn := dialFrom(t, l, "127.1.0.1")
		if _, err := conn.Write(sent); err != nil {
			t.Fatal(err)
		}
		if err := secureClient(dialFrom(t, l, "127.1.0.1")).HandshakeContext(t.Context()); err != nil {
			t.Errorf("after %d bytes: %v", len(sent), err)
		}
	}
}

// TestAHandshakeThatWaitsEndsWithItsConnection closes a connection whose handshake waits for its turn, as is done
// to make room: it takes no memory any more, though it does not get a turn.
func TestAHandshakeThatWaitsEndsWithItsConnection(t *testing.T) {
	l := mustShakeHands(t)
	if err := l.shaking.Enter(t.Context(), nobody, false); err != nil {
		t.Fatal(err)
	}
	conn := dialFrom(t, l, "127.1.0.1")
	if _, err := conn.Write(recordedHello(t)); err != nil {
		t.Fatal(err)
	}
	var accepted *tickConn
	for accepted == nil {
		runtime.Gosched()
		l.mu.Lock()
		for c := range l.conns {
			accepted = c
		}
		l.mu.Unlock()
	}
	if err := accepted.Close(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-l.ended:
	case <-time.After(readHeaderTimeout / 2):
		t.Error("it still waits")
	}
	l.shaking.Leave()
	if err := secureClient(dialFrom(t, l, "127.1.0.1")).HandshakeContext(t.Context()); err != nil {
		t.Error(err)
	}
}

// recordedHello returns a ClientHello.
func recordedHello(t *testing.T) []byte {
	t.Helper()
	here, there := net.Pipe()
	defer there.Close()
	go func() { _ = secureClient(here).HandshakeContext(t.Context()) }() // nobody answers
	hello := make([]byte, 9000)
	n, err := there.Read(hello)
	if err != nil {
		t.Fatal(err)
	}
	return hello[:n]
}
