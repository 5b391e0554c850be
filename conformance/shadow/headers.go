package shadow

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// Ignored reports whether a header is not compared: those of a connection (RFC 9110, 7.6.1), Date,
// Server and Via, which name a moment or a machine, and Content-Length, which follows from the
// body.
func Ignored(name string) bool {
	switch http.CanonicalHeaderKey(name) {
	case "Connection", "Proxy-Connection", "Keep-Alive", "Te", "Trailer", "Transfer-Encoding", "Upgrade",
		"Date", "Server", "Via", "Content-Length":
		return true
	}
	return false
}

// isPublic reports whether the values of a header are those of an API, and nobody's.
func isPublic(name string) bool {
	switch http.CanonicalHeaderKey(name) {
	case "Allow", "Content-Type", "Content-Language", "Content-Encoding", "Vary", "Www-Authenticate", "X-Frame-Options", "X-Content-Type-Options",
		"Referrer-Policy", "Cross-Origin-Opener-Policy", "Strict-Transport-Security", "Cache-Control", "Access-Control-Allow-Credentials",
		"Access-Control-Allow-Headers", "Access-Control-Allow-Methods", "Access-Control-Expose-Headers", "Access-Control-Max-Age":
		return true
	}
	return false
}

// maxPublic is the length of a header's value that is shown as it is.
const maxPublic = 200

// show returns the value of a header as it may be shown. WWW-Authenticate of Digest has a nonce
// in it: what is long, or has a word of many digits, is masked all the same.
func show(name, value string) string {
	if !isPublic(name) || len(value) > maxPublic || looksSecret(value) {
		return Mask(value)
	}
	return value
}

// get returns the first value of a header, however its name is spelt.
func get(h http.Header, name string) string {
	for spelt, values := range h {
		if http.CanonicalHeaderKey(spelt) == name && len(values) > 0 {
			return values[0]
		}
	}
	return ""
}

// spelt is a header as it was sent.
type spelt struct {
	name   string
	values []string
}

// collect returns the headers that are compared, by their canonical names.
func collect(h http.Header) map[string]spelt {
	all := make(map[string]spelt)
	for name, values := range h {
		if canonical := http.CanonicalHeaderKey(name); !Ignored(name) && len(values) > 0 {
			all[canonical] = spelt{name, append(slices.Clone(all[canonical].values), values...)}
		}
	}
	return all
}

// headers compares the headers.
func (c *comparison) headers(old, ours http.Header) {
	was, is := collect(old), collect(ours)
	var names []string
	for name := range was {
		names = append(names, name)
	}
	for name := range is {
		if _, both := was[name]; !both {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		a, had := was[name]
		b, has := is[name]
		place := "header " + shownName(a.name, b.name)
		switch {
		case !has:
			c.add(Difference{Place: place, Kind: KindMissing, Old: show(name, strings.Join(a.values, ", "))})
		case !had:
			c.add(Difference{Place: place, Kind: KindExtra, Ours: show(name, strings.Join(b.values, ", "))})
		case name == "Set-Cookie":
			c.cookies(place, a.values, b.values)
		default:
			c.header(place, name, a, b)
		}
	}
}

// shownName returns a header's name, as we spell it if we have it.
func shownName(old, ours string) string {
	if ours != "" {
		return ours
	}
	if looksSecret(old) || len(old) > maxHeaderName {
		return Mask(old)
	}
	return old
}

// maxHeaderName is the length of a header's name that is shown as it is: the old server may send one of any length.
const maxHeaderName = 60

// header compares a header that both have.
func (c *comparison) header(place, name string, a, b spelt) {
	x, y := strings.Join(a.values, ", "), strings.Join(b.values, ", ")
	switch {
	case x != y:
		c.add(Difference{Place: place, Kind: KindValue, Old: show(name, x), Ours: show(name, y), SameForm: len(x) == len(y)})
	case len(a.values) != len(b.values):
		c.add(Difference{Place: place, Kind: KindLines, Old: fmt.Sprint(len(a.values)), Ours: fmt.Sprint(len(b.values))})
	case a.name != b.name:
		c.add(Difference{Place: place, Kind: KindSpelling, Old: shownName(a.name, ""), Ours: b.name})
	}
}

// cookies compares cookies: their names and attributes, and the lengths of their values, which
// are issued.
func (c *comparison) cookies(place string, old, ours []string) {
	was, is := make(map[string]string), make(map[string]string)
	var names []string
	for _, side := range []struct {
		lines []string
		into  map[string]string
	}{{old, was}, {ours, is}} {
		for _, line := range side.lines {
			name, rest, _ := strings.Cut(line, "=")
			value, attributes, _ := strings.Cut(rest, ";")
			side.into[name] = fmt.Sprintf("%d characters; %s", len(value), Mask(strings.TrimSpace(attributes)))
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	for _, name := range names {
		a, had := was[name]
		b, has := is[name]
		at := place + " " + key(name)
		switch {
		case !has:
			c.add(Difference{Place: at, Kind: KindMissing, Old: a})
		case !had:
			c.add(Difference{Place: at, Kind: KindExtra, Ours: b})
		case a != b:
			c.add(Difference{Place: at, Kind: KindForm, Old: a, Ours: b})
		}
	}
}
