package wire

import (
	"net/http"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/authcompat/authcompat/profiles"
)

// Prepared are headers that many replies share, in a form that costs each of them little. The methods of nil do nothing.
type Prepared struct {
	headers []prepared
	whole   bool                 // replies may be sent whole
	head    atomic.Pointer[head] // of the last reply that was; nil: none
}

// prepared is a header in the form of an http.Header's entry.
type prepared struct {
	name   string
	values []string
}

// head is the header of a reply with status 200, as lines. It does not change.
type head struct {
	contentType   string
	before, after string // the value of Content-Length
}

// Prepare converts headers that many replies share.
func Prepare(headers []profiles.Header) *Prepared {
	p := &Prepared{headers: make([]prepared, 0, len(headers)), whole: true}
	for _, h := range headers {
		p.headers = append(p.headers, prepared{h.Name, []string{h.Value}})
		if slices.ContainsFunc(ownHeaders, func(name string) bool { return strings.EqualFold(h.Name, name) }) {
			p.whole = false
		}
	}
	return p
}

// ownHeaders have a meaning to net/http (net/http/server.go of Go 1.26, chunkWriter.writeHeader), beside Content-Type and
// Content-Length, which replies have anyway.
var ownHeaders = []string{"Connection", "Content-Encoding", "Content-Length", "Content-Type", "Date", "Trailer", "Transfer-Encoding"}

// addTo sets the headers.
func (p *Prepared) addTo(h http.Header) {
	if p == nil {
		return
	}
	for _, header := range p.headers {
		h[header.name] = header.values
	}
}

// WholeWriter is a ResponseWriter that knows a shorter way to send a reply than by an http.Header.
type WholeWriter interface {
	// WriteWhole sends a reply with status 200. Its header has the lines in before and after, with the length of the body
	// between them, and those that every reply has besides. If it returns false, it has done nothing. It keeps none of
	// the arguments.
	WriteWhole(before, after string, body []byte) bool
}

// sendWhole sends a reply all of whose headers are prepared by the shorter way, if there is one.
func (r *Reply) sendWhole(w http.ResponseWriter) bool {
	if r.Status != http.StatusOK || len(r.Headers) > 0 || r.Always == nil || !r.Always.whole {
		return false
	}
	whole, ok := w.(WholeWriter)
	if !ok {
		return false
	}
	h := r.Always.headFor(r.ContentType)
	return whole.WriteWhole(h.before, h.after, r.Body)
}

// headFor returns the header of replies with a Content-Type, as net/http writes it: in the order of http.Header.Write. Most
// replies of an endpoint have the same one.
func (p *Prepared) headFor(contentType string) *head {
	if h := p.head.Load(); h != nil && h.contentType == contentType {
		return h
	}
	const length = "Content-Length"
	all := http.Header{length: {"0"}}
	p.addTo(all)
	if contentType != "" {
		all["Content-Type"] = []string{contentType}
	}
	var lines strings.Builder
	_ = all.Write(&lines) // a Builder takes everything
	const line = "\r\n" + length + ": 0\r\n"
	before, after, _ := strings.Cut("\r\n"+lines.String(), line)
	h := &head{contentType: strings.Clone(contentType), before: strings.TrimPrefix(before+"\r\n", "\r\n") + length + ": ", after: "\r\n" + after}
	p.head.Store(h)
	return h
}
