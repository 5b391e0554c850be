// Package route finds the view of a request's path as Django's URL resolver does, and the
// endpoint of its method. Paths are compared as they were sent, without cleaning; the profile
// says how a missing trailing slash is answered.
package route

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/gorilla/mux"

	"github.com/authcompat/authcompat/dialects/internal/django"
	"github.com/authcompat/authcompat/dialects/internal/wire"
	"github.com/authcompat/authcompat/profiles"
)

// New routes each view's path to its handler, whatever the method, and every other path to
// other. A view is all endpoints of one path, at the place of the first.
func New(p *profiles.Profile, handler func(view []profiles.Endpoint) http.Handler, other http.Handler) http.Handler {
	routes := newRoutes(p, handler)
	if slices.ContainsFunc(p.Endpoints, redirects) {
		other = &appendSlash{routes: routes, headers: p.Headers, next: other}
	}
	return &router{routes: routes, other: other, none: map[string]string{}}
}

// ByMethod is New with a handler for each endpoint. A request whose method no endpoint of its
// path has goes to that of the first.
func ByMethod(p *profiles.Profile, handler func(profiles.Endpoint) http.Handler, other http.Handler) http.Handler {
	return New(p, func(view []profiles.Endpoint) http.Handler {
		handlers := make(map[string]http.Handler) // by the name of the endpoint
		for _, e := range view {
			handlers[e.Name] = handler(e)
		}
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			handlers[name(view, r.Method)].ServeHTTP(w, r)
		})
	}, other)
}

// redirects tells whether an endpoint redirects to its path with the trailing slash.
func redirects(e profiles.Endpoint) bool { return e.TrailingSlash == profiles.SlashRedirect }

// Endpoint gives the endpoint of a view that answers a method, in any case of its letters: HEAD
// is answered by that of GET. ok is false if none does.
func Endpoint(view []profiles.Endpoint, method string) (e profiles.Endpoint, ok bool) {
	method = strings.ToUpper(method) // as WSGIRequest has it
	if method == http.MethodHead {
		method = http.MethodGet
	}
	for _, e := range view {
		if e.Takes(method) {
			return e, true
		}
	}
	return profiles.Endpoint{}, false
}

// place is the handler of a view with its endpoints.
type place struct {
	http.Handler
	view []profiles.Endpoint
}

// newRoutes routes the endpoints' paths alone, to places.
func newRoutes(p *profiles.Profile, handler func([]profiles.Endpoint) http.Handler) *mux.Router {
	var views [][]profiles.Endpoint
	at := map[string]int{}
	for _, e := range p.Endpoints {
		i, known := at[e.Path]
		if !known {
			i = len(views)
			at[e.Path] = i
			views = append(views, nil)
		}
		views[i] = append(views[i], e)
	}
	// The decoded path is matched, as WSGI's PATH_INFO is.
	routes := mux.NewRouter().SkipClean(true).StrictSlash(false)
	for _, view := range views {
		h := place{handler(view), view}
		routes.MatcherFunc(matcher(view[0].Path)).Handler(h)
		if without, ok := strings.CutSuffix(view[0].Path, "/"); ok && view[0].TrailingSlash == profiles.SlashOptional {
			routes.MatcherFunc(matcher(without)).Handler(h)
		}
	}
	return routes
}

// router asks mux for the handler only. To serve the request itself, mux would copy it
// twice, to attach variables that Variable reads from the path.
type router struct {
	routes  *mux.Router
	other   http.Handler
	none    map[string]string // shared by all requests: mux allocates a map if it gets none
	matches sync.Pool         // of *mux.RouteMatch
}

func (r *router) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	match, _ := r.matches.Get().(*mux.RouteMatch)
	if match == nil {
		match = new(mux.RouteMatch)
	}
	*match = mux.RouteMatch{Vars: r.none}
	handler := r.other
	if r.routes.Match(req, match) {
		handler = match.Handler
	}
	r.matches.Put(match)
	handler.ServeHTTP(w, req)
}

// The variables of a path stand for one segment that is not empty.
const (
	usernameVariable = "{username}"
	// idVariable stands for no segment with a dot, as REST framework's routers have it
	// (rest_framework/routers.py, get_lookup_regex).
	idVariable = "{id}"
)

// matcher compares paths as text: a pattern of mux would be a regular
// expression, at ten times the cost.
func matcher(path string) mux.MatcherFunc {
	if !strings.Contains(path, "{") {
		return func(r *http.Request, _ *mux.RouteMatch) bool { return r.URL.Path == path }
	}
	v := newVariable(path)
	return func(r *http.Request, _ *mux.RouteMatch) bool { return v.value(r) != "" }
}

// variable is where an endpoint's path has one.
type variable struct {
	before, after string
	found, isID   bool
}

func newVariable(path string) (v variable) {
	if v.before, v.after, v.found = strings.Cut(path, usernameVariable); !v.found {
		v.before, v.after, v.isID = strings.Cut(path, idVariable)
		v.found = v.isID
	}
	return v
}

// value gives the segment of the request's path in the place of the variable; empty: there is none.
func (v *variable) value(r *http.Request) string {
	rest, ok := strings.CutPrefix(r.URL.Path, v.before)
	value, fits := strings.CutSuffix(rest, v.after)
	if !v.found || !ok || !fits || strings.Contains(value, "/") || v.isID && strings.Contains(value, ".") {
		return ""
	}
	return value
}

// Variable gives the segment of the request's path in the place of the variable in an
// endpoint's path, and whether that is {id}. value is empty if the paths do not match, or the
// endpoint's has no variable.
func Variable(path string, r *http.Request) (value string, isID bool) {
	v := newVariable(path)
	return v.value(r), v.isID
}

// appendSlash is Django's APPEND_SLASH with DEBUG off (django/middleware/common.py,
// CommonMiddleware): if only the trailing slash of a path is missing, requests of any
// method are redirected.
type appendSlash struct {
	routes  *mux.Router
	headers []profiles.Header
	next    http.Handler
}

func (a *appendSlash) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if a.target(r) == nil {
		a.next.ServeHTTP(w, r)
		return
	}
	reply := wire.Reply{Status: http.StatusMovedPermanently, ContentType: "text/html; charset=utf-8", Outcome: "redirected"}
	for _, h := range a.headers {
		// The middleware that adds this one does not see the redirect.
		if !strings.EqualFold(h.Name, "X-Frame-Options") {
			reply.Headers = append(reply.Headers, h)
		}
	}
	reply.Add("Location", location(r.URL))
	reply.Write(w)
}

// target gives the view that a request is redirected to; nil: it is not.
func (a *appendSlash) target(r *http.Request) []profiles.Endpoint {
	// Django fails on such a query before it redirects.
	if strings.HasSuffix(r.URL.Path, "/") || django.CheckQuery(r.URL.RawQuery, wire.ContentType(r)) != nil {
		return nil
	}
	with := *r.URL
	with.Path += "/"
	with.RawPath = ""
	try := *r
	try.URL = &with
	var match mux.RouteMatch
	if !a.routes.Match(&try, &match) {
		return nil
	}
	if at := match.Handler.(place); redirects(at.view[0]) {
		return at.view
	}
	return nil
}

// location is HttpRequest.get_full_path(force_append_slash=True), relative.
func location(u *url.URL) string {
	path := quote(repercent(u.Path), pathSafe) + "/"
	if strings.HasPrefix(path, "//") {
		// Clients would take what follows for a host (django.utils.http,
		// escape_leading_slashes).
		path = "/%2F" + path[2:]
	}
	if u.RawQuery != "" {
		// WSGI passes the query as Latin-1, unlike the path.
		path += "?" + quote(django.Latin1(u.RawQuery), querySafe)
	}
	return path
}

// What django.utils.encoding leaves unquoted in a path (escape_uri_path) and in
// a query (iri_to_uri), besides letters, digits and "_.-~".
const (
	pathSafe  = "/:@&+$,!*'()"
	querySafe = "/#%[]=:;$&()+,!?*@'"
)

// repercent is django.utils.encoding.repercent_broken_unicode: bytes that are not UTF-8 become the escapes of
// which they were read, which are text from then on.
func repercent(path string) string {
	if utf8.ValidString(path) {
		return path
	}
	var out strings.Builder
	for len(path) > 0 {
		r, size := utf8.DecodeRuneInString(path)
		if r == utf8.RuneError && size == 1 {
			out.WriteString(quote(path[:1], ""))
		} else {
			out.WriteString(path[:size])
		}
		path = path[size:]
	}
	return out.String()
}

// quote is urllib.parse.quote.
func quote(s, safe string) string {
	const hex = "0123456789ABCDEF"
	var out strings.Builder
	for i := range len(s) {
		c := s[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9',
			strings.IndexByte("_.-~", c) >= 0, strings.IndexByte(safe, c) >= 0:
			out.WriteByte(c)
		default:
			out.WriteByte('%')
			out.WriteByte(hex[c>>4])
			out.WriteByte(hex[c&15])
		}
	}
	return out.String()
}
