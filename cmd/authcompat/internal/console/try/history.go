package try

import (
	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/page"
	"github.com/authcompat/authcompat/conformance"
)

// A past is a request that was sent from this page.
type past struct {
	Target   string             `json:"target"`
	Exchange string             `json:"exchange,omitempty"`
	Step     int                `json:"step,omitempty"`
	Known    conformance.Memory `json:"known"`
	Method   string             `json:"method"`
	Path     string             `json:"path"`
	Headers  string             `json:"headers,omitempty"`
	Body     string             `json:"body,omitempty"`
	Escapes  bool               `json:"escapes,omitempty"`
	Status   int                `json:"status,omitempty"` // 0: there was no response
	Outcome  string             `json:"outcome"`          // in a few words
	Long     bool               `json:"long,omitempty"`   // too long to be remembered whole
}

// What a page remembers of requests.
const (
	maxPast      = 8
	maxPastOne   = 2 << 10 // bytes of one's headers and body
	maxPastWhole = 6 << 10 // of all of them
)

// remember adds a request that was sent. The path of one that is too long is cut.
func (f *form) remember(status int, outcome string) {
	p := past{
		Target: f.Target, Exchange: f.Exchange, Step: f.Step, Known: f.Known, Method: f.Method, Path: f.Path, Headers: f.Headers, Body: f.Body,
		Escapes: f.Escapes, Status: status, Outcome: outcome,
	}
	if f.Whole || p.size() > maxPastOne {
		p.Path, p.Headers, p.Body, p.Long = page.Cut(p.Path, 100).Text, "", "", true
	}
	f.Past = append([]past{p}, f.Past...)
	f.bound()
}

func (p past) size() int {
	size := len(p.Path) + len(p.Headers) + len(p.Body) + len(p.Exchange) + len(p.Outcome) + len(p.Target) + len(p.Method)
	for name, value := range p.Known.Captures {
		size += len(name) + len(value)
	}
	return size
}

// restore writes a request of the past into the form again.
func (f *form) restore(i int) {
	if i < 0 || i >= len(f.Past) || f.Past[i].Long {
		return
	}
	p := f.Past[i]
	f.Target, f.Exchange, f.Step, f.Known = p.Target, p.Exchange, p.Step, p.Known
	f.Method, f.Path, f.Headers, f.Body, f.Escapes = p.Method, p.Path, p.Headers, p.Body, p.Escapes
	f.Whole, f.Before, f.Answer = false, false, ""
}
