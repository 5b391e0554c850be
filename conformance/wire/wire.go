// Package wire sends HTTP/1.1 requests byte for byte as they are given and reads responses without
// tidying them: the spelling of header names, the order of headers and repeated headers are kept.
//
// net/http's client rewrites what it sends (it adds headers, spells names its own way, refuses odd
// values) and canonicalises what it reads; a tool that compares an old server with a new one must
// do neither. Every request uses a connection of its own; redirects are responses like any other.
package wire

import (
	"strings"
)

// A Header is one header line, name and value as they stand on the wire. In a value that was read,
// blanks at both ends are gone.
type Header struct {
	Name  string
	Value string
}

// A Request is what is sent. Headers follow Host and Connection: close in the given order, unless
// they name one of these two themselves. A Content-Length is added to POST, PUT and PATCH, and
// wherever there is a body, unless the headers have Content-Length or Transfer-Encoding.
type Request struct {
	Method  string
	Path    string // with the query; the base URL's path goes before it
	Headers []Header
	Body    []byte
}

// A Response is what came back: the final one, interim 1xx responses are passed over. Body has no
// transfer coding left, and is empty for HEAD, 204 and 304.
type Response struct {
	Status  int
	Headers []Header
	Body    []byte
}

// Values returns the values of the headers with the name, in whatever letter case it was spelled,
// in the order of the wire.
func (r *Response) Values(name string) []string {
	var values []string
	for _, h := range r.Headers {
		if strings.EqualFold(h.Name, name) {
			values = append(values, h.Value)
		}
	}
	return values
}

// Value returns the values of the header joined as RFC 9110 section 5.3 joins them, by ", ", and
// whether the header is there at all.
func (r *Response) Value(name string) (string, bool) {
	values := r.Values(name)
	return strings.Join(values, ", "), len(values) > 0
}
