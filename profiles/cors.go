package profiles

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/authcompat/authcompat/profiles/internal/yamlnode"
	"github.com/authcompat/authcompat/profiles/internal/yamlvalue"
	"github.com/authcompat/authcompat/profiles/origin"
)

// CORS says how browsers are told which other sites' pages may use the API: the settings of
// django-cors-headers (corsheaders/conf.py), whose middleware stands above CommonMiddleware
// and below those for security and sessions, as its documentation has it.
type CORS struct {
	// AllOrigins says that all may (CORS_ALLOW_ALL_ORIGINS).
	AllOrigins bool
	// Origins are those that may, SCHEME://HOST[:PORT], compared as they are written,
	// or null (CORS_ALLOWED_ORIGINS).
	Origins []string
	// OriginPatterns are Python's regular expressions, of which one has to match an origin
	// from its start (CORS_ALLOWED_ORIGIN_REGEXES).
	OriginPatterns []string
	// Credentials says whether pages may send cookies (CORS_ALLOW_CREDENTIALS).
	Credentials bool
	// Methods and Headers are those that pages may use, in the order of the reply
	// (CORS_ALLOW_METHODS, CORS_ALLOW_HEADERS). Unless the profile says otherwise they are
	// those of the release.
	Methods, Headers []string
	// ExposeHeaders are those of replies that pages may read (CORS_EXPOSE_HEADERS).
	ExposeHeaders []string
	// MaxAge is for how many seconds a browser keeps the answer to a preflight, 86400
	// unless the profile says otherwise; 0: it isn't told (CORS_PREFLIGHT_MAX_AGE).
	MaxAge int
	// Paths is Python's regular expression of the paths that have CORS, all unless the
	// profile says otherwise (CORS_URLS_REGEX).
	Paths string
	// PrivateNetwork says whether pages of public sites may use the API in a private
	// network (CORS_ALLOW_PRIVATE_NETWORK, since 4.0).
	PrivateNetwork bool
	// Release is "2.4" unless the profile says otherwise.
	Release CORSRelease
}

// CORSRelease is the release of django-cors-headers in which a behaviour began that lasts until
// the next of the values.
type CORSRelease string

// The values of CORSRelease.
const (
	CORS24 CORSRelease = "2.4" // to 3.14
	CORS40 CORSRelease = "4.0" // names of headers in lower case, fewer of them allowed
	CORS43 CORSRelease = "4.3" // credentials are spoken of only to origins that may
)

// defaultPaths is the default of CORS_URLS_REGEX.
const defaultPaths = `^.*$`

// allOrigins is the word for all origins.
const allOrigins = "all"

// Before tells whether the release is older than another one.
func (r CORSRelease) Before(other CORSRelease) bool { return r < other }

// headers are the headers that a release allows by default (corsheaders/defaults.py).
func (r CORSRelease) headers() []string {
	if r.Before(CORS40) {
		return []string{"accept", "accept-encoding", "authorization", "content-type", "dnt", "origin", "user-agent", "x-csrftoken", "x-requested-with"}
	}
	return []string{"accept", "authorization", "content-type", "user-agent", "x-csrftoken", "x-requested-with"}
}

// OpenToAllSites tells whether pages of any site may use the API as whoever is logged in there, by the
// credentials of HTTP Basic that the browser keeps and sends along.
func (p *Profile) OpenToAllSites() bool {
	basic := func(a Authentication) bool { return a.Kind == AuthenticateBasic }
	return p.CORS != nil && p.CORS.AllOrigins && p.CORS.Credentials && slices.ContainsFunc(p.Authentications(), basic)
}

// readCORS reads CORS, and refuses headers that it would write over.
func (p *Profile) readCORS(m *yamlvalue.Map) {
	yamlvalue.Optional(m, "cors", &p.CORS, cors)
	given, _ := m.Get("cors")
	for _, key := range []string{"headers", "preflight_headers"} {
		v, ok := m.Get(key)
		if !ok {
			continue
		}
		entries, _ := v.Entries()
		for e := range entries {
			name := strings.ToLower(e.Name)
			switch {
			case name == "vary" && p.Family != "" && p.Family != PlainJSON:
				e.Refuse("the views write this header themselves, over this one")
			case given.Node != nil && strings.HasPrefix(name, "access-control-"):
				e.Refuse("is written by cors, which stands here too")
			}
		}
	}
}

// cors reads CORS.
func cors(v yamlvalue.Value) (*CORS, bool) {
	m := v.Mapping()
	c := &CORS{MaxAge: 86400, Paths: defaultPaths, Release: CORS24, Methods: []string{"DELETE", "GET", "OPTIONS", "PATCH", "POST", "PUT"}}
	released := yamlvalue.Optional(m, "release", &c.Release, corsRelease)
	_, named := m.Get("release")
	c.Headers = c.Release.headers()
	if v, ok := m.Get("origins"); ok {
		c.readOrigins(v)
	}
	yamlvalue.Optional(m, "origin_patterns", &c.OriginPatterns, listOf(pattern))
	yamlvalue.Optional(m, "credentials", &c.Credentials, yamlvalue.Boolean)
	yamlvalue.Optional(m, "methods", &c.Methods, listOf(token))
	yamlvalue.Optional(m, "headers", &c.Headers, listOf(token))
	yamlvalue.Optional(m, "expose_headers", &c.ExposeHeaders, listOf(token))
	yamlvalue.Optional(m, "max_age", &c.MaxAge, yamlvalue.Integer(0, math.MaxInt32))
	yamlvalue.Optional(m, "paths", &c.Paths, pattern)
	yamlvalue.Optional(m, "private_network", &c.PrivateNetwork, yamlvalue.Boolean)
	if v, _ := m.Get("private_network"); c.PrivateNetwork && c.Release.Before(CORS40) && (released || !named) {
		v.Refuse("is of release 4.0 and later ones")
	}
	m.Done()
	if m.Broken {
		return nil, false
	}
	return c, true
}

// corsRelease reads a release, which may be written as a number.
func corsRelease(v yamlvalue.Value) (CORSRelease, bool) {
	v.Shape().Number()
	if r := CORSRelease(v.Node.Value); r == CORS24 || r == CORS40 || r == CORS43 {
		return r, true
	}
	return yamlvalue.Word(CORS24, CORS40, CORS43)(v)
}

// readOrigins reads all, or a list of origins.
func (c *CORS) readOrigins(v yamlvalue.Value) {
	v.Shape().Words(allOrigins)
	if _, isList := v.Items(); !isList && v.IsText() && v.Node.Value == allOrigins {
		c.AllOrigins = true
		return
	}
	yamlvalue.Keep(v, &c.Origins, listOf(allowedOrigin))
}

// allowedOrigin reads an origin, with the system checks of django-cors-headers
// (corsheaders/checks.py, E013 and E014).
func allowedOrigin(v yamlvalue.Value) (string, bool) {
	s, ok := yamlvalue.Text(v)
	// From pages that have no origin, and from files to Chrome on Android.
	if !ok || s == "null" || s == "file://" {
		return s, ok
	}
	parts, err := origin.Split(s)
	switch {
	case s == allOrigins:
		v.Refuse("stands in a list: origins: %s is without one", allOrigins)
	case err != nil:
		v.Refuse("%s", err)
	case parts.Scheme == "" || parts.Netloc == "":
		v.Want("an origin such as https://app.example or http://localhost:3000, or null")
	case parts.Rest != "":
		v.Refuse("an origin ends with its host or its port: it has no path, not even a slash")
	case !httpguts.ValidHeaderFieldValue(s):
		v.Refuse("no header has such an origin: it has control characters")
	default:
		return s, true
	}
	return "", false
}

// pattern reads a regular expression of Python's.
func pattern(v yamlvalue.Value) (string, bool) {
	s, ok := yamlvalue.Text(v)
	if !ok {
		return "", false
	}
	if _, err := origin.CompilePattern(s); err != nil {
		v.Refuse("%s", err)
		return "", false
	}
	return s, true
}

// listOf reads a list, of which each item is read with read. It may be empty.
func listOf[T any](read func(yamlvalue.Value) (T, bool)) func(yamlvalue.Value) ([]T, bool) {
	return func(v yamlvalue.Value) ([]T, bool) {
		items, isList := v.Items()
		if !isList {
			v.Want("a list")
			return nil, false
		}
		good := true
		var list []T
		for _, item := range items {
			got, ok := read(yamlvalue.Of(item))
			good = good && ok
			list = append(list, got)
		}
		return list, good
	}
}

func (c *CORS) show() yamlnode.Map {
	s := yamlnode.NewMap()
	if c == nil {
		return s
	}
	s.Text("release", string(c.Release))
	if c.AllOrigins {
		s.Text("origins", allOrigins)
	} else {
		s.Set("origins", yamlnode.Fold(yamlnode.Words(c.Origins), len("  origins: ")))
	}
	s.Set("origin_patterns", yamlnode.Fold(yamlnode.Words(c.OriginPatterns), len("  origin_patterns: ")))
	s.Flag("credentials", c.Credentials)
	s.Set("methods", yamlnode.Fold(yamlnode.Words(c.Methods), len("  methods: ")))
	s.Set("headers", yamlnode.Fold(yamlnode.Words(c.Headers), len("  headers: ")))
	s.Set("expose_headers", yamlnode.Fold(yamlnode.Words(c.ExposeHeaders), len("  expose_headers: ")))
	s.Set("max_age", yamlnode.Plain("!!int", strconv.Itoa(c.MaxAge)))
	s.Text("paths", c.Paths)
	s.Flag("private_network", c.PrivateNetwork)
	return s
}
