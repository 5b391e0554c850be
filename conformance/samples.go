package conformance

import (
	"slices"
	"strings"

	"github.com/authcompat/authcompat/conformance/internal/jsontree"
	"github.com/authcompat/authcompat/conformance/internal/template"
)

// A Sample is one request with its response as an exchange file has them, with samples in the place of
// what only a run knows: tokens, times and numbers.
type Sample struct {
	Exchange     string // its name
	Method, Path string // the path with the query
	Request      []byte // the body
	RequestType  string // its Content-Type; empty: none is sent
	Status       int
	ResponseType string // the Content-Type of the response; empty: it has none, or any
	Response     []byte // the body, if it is JSON; nil: it isn't
	Empty        bool   // the response has no body
}

// Samples returns all steps of the file's exchanges as samples, in the order of the file.
func (f *File) Samples() []Sample {
	var all []Sample
	for _, e := range f.Exchanges {
		scope := &template.Scope{Users: map[string]template.User{}, Captures: map[string]string{}, Samples: true}
		for _, u := range e.users {
			scope.Users[u.name] = template.User{Username: u.username, Password: u.password, Email: u.email}
		}
		for _, s := range e.steps {
			all = append(all, s.sample(e.Name, scope))
		}
	}
	return all
}

func (s step) sample(exchange string, scope *template.Scope) Sample {
	if s.link != nil {
		scope.Captures[s.link.uid], scope.Captures[s.link.token] = "MQ", "text"
	}
	if s.emailKey != nil {
		scope.Captures[s.emailKey.key] = "text"
	}
	request := s.request.encode(scope)
	sample := Sample{Exchange: exchange, Method: request.Method, Path: request.Path, Request: request.Body, Status: s.response.status}
	for _, h := range request.Headers {
		if strings.EqualFold(h.Name, "Content-Type") {
			sample.RequestType = h.Value
		}
	}
	i := slices.IndexFunc(s.response.headers, func(h headerWant) bool { return h.name == "Content-Type" })
	if i >= 0 && len(s.response.headers[i].values) > 0 {
		sample.ResponseType = s.response.headers[i].values[0].Expand(scope)
	}
	sample.Empty = s.response.body.empty
	switch body := s.response.body; {
	case body.json != nil:
		sample.Response = []byte(jsontree.Compact(body.json.Tree(scope)))
	case body.text != nil:
		if text := body.text.Expand(scope); strings.HasPrefix(sample.ResponseType, "application/json") {
			sample.Response = []byte(text)
		}
	}
	s.eachTemplate(func(_ string, t template.Template) {
		for _, part := range t.Parts {
			if p := part.Placeholder; p != nil && p.Capture != "" {
				scope.Captures[p.Capture] = p.Sample()
			}
		}
	})
	return sample
}
