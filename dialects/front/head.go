package front

import (
	"bytes"
	"net/http"
	"net/textproto"
	"strconv"
)

// rewriteHead returns a request's head, as net/http wrote it, as the client sent it where
// net/http would not: with its target byte for byte, and a Content-Length of 0 only if it
// had one. head ends with an empty line.
func rewriteHead(dst, head []byte, target string, sentZeroLength bool) []byte {
	const zero = "Content-Length: 0\r\n"
	method := bytes.IndexByte(head, ' ') + 1
	line := bytes.Index(head, []byte("\r\n")) + 2
	dst = append(dst, head[:method]...)
	dst = append(dst, target...)
	dst = append(dst, " HTTP/1.1\r\n"...)
	rest := head[line:]
	// Values have no line breaks, so that what follows one is a line.
	i := bytes.Index(head, []byte("\r\n"+zero)) + 2
	switch written := i >= 2; {
	case written && !sentZeroLength:
		dst = append(dst, rest[:i-line]...)
		rest = rest[i-line+len(zero):]
	case !written && sentZeroLength:
		dst = append(dst, zero...)
	}
	return append(dst, rest...)
}

// answerHead is the status line of an answer's head, with the spellings of its names where any
// is not the one that net/http uses: by that one, in the order of their values.
type answerHead struct {
	status int
	reason string // phrase; empty: that of net/http, or none
	names  map[string][]string
	// saysEmpty: its Content-Length is 0.
	saysEmpty bool
}

// trailsBody reports whether a body may come behind an answer that has none by its status
// (RFC 9112, 6.3): gunicorn sends what the application gives it, and no more than the length
// that it gives. net/http would take it for the next answer on the connection.
func (h answerHead) trailsBody() bool {
	return (h.status == http.StatusNoContent || h.status == http.StatusNotModified) && !h.saysEmpty
}

// headReader reads the heads of an answer from the bytes of a connection, up to the one that
// is no interim answer's (RFC 9110, 15.2).
type headReader struct {
	line  []byte // begun, in the last bytes
	head  answerHead
	begun bool // the status line has been read
}

// read reads more bytes. It calls found for each head that ends in them, and reports
// whether the last one has.
func (r *headReader) read(b []byte, found func(answerHead)) (done bool) {
	for len(b) > 0 {
		line, rest, whole := bytes.Cut(b, []byte{'\n'})
		if !whole {
			r.line = append(r.line, line...)
			return false
		}
		if b = rest; len(r.line) > 0 {
			line = append(r.line, line...)
			r.line = r.line[:0]
		}
		line = bytes.TrimSuffix(line, []byte{'\r'})
		switch {
		case !r.begun:
			r.begun, r.head = true, statusLine(line)
		case len(line) > 0:
			r.head.add(line)
		default:
			found(r.head)
			r.begun = false
			if !interim(r.head.status) {
				return true
			}
		}
	}
	return false
}

// statusLine reads a status line. The status is 0 if it is none.
func statusLine(line []byte) (h answerHead) {
	_, rest, _ := bytes.Cut(line, []byte{' '})
	word, reason, _ := bytes.Cut(bytes.TrimLeft(rest, " "), []byte{' '})
	status, err := strconv.Atoi(string(word))
	if err != nil {
		return h
	}
	h.status = status
	if reason = bytes.TrimSpace(reason); string(reason) != http.StatusText(status) {
		h.reason = string(reason)
	}
	return h
}

// interim reports whether another answer follows one with this status.
func interim(status int) bool {
	return status >= 100 && status < 200 && status != http.StatusSwitchingProtocols
}

// add notes the spelling of a header's name.
func (h *answerHead) add(line []byte) {
	name, value, ok := bytes.Cut(line, []byte{':'})
	if len(name) == len("Content-Length") && bytes.EqualFold(name, []byte("Content-Length")) {
		h.saysEmpty = string(bytes.TrimSpace(value)) == "0"
	}
	if !ok || h.names == nil && isCanonical(name) {
		return
	}
	if h.names == nil {
		h.names = make(map[string][]string)
	}
	key := textproto.CanonicalMIMEHeaderKey(string(name))
	h.names[key] = append(h.names[key], string(name))
}

// isCanonical reports whether net/http spells a name like that.
func isCanonical(name []byte) bool {
	first := true
	for _, c := range name {
		if first && c >= 'a' && c <= 'z' || !first && c >= 'A' && c <= 'Z' {
			return false
		}
		first = c == '-'
	}
	return true
}

// respell moves the values of headers to the names that they had. Names by which net/http
// frames an answer stay as they are: it would not know them.
func (h answerHead) respell(header http.Header) {
	for key, names := range h.names {
		values, there := header[key]
		if !there || key == "Content-Length" || key == "Transfer-Encoding" || key == "Connection" || key == "Trailer" {
			continue
		}
		header[key] = nil // not its own Date or Content-Type, for want of one
		for i, value := range values {
			name := key
			if i < len(names) {
				name = names[i]
			}
			header[name] = append(header[name], value)
		}
	}
}

// respellLines is respell for a head in its written form.
func (h answerHead) respellLines(head []byte) []byte {
	var out []byte
	used := make(map[string]int)
	for line := range bytes.Lines(head) {
		name, rest, ok := bytes.Cut(line, []byte{':'})
		if key := string(name); ok && used[key] < len(h.names[key]) {
			line = append(append([]byte(h.names[key][used[key]]), ':'), rest...)
			used[key]++
		}
		out = append(out, line...)
	}
	return out
}
