package record

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/authcompat/authcompat/conformance/wire"
)

// A Proxy passes HTTP/1.1 requests on to one server and records them with the responses. Header lines
// go on as they came, both ways: with their order and spelling, which net/http's own proxy changes. Not
// passed on are the headers that are about a connection, Host, and Accept-Encoding, so that bodies come
// uncompressed. Whole bodies are held, of 8 MiB at most; connections that are upgraded are refused.
type Proxy struct {
	client    *wire.Client
	recording *Recording
	idle      time.Duration
	conns     sync.WaitGroup

	mu       sync.Mutex
	failures int
	problem  string
	active   map[net.Conn]bool // true: a request is under way
	closing  bool
}

const (
	maxRequestHead = 64 << 10
	maxRequestBody = 8 << 20
	idleTimeout    = 2 * time.Minute
)

// NewProxy returns a proxy to the server at a URL. A request with its response takes at most the
// timeout. The TLS settings may be nil for the defaults. The error is about the URL.
func NewProxy(upstream string, timeout time.Duration, settings *tls.Config, recording *Recording) (*Proxy, error) {
	client, err := wire.NewClient(upstream, timeout, settings)
	if err != nil {
		return nil, err
	}
	return &Proxy{client: client, recording: recording, idle: idleTimeout, active: map[net.Conn]bool{}}, nil
}

// Serve accepts connections until the context ends, and waits for the requests that are under way. The
// error is that of the listener.
func (p *Proxy) Serve(ctx context.Context, listener net.Listener) error {
	stop := context.AfterFunc(ctx, func() {
		listener.Close()
		p.closeIdle()
	})
	defer stop()
	for {
		conn, err := listener.Accept()
		if err != nil {
			p.conns.Wait()
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		p.conns.Go(func() {
			defer conn.Close()
			p.serve(context.WithoutCancel(ctx), conn)
		})
	}
}

// closeIdle closes the connections that wait for a request, now and later.
func (p *Proxy) closeIdle() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closing = true
	for conn, busy := range p.active {
		if !busy {
			conn.Close()
		}
	}
}

// set notes whether a request is under way on a connection. It reports whether the connection goes on.
func (p *Proxy) set(conn net.Conn, busy bool) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.active[conn] = busy
	return busy || !p.closing
}

// Failures returns how many requests could not be passed on, and why the last could not.
func (p *Proxy) Failures() (int, string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.failures, p.problem
}

func (p *Proxy) failed(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.failures++
	p.problem = err.Error()
}

func (p *Proxy) serve(ctx context.Context, conn net.Conn) {
	defer func() {
		p.mu.Lock()
		delete(p.active, conn)
		p.mu.Unlock()
	}()
	r := bufio.NewReaderSize(conn, maxRequestHead)
	for p.set(conn, false) {
		if conn.SetDeadline(time.Now().Add(p.idle)) != nil {
			return
		}
		head, err := peekHead(r)
		if err != nil {
			return
		}
		p.set(conn, true)
		if !p.one(ctx, conn, r, head) {
			return
		}
	}
}

// peekHead waits for the head of a request and returns its lines, without reading it.
func peekHead(r *bufio.Reader) (string, error) {
	for n := 1; ; n = r.Buffered() + 1 {
		if _, err := r.Peek(min(n, maxRequestHead)); err != nil {
			return "", err
		}
		buffered, err := r.Peek(r.Buffered())
		if err != nil {
			return "", err
		}
		if end := bytes.Index(buffered, []byte("\r\n\r\n")); end >= 0 {
			return string(buffered[:end]), nil
		}
		if len(buffered) == maxRequestHead {
			return "", errors.New("the head is too long")
		}
	}
}

// one passes one request on. It reports whether the connection can have another.
func (p *Proxy) one(ctx context.Context, conn net.Conn, r *bufio.Reader, head string) bool {
	// net/http decides what a request is and where it ends; its head is taken as it was sent.
	request, err := http.ReadRequest(r)
	if err != nil {
		p.failed(errors.New("a request that is not HTTP/1.1 was refused"))
		return answer(conn, http.MethodGet, http.StatusBadRequest, true, "the request is not HTTP/1.1")
	}
	if request.Header.Get("Upgrade") != "" || request.Method == http.MethodConnect {
		p.failed(errors.New("a connection that is upgraded can't be recorded"))
		return answer(conn, request.Method, http.StatusNotImplemented, true, "connections that are upgraded can't be recorded")
	}
	if strings.EqualFold(request.Header.Get("Expect"), "100-continue") {
		if _, err := io.WriteString(conn, "HTTP/1.1 100 Continue\r\n\r\n"); err != nil {
			return false
		}
	}
	body, err := io.ReadAll(http.MaxBytesReader(nil, request.Body, maxRequestBody))
	if err != nil {
		p.failed(fmt.Errorf("a request's body was not read: %w", err))
		return answer(conn, request.Method, http.StatusRequestEntityTooLarge, true, "the body did not come, or has over 8 MiB")
	}
	sent := wire.Request{Method: request.Method, Path: target(head), Headers: passedOn(headerLines(head)), Body: body}
	got, err := p.client.Do(ctx, sent)
	if err != nil {
		p.failed(err)
		return answer(conn, request.Method, http.StatusBadGateway, request.Close, "the recorded server: "+err.Error())
	}
	if got.Status > 599 {
		p.failed(fmt.Errorf("a response with the status %d is not recorded", got.Status))
		return reply(conn, request, got)
	}
	host, _, _ := net.SplitHostPort(conn.RemoteAddr().String())
	p.recording.Add(Call{Client: host + " " + request.UserAgent(), Request: sent, Response: *got, Ended: time.Now()})
	return reply(conn, request, got)
}

// target returns the path and query of a request as they were sent; of an absolute URL what follows
// its host.
func target(head string) string {
	line, _, _ := strings.Cut(head, "\r\n")
	_, rest, _ := strings.Cut(line, " ")
	target := rest[:max(0, strings.LastIndex(rest, " "))]
	if _, after, ok := strings.Cut(target, "://"); ok && !strings.HasPrefix(target, "/") {
		_, path, _ := strings.Cut(after, "/")
		return "/" + path
	}
	return target
}

func headerLines(head string) []wire.Header {
	var headers []wire.Header
	for line := range strings.SplitSeq(head, "\r\n") {
		if name, value, ok := strings.Cut(line, ":"); ok && !strings.Contains(name, " ") {
			headers = append(headers, wire.Header{Name: name, Value: strings.Trim(value, " \t")})
		}
	}
	return headers
}

// ofConnection are the headers that are about a connection, by their names in lower case.
func ofConnection() []string {
	return []string{"connection", "proxy-connection", "keep-alive", "proxy-authenticate", "te", "trailer", "transfer-encoding", "upgrade"}
}

// passedOn returns the headers of a request that go to the server.
func passedOn(headers []wire.Header) []wire.Header {
	left := append(ofConnection(), "host", "content-length", "accept-encoding", "expect")
	return slices.DeleteFunc(headers, func(h wire.Header) bool { return slices.Contains(left, strings.ToLower(h.Name)) })
}

// reply writes a response to a client. It reports whether the connection can have another request. The length is that of the
// body that goes on, whatever a server says that names two: else what follows would be taken for the next response.
func reply(conn net.Conn, request *http.Request, got *wire.Response) bool {
	var b bytes.Buffer
	fmt.Fprintf(&b, "HTTP/1.1 %03d %s\r\n", got.Status, http.StatusText(got.Status))
	bodiless := request.Method == http.MethodHead || got.Status == http.StatusNoContent || got.Status == http.StatusNotModified
	for _, h := range got.Headers {
		name := strings.ToLower(h.Name)
		if slices.Contains(ofConnection(), name) || name == "content-length" && !bodiless {
			continue
		}
		b.WriteString(h.Name + ": " + h.Value + "\r\n")
	}
	if !bodiless {
		b.WriteString("Content-Length: " + strconv.Itoa(len(got.Body)) + "\r\n")
	}
	if request.Close {
		b.WriteString("Connection: close\r\n")
	}
	b.WriteString("\r\n")
	if !bodiless {
		b.Write(got.Body)
	}
	_, err := conn.Write(b.Bytes())
	return err == nil && !request.Close
}

// answer writes a response of the proxy's own to a request, after which the connection has another one unless it is the last.
func answer(conn net.Conn, method string, status int, last bool, text string) bool {
	got := &wire.Response{Status: status, Headers: []wire.Header{{Name: "Content-Type", Value: "text/plain; charset=utf-8"}}, Body: []byte(text + "\n")}
	return reply(conn, &http.Request{Method: method, Close: last}, got)
}
