package conformance

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"time"

	"github.com/authcompat/authcompat/conformance/internal/jsontree"
	"github.com/authcompat/authcompat/conformance/internal/template"
	"github.com/authcompat/authcompat/conformance/wire"
)

// A Client sends requests to one server. *wire.Client is one, whose comments are the contract.
type Client interface {
	Do(ctx context.Context, r wire.Request) (*wire.Response, error)
	Sent(r wire.Request) wire.Request
}

// A replay is the replay of one exchange at a server.
type replay struct {
	run    *profileRun
	server *Server
	client Client
	scope  *template.Scope
	hidden []string // secrets that were captured outside the scope
	calls  []call
	result *Result
}

func (p *profileRun) replay(ctx context.Context, e *Exchange, server *Server, r *Result) {
	client, err := p.options.connect(server.URL)
	if err != nil {
		r.Outcome, r.Reason = CouldNotRun, "the server's URL: "+err.Error()
		p.aborted = "the server's URL cannot be used"
		return
	}
	replay := &replay{run: p, server: server, client: client, result: r,
		scope: &template.Scope{Users: map[string]template.User{}, Captures: map[string]string{}}}
	defer replay.finish()
	if !replay.prepare(ctx, e) {
		return
	}
	for i, s := range e.steps {
		if !replay.before(ctx, s) || !replay.step(ctx, i+1, s, replay.scope) {
			return
		}
	}
	r.Outcome = Passed
}

// before does what comes before the request of a step. It reports whether the exchange goes on.
func (x *replay) before(ctx context.Context, s step) bool {
	if s.link != nil && !x.follow(ctx, *s.link) {
		return false
	}
	if s.emailKey != nil && !x.verify(ctx, *s.emailKey) {
		return false
	}
	if s.advance > 0 {
		x.server.State.Advance(s.advance)
	}
	return true
}

// follow captures the parts of a link. It reports whether the exchange goes on.
func (x *replay) follow(ctx context.Context, l link) bool {
	uid, token, err := x.server.State.Link(ctx, x.scope.Users[l.user].Username)
	if err != nil {
		x.result.Outcome, x.result.Reason = CouldNotRun, "making a link: "+err.Error()
		return false
	}
	x.scope.Captures[l.uid], x.scope.Captures[l.token] = uid, token
	x.hidden = append(x.hidden, token)
	return true
}

// verify captures the key with which a user verifies the address. It reports whether the exchange goes on.
func (x *replay) verify(ctx context.Context, k emailKey) bool {
	key, err := x.server.State.EmailKey(ctx, x.scope.Users[k.user].Username)
	if err != nil {
		x.result.Outcome, x.result.Reason = CouldNotRun, "making a key: "+err.Error()
		return false
	}
	x.scope.Captures[k.key] = key
	x.hidden = append(x.hidden, key)
	return true
}

// step sends one request and compares its response with the expected one. It reports whether the
// exchange goes on.
func (x *replay) step(ctx context.Context, number int, s step, scope *template.Scope) bool {
	request := s.request.encode(scope)
	scope.Before = x.now()
	start := time.Now()
	got, err := x.client.Do(ctx, request)
	x.calls = append(x.calls, call{number, s, request, got, err, time.Since(start)})
	scope.After = x.now()
	if err == nil {
		x.run.timeouts = 0
		if x.run.options.Observe != nil {
			x.run.options.Observe(x.result.Exchange, number, got)
		}
		differences := s.response.match(got, scope)
		if len(differences) > 0 {
			x.mismatch(differences)
			x.result.Step = failed(number, s, request)
		}
		return len(differences) == 0
	}
	x.result.Step = failed(number, s, request)
	var broken *wire.Error
	if errors.As(err, &broken) && broken.Kind == wire.BadResponse {
		x.mismatch([]Difference{{Position: s.position, Part: "response", Offset: -1,
			Problem: "no HTTP response: " + err.Error(), Want: "an HTTP response"}})
		return false
	}
	if ctx.Err() != nil {
		x.result.Outcome, x.result.Reason, x.run.aborted = CouldNotRun, endedByCaller, endedByCaller
		return false
	}
	x.result.Outcome, x.result.Reason = CouldNotRun, err.Error()
	x.run.timeouts++
	if errors.As(err, &broken) && broken.Kind == wire.Unreachable || x.run.timeouts == maxTimeouts {
		x.run.aborted = "the server could not be reached"
	}
	return false
}

func (x *replay) now() time.Time {
	if x.server.State != nil {
		return x.server.State.Now()
	}
	return time.Now()
}

func (x *replay) mismatch(differences []Difference) {
	x.result.Outcome, x.result.Differences = Mismatch, differences
}

func failed(number int, s step, r wire.Request) *FailedStep {
	return &FailedStep{Number: number, Position: s.position, Request: r.Method + " " + r.Path}
}

func (r request) encode(s *template.Scope) wire.Request {
	w := wire.Request{Method: r.method, Path: r.path.Expand(s), Body: r.body.encode(s)}
	for _, h := range r.headers {
		w.Headers = append(w.Headers, wire.Header{Name: h.name, Value: h.value.Expand(s)})
	}
	return w
}

// encode writes a body: text as it is; JSON without white space, with keys in the order of the file
// and UTF-8 unescaped; a form as browsers encode it, in the order of the file.
func (b body) encode(s *template.Scope) []byte {
	switch {
	case b.text != nil:
		return []byte(b.text.Expand(s))
	case b.json != nil:
		return []byte(jsontree.Compact(b.json.Tree(s)))
	}
	pairs := make([]string, len(b.form))
	for i, pair := range b.form {
		pairs[i] = url.QueryEscape(pair.name) + "=" + url.QueryEscape(pair.value.Expand(s))
	}
	return []byte(strings.Join(pairs, "&"))
}
