package wire

import (
	"bufio"
	"errors"
	"io"
	"net/http/httputil"
	"strconv"
	"strings"
)

// The most that is read of one response. No exchange needs more, and a broken server must not be able
// to fill the memory of the process that tests it.
const (
	maxHead = 64 << 10
	maxBody = 1 << 20
)

// A limit is how long a body may be.
type limit struct {
	bytes   int
	cuts    bool // a longer body is cut; otherwise it is an error
	reached bool // the body has been cut
}

// over is called where a body is longer.
func (l *limit) over() error {
	if l.reached = l.cuts; l.cuts {
		return nil
	}
	return badResponse("the response's body is over %d bytes", l.bytes)
}

func readResponse(r *bufio.Reader, method string, l *limit) (*Response, error) {
	left := maxHead // of all heads together: there may be no end of interim ones
	for {
		response, err := readHead(r, &left)
		if err != nil {
			return nil, err
		}
		if response.Status < 200 {
			continue
		}
		if response.Body, err = readBody(r, response, method, l); err != nil {
			return nil, err
		}
		return response, nil
	}
}

func readHead(r *bufio.Reader, left *int) (*Response, error) {
	line, err := readLine(r, left)
	if err != nil {
		return nil, err
	}
	version, rest, _ := strings.Cut(line, " ")
	code, _, _ := strings.Cut(rest, " ")
	status, err := strconv.Atoi(code)
	if !strings.HasPrefix(version, "HTTP/1.") || err != nil || len(code) != 3 || status < 100 {
		return nil, badResponse("the response does not begin with an HTTP/1.x status line")
	}
	response := &Response{Status: status}
	for {
		line, err := readLine(r, left)
		if err != nil {
			return nil, err
		}
		if line == "" {
			return response, nil
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok || name == "" {
			return nil, badResponse("header line %d of the response has no name", len(response.Headers)+1)
		}
		response.Headers = append(response.Headers, Header{Name: name, Value: strings.Trim(value, " \t")})
	}
}

// readLine returns a line without its end, and subtracts its length from what may still be read.
func readLine(r *bufio.Reader, left *int) (string, error) {
	var line []byte
	for {
		piece, err := r.ReadSlice('\n')
		line = append(line, piece...)
		if *left -= len(piece); *left < 0 {
			return "", badResponse("the response's head is over %d bytes", maxHead)
		}
		if err == nil {
			return strings.TrimSuffix(strings.TrimSuffix(string(line), "\n"), "\r"), nil
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return "", unexpectedEnd(err)
		}
	}
}

func readBody(r *bufio.Reader, response *Response, method string, l *limit) ([]byte, error) {
	if method == "HEAD" || response.Status == 204 || response.Status == 304 {
		return nil, nil
	}
	if coding, ok := response.Value("Transfer-Encoding"); ok {
		if !strings.EqualFold(coding, "chunked") {
			return nil, badResponse("transfer coding %q is not known", coding)
		}
		return readAll(httputil.NewChunkedReader(r), l)
	}
	if length, ok := response.Value("Content-Length"); ok {
		n, err := strconv.ParseUint(length, 10, 31)
		if err != nil {
			return nil, badResponse("Content-Length %q is not a length", length)
		}
		if n > uint64(l.bytes) {
			if err := l.over(); err != nil {
				return nil, err
			}
			n = uint64(l.bytes)
		}
		body := make([]byte, n)
		if _, err := io.ReadFull(r, body); err != nil {
			return nil, unexpectedEnd(err)
		}
		return body, nil
	}
	return readAll(r, l)
}

func readAll(r io.Reader, l *limit) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r, int64(l.bytes)+1))
	if err != nil {
		return nil, unexpectedEnd(err)
	}
	if len(body) > l.bytes {
		if err := l.over(); err != nil {
			return nil, err
		}
		body = body[:l.bytes]
	}
	return body, nil
}

func unexpectedEnd(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
