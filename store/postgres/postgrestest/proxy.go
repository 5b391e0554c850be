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

// The actions.
const (
	// Pass hands the request on, and the answer back.
	Pass Action = iota
	// CutBefore closes the connection without handing the request on.
	CutBefore
	// CutAfter hands the request on, and closes the connection when the server
	// has answered, without handing the answer back.
	CutAfter
	// CutSent hands the request on and closes the connection at once.
	CutSent
	// Silence keeps the connection open and hands nothing on any more.
	Silence
)

// Proxy stands between clients and a server, as a network that fails at chosen
// moments. Its clients don't encrypt and need no password.
type Proxy struct {
	listener net.Listener
	target   string

	mu    sync.Mutex
	judge func(request string) Action
	open  map[net.Conn]struct{}
}

// NewSharedProxy puts a proxy before the database that the tests of the process
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

// Judge sets what becomes of each request from now on; nil passes all. A request
// is told by its statement. Requests of many connections may be judged at once.
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

// keep notes a connection, for Break.
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

// connecting is how a Judge is told of a new connection.
const connecting = "connect"

// serve hands requests on, one after the other, until either side ends.
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

// relay does with a request what the judge says.
func (p *Proxy) relay(text string, request []byte, client, server net.Conn, fromServer *bufio.Reader) error {
	action := p.ask(text)
	switch action {
	case CutBefore:
		return errCut
	case Silence:
		_, _ = io.Copy(io.Discard, client) // until it gives up
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

// readRequest reads what a client sends before it waits for an answer, and the
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

// readMessage reads a message whole, its kind and length included.
func readMessage(r *bufio.Reader) (kind byte, message []byte, err error) {
	if kind, err = r.ReadByte(); err != nil {
		return 0, nil, err
	}
	body, err := readBody(r)
	return kind, append([]byte{kind}, body...), err
}

// readBody reads a message that has no kind, its length included.
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
