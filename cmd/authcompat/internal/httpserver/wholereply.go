package httpserver

import (
	"bytes"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"sync"
)

// A small reply whose header is known as text is handed to its connection, and not to net/http, which would make that text
// of a map each time, at a tenth of what a request costs. net/http is left to believe that the handler has written nothing. It
// answers with an empty reply, which says what the connection and the clock add, and the connection puts the two together.

// wholeReply is a reply that waits for what net/http adds to it.
type wholeReply struct {
	text []byte // with room for as many bytes as a Date takes, from room on
	room int
	pool *sync.Pool // that it belongs to when it was sent
}

// maxWhole is the largest body that is sent so, in bytes. net/http would begin to send a larger one before the handler
// returns (net/http/server.go of Go 1.26, bufferBeforeChunkingSize).
const maxWhole = 2048

const (
	statusOK   = "HTTP/1.1 200 OK\r\n"
	noBody     = "Content-Length: 0\r\n"
	dateLength = len("Date: " + http.TimeFormat + "\r\n")
)

// WriteWhole implements wire.WholeWriter. It leaves to net/http whatever is not a plain answer to a request without a body.
func (x *responseRecorder) WriteWhole(before, after string, body []byte) bool {
	r := x.request
	if len(body) > maxWhole || x.touched || x.status != 0 || r.ContentLength != 0 || r.Method == http.MethodHead || !r.ProtoAtLeast(1, 1) {
		return false
	}
	c := connOf(r.Context())
	if c == nil || c.reason.Load() != nil {
		return false
	}
	reply, _ := x.middleware.replies.Get().(*wholeReply)
	if reply == nil {
		reply = &wholeReply{pool: &x.middleware.replies}
	}
	b := append(append(reply.text[:0], statusOK...), before...)
	b = append(strconv.AppendInt(b, int64(len(body)), 10), after...)
	reply.room = len(b)
	b = append(b, make([]byte, dateLength)...)
	reply.text = append(append(b, "\r\n"...), body...)
	c.reply = reply
	x.record(http.StatusOK)
	return true
}

// Header implements http.ResponseWriter.
func (x *responseRecorder) Header() http.Header {
	x.touched = true // by whoever may set more than a reply has by itself
	return x.ResponseWriter.Header()
}

// errNotEmpty is the error of a reply that net/http has made while another one waits to be sent.
var errNotEmpty = errors.New("a second reply to a request")

// writeWhole sends the reply that waits, with what net/http has in an empty one beside its status and length.
func (c *clientConn) writeWhole(empty []byte) (int, error) {
	reply := c.reply
	c.reply = nil
	defer reply.pool.Put(reply)
	rest, ok := bytes.CutPrefix(empty, []byte(statusOK))
	fields, more, is := bytes.Cut(rest, []byte(noBody))
	const end = "\r\n\r\n"
	if !ok || !is || bytes.Index(empty, []byte(end)) != len(empty)-len(end) {
		return 0, errNotEmpty
	}
	more = more[:len(more)-len("\r\n")]
	text := reply.text
	if len(fields) == dateLength && len(more) == 0 { // as nearly always
		copy(text[reply.room:], fields)
	} else {
		text = slices.Concat(text[:reply.room], fields, more, text[reply.room+dateLength:])
	}
	if _, err := c.Conn.Write(text); err != nil {
		return 0, err
	}
	return len(empty), nil
}
