// Package wire sends HTTP/1.1 requests byte for byte as they are given and reads responses without
// normalising them: the spelling of header names, the order of headers and repeated headers are kept.
//
// The client of net/http rewrites what it sends (it adds headers, canonicalises their names, refuses
// unusual values) and canonicalises what it reads; a tool that compares an old server with a new one
// must do neither. Every request uses its own connection; redirects are not followed.
package wire

import (
	"bytes"
	"strconv"
	"strings"
)

// A Header is one header line, with name and value as they are sent. Values that are read have no
// leading and trailing white space.
type Header struct {
	Name  string
	Value string
}

// A Request is a request to send. Host and Connection: close come first unless Headers has them, then
// Headers in order. A Content-Length is added to POST, PUT and PATCH, and wherever there is a body,
// unless Headers has Content-Length or Transfer-Encoding.
type Request struct {
	Method  string
	Path    string // with the query; the base URL's path goes before it
	Headers []Header
	Body    []byte
}

// Encode returns the bytes that are sent for the request to a host.
func (r Request) Encode(host string) []byte { return r.encode("", host) }

// encode returns the bytes of the request with a path before its own.
func (r Request) encode(base, host string) []byte {
	whole := r.sent(base, host)
	var b bytes.Buffer
	b.WriteString(whole.Method + " " + whole.Path + " HTTP/1.1\r\n")
	for _, h := range whole.Headers {
		b.WriteString(h.Name + ": " + h.Value + "\r\n")
	}
	b.WriteString("\r\n")
	b.Write(whole.Body)
	return b.Bytes()
}

// sent returns the request with a path before its own, and with the headers that are added.
func (r Request) sent(base, host string) Request {
	given := func(name string) bool {
		for _, h := range r.Headers {
			if strings.EqualFold(h.Name, name) {
				return true
			}
		}
		return false
	}
	whole := Request{Method: r.Method, Path: base + r.Path, Body: r.Body}
	if !given("Host") {
		whole.Headers = append(whole.Headers, Header{"Host", host})
	}
	if !given("Connection") {
		whole.Headers = append(whole.Headers, Header{"Connection", "close"})
	}
	whole.Headers = append(whole.Headers, r.Headers...)
	hasLength := given("Content-Length") || given("Transfer-Encoding")
	if !hasLength && (len(r.Body) > 0 || r.Method == "POST" || r.Method == "PUT" || r.Method == "PATCH") {
		whole.Headers = append(whole.Headers, Header{"Content-Length", strconv.Itoa(len(r.Body))})
	}
	return whole
}

// A Response is the final response to a request; interim 1xx responses are skipped. Body has its
// transfer coding removed, and is empty for HEAD, 204 and 304.
type Response struct {
	Status  int
	Headers []Header
	Body    []byte
}

// Values returns the values of all headers with the name, compared without regard to case, in the
// order in which they were sent.
func (r *Response) Values(name string) []string {
	var values []string
	for _, h := range r.Headers {
		if strings.EqualFold(h.Name, name) {
			values = append(values, h.Value)
		}
	}
	return values
}

// Value returns the values of the header joined by ", " as in RFC 9110, section 5.3, and whether
// there are any.
func (r *Response) Value(name string) (string, bool) {
	values := r.Values(name)
	return strings.Join(values, ", "), len(values) > 0
}
