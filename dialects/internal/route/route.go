// Package route finds the endpoint of a request's path as Django's URL resolver does.
// Paths are compared as they were sent, without cleaning; the profile says how a
// missing trailing slash is answered.
package route

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/gorilla/mux"

	"github.com/authcompat/authcompat/dialects/internal/django"
	"github.com/authcompat/authcompat/dialects/internal/wire"
	"github.com/authcompat/authcompat/profiles"
)

// New routes each endpoint's path to its handler, whatever the method, and every
// other path to other.
func New(p *profiles.Profile, handler func(profiles.Endpoint) http.Handler, other http.Handler) http.Handler {
	routes := newRoutes(p, handler)
	if p.TrailingSlash == profiles.SlashRedirect {
		other = &appendSlash{routes: routes, headers: p.Headers, next: other}
	}
	return &router{routes: routes, other: other, none: map[string]string{}}
}

// newRoutes routes the endpoints' paths alone.
func newRoutes(p *profiles.Profile, handler func(profiles.Endpoint) http.Handler) *mux.Router {
	// The decoded path is matched, as WSGI's PATH_INFO is.
	routes := mux.NewRouter().SkipClean(true).StrictSlash(false)
	for _, e := range p.Endpoints {
		h := handler(e)
		routes.MatcherFunc(matcher(e.Path)).Handler(h)
		if without, ok := strings.CutSuffix(e.Path, "/"); ok && p.TrailingSlash == profiles.SlashOptional {
			routes.MatcherFunc(matcher(without)).Handler(h)
		}
	}
	return routes
}

// router asks mux for the handler only. To serve the request itself, mux would copy it
// twice, to attach variables that Username reads from the path.
type router struct {
	routes *mux.Router
	other  http.Handler
	none   map[string]string // shared by all requests: mux allocates a map if it gets none
}

func (r *router) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	match := mux.RouteMatch{Vars: r.none}
	if r.routes.Match(req, &match) {
		match.Handler.ServeHTTP(w, req)
		return
	}
	r.other.ServeHTTP(w, req)
}

// variable stands for one segment of a path that is not empty.
const variable = "{username}"

// matcher compares paths as text: a pattern of mux would be a regular
// expression, at ten times the cost.
func matcher(path string) mux.MatcherFunc {
	if !strings.Contains(path, variable) {
		return func(r *http.Request, _ *mux.RouteMatch) bool { return r.URL.Path == path }
	}
	return func(r *http.Request, _ *mux.RouteMatch) bool { return Username(path, r) != "" }
}

// Username gives the segment of the request's path in the place of {username} in an
// endpoint's path, or "" if the paths do not match.
func Username(path string, r *http.Request) string {
	before, after, _ := strings.Cut(path, variable)
	rest, ok := strings.CutPrefix(r.URL.Path, before)
	name, fits := strings.CutSuffix(rest, after)
	if !ok || !fits || strings.Contains(name, "/") {
		return ""
	}
	return name
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

// target gives the handler of the endpoint that a request is redirected to; nil: it is not.
func (a *appendSlash) target(r *http.Request) http.Handler {
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
	return match.Handler
}

// location is HttpRequest.get_full_path(force_append_slash=True), relative.
func location(u *url.URL) string {
	path := quote(u.Path, pathSafe) + "/"
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
