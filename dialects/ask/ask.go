package ask

import (
	"net/http"
	"strings"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/dialects/internal/wire"
	"github.com/authcompat/authcompat/profiles"
)

// Gate answers for an API. It is the part of a front.API that is needed here.
type Gate interface {
	// Authenticate returns the session of the request's token. ok is false if the request was
	// refused, and is answered.
	Authenticate(w http.ResponseWriter, r *http.Request, needed bool) (session *core.Session, ok bool)
	// Unavailable answers with 502, 503 or 504; err is logged, not sent.
	Unavailable(w http.ResponseWriter, status int, err error)
	// Malformed answers with 400.
	Malformed(w http.ResponseWriter)
}

// Options are what an API needs to be asked about.
type Options struct {
	Profile *profiles.Profile
	Gate    Gate
	Engine  *core.Service
	// Callers are the services that may introspect tokens; nil: nobody may.
	Callers *Callers
	// Identify adds headers that tell the application who the user is to the answer for a good
	// token; nil: there are none.
	Identify func(http.Header, *core.Session)
}

// API answers for one profile, below its name. It is a handler of [Mux].
type API struct {
	Options
	decisions map[string]http.Handler
}

// New makes the API of a profile.
func New(o Options) *API {
	if o.Identify == nil {
		o.Identify = func(http.Header, *core.Session) {}
	}
	a := &API{Options: o}
	a.decisions = map[string]http.Handler{"request": requestAuth{a}, "forward": forwardAuth{a}, "envoy": extAuthz{a}, "denied": denied{a}}
	return a
}

// ServeHTTP implements http.Handler.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, rest := segment(r.URL.Path)
	if rest != "" {
		name, rest = segment(rest)
	}
	if h := a.decisions[name]; h != nil && (rest == "" || name == "envoy") {
		if r.ContentLength != 0 {
			// net/http would read a body away before it answers. The proxy gets its answer now.
			w.Header().Set("Connection", "close")
		}
		h.ServeHTTP(endpointWriter{w, "ask_" + name}, r)
		return
	}
	if name == "introspect" && rest == "" && a.Callers != nil {
		a.introspect(endpointWriter{w, "ask_introspect"}, r)
		return
	}
	NotFound(w, r)
}

// segment cuts off the first segment of a path. The rest is empty, or begins with a slash.
func segment(path string) (first, rest string) {
	first = strings.TrimPrefix(path, "/")
	if i := strings.IndexByte(first, '/'); i >= 0 {
		return first[:i], first[i:]
	}
	return first, ""
}

// Mux finds the API that is asked about.
type Mux struct {
	byName map[string]http.Handler
	only   http.Handler // nil: there are several
	other  http.Handler
}

// NewMux makes a Mux of the handlers of profiles, by their names. One alone is asked about at
// /introspect too. other answers for all other names, as NotFound does.
func NewMux(byName map[string]http.Handler, other http.Handler) *Mux {
	m := &Mux{byName: byName, other: other}
	if len(byName) == 1 {
		for _, h := range byName {
			m.only = h
		}
	}
	return m
}

// ServeHTTP implements http.Handler.
func (m *Mux) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, rest := segment(r.URL.Path)
	h := m.byName[name]
	if name == "introspect" && rest == "" {
		h = m.only
	}
	if h == nil || !strings.HasPrefix(r.URL.Path, "/") {
		m.other.ServeHTTP(w, r)
		return
	}
	h.ServeHTTP(w, r)
}

// NotFound answers what is none of the paths here.
func NotFound(w http.ResponseWriter, _ *http.Request) {
	text(w, http.StatusNotFound, "not_found", "not found: the paths here are /PROFILE/request, /PROFILE/forward, /PROFILE/envoy/…, /PROFILE/denied and /PROFILE/introspect\n")
}

// text writes a reply of our own.
func text(w http.ResponseWriter, status int, outcome, body string) {
	out := wire.Reply{Status: status, ContentType: "text/plain; charset=utf-8", Body: []byte(body), Outcome: outcome}
	out.Write(w)
}

// endpointWriter records the endpoint for logs and metrics: what a gate answers is of none.
type endpointWriter struct {
	http.ResponseWriter
	endpoint string
}

// RecordOutcome implements wire.OutcomeRecorder.
func (w endpointWriter) RecordOutcome(_, outcome string, err error) {
	if o, ok := w.ResponseWriter.(wire.OutcomeRecorder); ok {
		o.RecordOutcome(w.endpoint, outcome, err)
	}
}

// Unwrap gives http.ResponseController access to the wrapped writer.
func (w endpointWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
