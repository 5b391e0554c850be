package recorded

import (
	"strings"

	"github.com/authcompat/authcompat/conformance/wire"
)

// request returns the request with the last token of the sequence filled in.
func (s Step) request(token string) (wire.Request, error) {
	body, err := latin1(s.Body)
	if err != nil {
		return wire.Request{}, err
	}
	fill := strings.NewReplacer("{{token}}", token, "{{token-1}}", token[:len(token)-1], "{{token8}}", token[:8])
	r := wire.Request{Method: s.Method, Path: s.Path, Body: body}
	for _, h := range s.Headers {
		r.Headers = append(r.Headers, wire.Header{Name: h[0], Value: fill.Replace(h[1])})
	}
	return r, nil
}
