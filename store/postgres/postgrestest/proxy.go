package postgrestest

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
)

// Action is what a Proxy does with a request.
type Action int

// Actions for a request.
const (
	// Pass forwards the request, and the answer.
	Pass Action = iota
	// CutBefore closes the connection without forwarding the request.
	CutBefore
	// CutAfter forwards the request, and closes the connection when the server has
	// answered, without forwarding the answer.
	CutAfter
	// CutSent forwards the request and closes the connection at once.
	CutSent
	// Silence keeps the connection open and forwards nothing more.
	Silence
)

// Proxy acts as a network between clients and a server that fails at chosen moments.
// Its clients use neither encryption nor a password.
type Proxy struct {
	listener net.Listener
	target   string

	mu    sync.Mutex
	judge func(request string) Action
	open  map[net.Conn]struct{}
}

// NewSharedProxy starts a proxy in front of the database that the process's tests
// share, and returns its URL for a DSN of that database.
func NewSharedProxy(tb testing.TB, dsn string) (*Proxy, string) {
	tb.Helper()
	address := host(tb, dsn)
	p := newProxy(tb, address)
	return p, withHost(tb, dsn, p.listener.Addr().String())
}

func newProxy(tb testing.TB, target string) *Proxy {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	p := &Proxy{listener: l, target: target, open: make(map[net.Conn]struct{})}
	tb.Cleanup(func() {
		l.Close()
		p.Break()
	})
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return // the test is over
			}
			go p.serve(client)
		}
	}()
	return p
}

// Judge sets the function that decides about each request from now on; nil passes all.
// A request is identified by its statement. judge may be called concurrently for
// requests of different connections.
func (p *Proxy) Judge(judge func(request string) Action) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.judge = judge
}

// Break closes all connections.
func (p *Proxy) Break() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for conn := range p.open {
		conn.Close()
	}
}

// keep registers a connection for Break.
func (p *Proxy) keep(conn net.Conn) (forget func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open[conn] = struct{}{}
	return func() {
		conn.Close()
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.open, conn)
	}
}

func (p *Proxy) ask(request string) Action {
	p.mu.Lock()
	judge := p.judge
	p.mu.Unlock()
	if judge == nil {
		return Pass
	}
	return judge(request)
}

// connecting is the request that stands for a new connection.
const connecting = "connect"

// serve forwards requests, one after the other, until either side closes.
func (p *Proxy) serve(client net.Conn) {
	defer p.keep(client)()
	server, err := net.Dial("tcp", p.target)
	if err != nil {
		return
	}
	defer p.keep(server)()
	fromClient, fromServer := bufio.NewReader(client), bufio.NewReader(server)
	first, err := readBody(fromClient)
	if err != nil {
		return
	}
	if p.relay(connecting, first, client, server, fromServer) != nil {
		return
	}
	for {
		text, request, err := readRequest(fromClient)
		if err != nil {
			return
		}
		if p.relay(text, request, client, server, fromServer) != nil {
			return
		}
	}
}

var errCut = errors.New("cut")

// relay handles a request as the judge decides.
func (p *Proxy) relay(text string, request []byte, client, server net.Conn, fromServer *bufio.Reader) error {
	action := p.ask(text)
	switch action {
	case CutBefore:
		return errCut
	case Silence:
		_, _ = io.Copy(io.Discard, client) // until the client gives up
		return errCut
	}
	if _, err := server.Write(request); err != nil {
		return err
	}
	if action == CutSent {
		return errCut
	}
	answer, err := readAnswer(fromServer)
	if err != nil || action == CutAfter {
		return errors.Join(err, errCut)
	}
	_, err = client.Write(answer)
	return err
}

// readRequest reads what a client sends before it waits for an answer, and returns the
// statement in it (https://www.postgresql.org/docs/15/protocol-message-formats.html).
func readRequest(r *bufio.Reader) (text string, request []byte, err error) {
	for {
		kind, message, err := readMessage(r)
		if err != nil {
			return "", nil, err
		}
		request = append(request, message...)
		body := message[5:]
		switch kind {
		case 'P': // Parse: a name, then the statement
			_, body, _ = bytes.Cut(body, []byte{0})
			fallthrough
		case 'Q':
			statement, _, _ := bytes.Cut(body, []byte{0})
			text = string(statement)
		}
		if kind == 'Q' || kind == 'S' {
			return text, request, nil
		}
	}
}

// readAnswer reads what a server sends until it is ready for the next request.
func readAnswer(r *bufio.Reader) (answer []byte, err error) {
	for {
		kind, message, err := readMessage(r)
		if err != nil {
			return nil, err
		}
		if answer = append(answer, message...); kind == 'Z' {
			return answer, nil
		}
	}
}

// readMessage reads a whole message, including its kind and length.
func readMessage(r *bufio.Reader) (kind byte, message []byte, err error) {
	if kind, err = r.ReadByte(); err != nil {
		return 0, nil, err
	}
	body, err := readBody(r)
	return kind, append([]byte{kind}, body...), err
}

// readBody reads a message without a kind, including its length.
func readBody(r *bufio.Reader) ([]byte, error) {
	var length [4]byte
	if _, err := io.ReadFull(r, length[:]); err != nil {
		return nil, err
	}
	body := make([]byte, binary.BigEndian.Uint32(length[:]))
	copy(body, length[:])
	_, err := io.ReadFull(r, body[4:])
	return body, err
}
