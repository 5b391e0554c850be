// Package cors answers browsers about pages of other sites as django-cors-headers does
// (corsheaders/middleware.py), for an API of any family.
package cors

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/authcompat/authcompat/dialects/internal/django"
	"github.com/authcompat/authcompat/dialects/internal/wire"
	"github.com/authcompat/authcompat/profiles"
	"github.com/authcompat/authcompat/profiles/origin"
)

// policy is a profile's CORS, ready for use.
type policy struct {
	profiles.CORS
	paths    *origin.Pattern
	patterns []*origin.Pattern
	origins  []origin.Parts
	null     bool // the origin null may
	names    names
	fixed    []profiles.Header // of a preflight's answer, whoever asks
}

// names are the names of the headers, as the release spells them.
type names struct {
	allowOrigin, exposeHeaders, allowCredentials, allowHeaders, allowMethods, maxAge, allowPrivateNetwork string

	origin string // in Vary
}

// newPolicy prepares a profile's CORS, whose patterns and origins have been checked.
func newPolicy(p *profiles.Profile) *policy {
	c := &policy{CORS: *p.CORS, paths: compile(p.CORS.Paths), names: names{
		"Access-Control-Allow-Origin", "Access-Control-Expose-Headers", "Access-Control-Allow-Credentials", "Access-Control-Allow-Headers",
		"Access-Control-Allow-Methods", "Access-Control-Max-Age", "Access-Control-Allow-Private-Network", "Origin",
	}}
	if !c.Release.Before(profiles.CORS40) {
		n := &c.names
		for _, name := range []*string{&n.allowOrigin, &n.exposeHeaders, &n.allowCredentials, &n.allowHeaders, &n.allowMethods, &n.maxAge, &n.allowPrivateNetwork, &n.origin} {
			*name = strings.ToLower(*name)
		}
	}
	for _, text := range c.OriginPatterns {
		c.patterns = append(c.patterns, compile(text))
	}
	for _, text := range c.Origins {
		parts, err := origin.Split(text)
		if err != nil {
			panic("cors: an origin of a loaded profile: " + err.Error())
		}
		c.origins = append(c.origins, parts)
		c.null = c.null || text == "null"
	}
	for _, h := range p.Headers {
		// Its middleware stands below and does not see preflights.
		if !strings.EqualFold(h.Name, "X-Frame-Options") {
			c.fixed = append(c.fixed, h)
		}
	}
	return c
}

// compile compiles a pattern of a loaded profile.
func compile(pattern string) *origin.Pattern {
	compiled, err := origin.CompilePattern(pattern)
	if err != nil {
		panic("cors: a pattern of a loaded profile: " + err.Error())
	}
	return compiled
}

// enabled tells whether a request's path has CORS (CorsMiddleware.is_enabled).
func (c *policy) enabled(r *http.Request) bool { return c.paths.Match(pathInfo(r.URL.Path)) }

// pathInfo is HttpRequest.path_info, in which the bytes of a path that are not UTF-8 are
// escaped (django/core/handlers/wsgi.py, get_path_info).
func pathInfo(path string) string {
	if utf8.ValidString(path) {
		return path
	}
	var out strings.Builder
	for path != "" {
		c, size := utf8.DecodeRuneInString(path)
		if c == utf8.RuneError && size == 1 {
			fmt.Fprintf(&out, "%%%02X", path[0])
		} else {
			out.WriteRune(c)
		}
		path = path[size:]
	}
	return out.String()
}

// isPreflight tells whether a browser asks what it may send.
func isPreflight(r *http.Request) bool {
	_, asks := r.Header["Access-Control-Request-Method"]
	return asks && strings.EqualFold(r.Method, http.MethodOptions) // WSGIRequest puts it in upper case
}

// preflight is the answer to a preflight, to which finish adds the rest.
func (c *policy) preflight() wire.Reply {
	return wire.Reply{Status: http.StatusOK, ContentType: "text/html; charset=utf-8", Headers: c.fixed, Outcome: "options"}
}

// finish adds the headers to a reply (CorsMiddleware.process_response).
func (c *policy) finish(h http.Header, r *http.Request) {
	vary(h, c.names.origin)
	from, _ := wire.Header(r, "Origin")
	text := django.Latin1(from) // as WSGI has it
	parts, err := origin.Split(text)
	if from == "" || err != nil {
		return
	}
	allowed := c.AllOrigins || c.allows(text, parts)
	if c.Credentials && (allowed || c.Release.Before(profiles.CORS43)) {
		set(h, c.names.allowCredentials, "true")
	}
	if !allowed {
		return
	}
	if c.AllOrigins && !c.Credentials {
		from = "*"
	}
	set(h, c.names.allowOrigin, from)
	if len(c.ExposeHeaders) > 0 {
		set(h, c.names.exposeHeaders, strings.Join(c.ExposeHeaders, ", "))
	}
	if strings.EqualFold(r.Method, http.MethodOptions) {
		set(h, c.names.allowHeaders, strings.Join(c.CORS.Headers, ", "))
		set(h, c.names.allowMethods, strings.Join(c.Methods, ", "))
		if c.MaxAge > 0 {
			set(h, c.names.maxAge, strconv.Itoa(c.MaxAge))
		}
	}
	if asked, _ := wire.Header(r, "Access-Control-Request-Private-Network"); c.PrivateNetwork && asked == "true" {
		set(h, c.names.allowPrivateNetwork, "true")
	}
}

// allows tells whether an origin is one of those that may (CorsMiddleware.
// origin_found_in_white_lists).
func (c *policy) allows(text string, parts origin.Parts) bool {
	if text == "null" && c.null {
		return true
	}
	for _, o := range c.origins {
		// An origin without either, such as null in the list, equals all others without.
		if o.Scheme == parts.Scheme && o.Netloc == parts.Netloc {
			return true
		}
	}
	for _, p := range c.patterns {
		if p.Match(text) {
			return true
		}
	}
	return false
}

// set puts a header in the place of those of its name, in any case.
func set(h http.Header, name, value string) {
	for other := range h {
		if strings.EqualFold(other, name) {
			delete(h, other)
		}
	}
	h[name] = []string{value}
}

// vary adds a name to the header Vary (django/utils/cache.py 3.2, patch_vary_headers). Cookie
// stays the last: the middleware for sessions, which stands above, adds it later.
func vary(h http.Header, name string) {
	var all []string
	for key, lines := range h {
		if strings.EqualFold(key, "Vary") {
			all = append(all, lines...)
		}
	}
	var listed []string
	for _, item := range strings.Split(strings.Join(all, ","), ",") {
		switch item = strings.TrimSpace(item); {
		case item == "*":
			set(h, "Vary", "*")
			return
		case strings.EqualFold(item, name):
			return
		case item != "":
			listed = append(listed, item)
		}
	}
	if last := len(listed) - 1; last >= 0 && strings.EqualFold(listed[last], "Cookie") {
		listed = append(listed[:last], name, listed[last])
	} else {
		listed = append(listed, name)
	}
	set(h, "Vary", strings.Join(listed, ", "))
}
