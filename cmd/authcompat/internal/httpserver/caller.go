package httpserver

import (
	"net/http"
	"strings"
	"time"

	"github.com/authcompat/authcompat/core/callers"
	"github.com/authcompat/authcompat/core/clients"
)

// caller is what a request tells of who sent it, beside what its client is.
type caller struct {
	user    string // the account whose token or password was good
	secret  string // that was sent last; never kept
	rule    string // the path of the rule of a front that decided
	proxied bool   // the answer is an application's
	counted bool
}

// otherEndpoint stands for paths that no endpoint and no rule of a front has.
const otherEndpoint = "other"

// Identify implements clients.Request.
func (x *responseRecorder) Identify(username string) { x.caller.user = username }

// Present implements clients.Request.
func (x *responseRecorder) Present(secret string) { x.caller.secret = secret }

// RecordRule implements dialects.RuleRecorder.
func (x *responseRecorder) RecordRule(path string) { x.caller.rule = path }

// count counts the request, once, if it was answered.
func (x *responseRecorder) count(at time.Time) {
	counter := x.middleware.Callers
	if counter == nil || x.caller.counted || x.status == 0 {
		return
	}
	x.caller.counted = true
	address, _ := x.middleware.Proxies.client(x.request)
	r := callers.Request{
		Profile: x.middleware.profile, Endpoint: x.endpoint, User: x.caller.user, Client: clients.Client{Address: address}.Subscriber(), At: at,
		Refused: x.status >= http.StatusBadRequest && x.status < http.StatusInternalServerError && !x.caller.proxied,
	}
	if r.Endpoint == "" {
		if r.Endpoint = x.caller.rule; r.Endpoint == "" {
			r.Endpoint = otherEndpoint
		}
	}
	if agent := x.request.Header["User-Agent"]; len(agent) > 0 {
		r.Agent = agent[0]
	}
	counter.Count(r, x)
}

// proxied is the outcome of a request whose answer is an application's.
const proxied = "proxied"

// Secrets implements callers.Secrets: tokens and passwords that the engine was shown, and what else
// is in Authorization.
func (x *responseRecorder) Secrets() []string {
	all := []string{x.caller.secret}
	for _, value := range x.request.Header["Authorization"] {
		words := strings.Fields(value)
		if len(words) > 1 {
			words = words[1:] // behind the scheme
		}
		all = append(all, words...)
	}
	if _, password, ok := x.request.BasicAuth(); ok {
		all = append(all, password)
	}
	return all
}
