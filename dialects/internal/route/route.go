// Package route finds the endpoint of a request path as Django's URL resolver
// does: paths are compared as they come, nothing is cleaned, and a missing last
// slash is the profile's matter.
package route

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/gorilla/mux"

	"github.com/authcompat/authcompat/dialects/internal/wire"
	"github.com/authcompat/authcompat/profiles"
)

// New routes each endpoint's path to its handler, whatever the method, and every
// other path to other.
func New(p *profiles.Profile, handler func(profiles.Endpoint) http.Handler, other http.Handler) http.Handler {
	// The decoded path is matched, as WSGI's PATH_INFO is.
	router := mux.NewRouter().SkipClean(true).StrictSlash(false)
	for _, e := range p.Endpoints {
		h := handler(e)
		router.Handle(e.Path, h)
		if without, ok := strings.CutSuffix(e.Path, "/"); ok && p.TrailingSlash == profiles.SlashOptional {
			router.Handle(without, h)
		}
	}
	if p.TrailingSlash == profiles.SlashRedirect {
		other = &appendSlash{router: router, headers: p.Headers, next: other}
	}
	router.NotFoundHandler = other
	return router
}

// Username gives the path's {username}.
func Username(r *http.Request) string { return mux.Vars(r)["username"] }

// appendSlash is Django's APPEND_SLASH with DEBUG off (django/middleware/
// common.py, CommonMiddleware): a path that only lacks its last slash is
// redirected, whatever the method.
type appendSlash struct {
	router  *mux.Router
	headers []profiles.Header
	next    http.Handler
}

func (a *appendSlash) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasSuffix(r.URL.Path, "/") || !a.matches(r) {
		a.next.ServeHTTP(w, r)
		return
	}
	reply := wire.Reply{Status: http.StatusMovedPermanently, ContentType: "text/html; charset=utf-8", Outcome: "redirected"}
	for _, h := range a.headers {
		// The redirect is made outside of the middleware that adds this one.
		if !strings.EqualFold(h.Name, "X-Frame-Options") {
			reply.Headers = append(reply.Headers, h)
		}
	}
	reply.Add("Location", location(r.URL))
	reply.Write(w)
}

// matches tells whether the path with a slash behind it is an endpoint's.
func (a *appendSlash) matches(r *http.Request) bool {
	with := *r.URL
	with.Path += "/"
	with.RawPath = ""
	try := *r
	try.URL = &with
	var match mux.RouteMatch
	return a.router.Match(&try, &match) && match.MatchErr == nil && match.Route != nil
}

// location is HttpRequest.get_full_path(force_append_slash=True), relative.
func location(u *url.URL) string {
	path := quote(u.Path, pathSafe) + "/"
	if strings.HasPrefix(path, "//") {
		// A client would take it for a host (django.utils.http,
		// escape_leading_slashes).
		path = "/%2F" + path[2:]
	}
	if u.RawQuery != "" {
		path += "?" + quote(u.RawQuery, querySafe)
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
