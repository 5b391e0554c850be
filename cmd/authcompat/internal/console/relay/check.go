package relay

import (
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/authcompat/authcompat/conformance/wire"
)

// A Refusal is the error of a request that is not sent.
type Refusal struct{ Reason string }

// Error returns the reason: one sentence, without what headers and bodies have in them.
func (r *Refusal) Error() string { return r.Reason }

func refuse(format string, args ...any) *Refusal { return &Refusal{fmt.Sprintf(format, args...)} }

const maxMethod = 40

// Check returns a *Refusal if a request is not one that the package comment allows, and nil otherwise. The length of the
// body is not its matter.
func Check(r wire.Request) error {
	switch {
	// Methods are tokens, as the names of headers are (RFC 9110, 5.6.2).
	case !httpguts.ValidHeaderFieldName(r.Method) || len(r.Method) > maxMethod:
		return refuse("the method is no method: want at most %d letters, digits and !#$%%&'*+-.^_`|~", maxMethod)
	case strings.EqualFold(r.Method, "CONNECT"):
		return refuse("CONNECT makes a proxy connect to elsewhere")
	case !strings.HasPrefix(r.Path, "/"):
		return refuse("the path has to begin with a slash: an absolute URL would make a proxy go elsewhere")
	case strings.ContainsFunc(r.Path, func(c rune) bool { return c <= ' ' || c == 0x7f }):
		return refuse("the path has a blank or a control character, after which a server may see another request: want %%20 and the like")
	}
	size := len(r.Method) + len(r.Path)
	for i, h := range r.Headers {
		if err := checkHeader(i+1, h); err != nil {
			return err
		}
		size += len(h.Name) + len(h.Value)
	}
	if size > maxHead {
		return refuse("method, path and headers have %d bytes, and may have %d", size, maxHead)
	}
	return checkFraming(r)
}

func checkHeader(line int, h wire.Header) error {
	switch {
	case !httpguts.ValidHeaderFieldName(h.Name):
		return refuse("header line %d has no name: want letters, digits and !#$%%&'*+-.^_`|~, then a colon", line)
	case strings.ContainsAny(h.Value, "\r\n\x00"):
		return refuse("the value of header line %d has a line end or a NUL, after which a server may see another header", line)
	case strings.EqualFold(h.Name, "Transfer-Encoding"), strings.EqualFold(h.Name, "Upgrade"):
		return refuse("%s is not sent: what follows it may be taken for a second request", h.Name)
	case strings.EqualFold(h.Name, "Connection") && !strings.EqualFold(h.Value, "close") && !strings.EqualFold(h.Value, "keep-alive"):
		return refuse("Connection may be close or keep-alive: a proxy leaves out the headers that it names, the length among them")
	}
	return nil
}

// checkFraming refuses a Content-Length that is not that of the body, the rest of which would be another request.
func checkFraming(r wire.Request) error {
	lengths := 0
	for _, h := range r.Headers {
		if !strings.EqualFold(h.Name, "Content-Length") {
			continue
		}
		if lengths++; lengths > 1 || h.Value != strconv.Itoa(len(r.Body)) {
			return refuse("Content-Length has to stand once, and to be the length of the body, %d: a server may take the rest for a second request", len(r.Body))
		}
	}
	return nil
}
