package differential

import (
	"fmt"
	"strconv"
	"strings"
)

func (g *Generator) method() string {
	return pick(g, []string{"GET", "GET", "HEAD", "OPTIONS", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "PURGE", "FOO"})
}

// withID gives a path an id in the place of {id}, mostly that of a user.
func (g *Generator) withID(path string) string {
	before, after, there := strings.Cut(path, "{id}")
	if !there {
		return path
	}
	id := strconv.Itoa(1 + g.rand.IntN(g.made+4))
	switch {
	case g.chance(40): // those who are there from the beginning
		id = strconv.Itoa(1 + g.rand.IntN(3))
	case g.chance(10):
		id = pick(g, []string{"0", "-1", "x", "+1", "01", "%20" + id, id + "%20", id + "%0A", "%D9%A1", "%C2%B9", "1_0", "1__0", "_1", "1.0", "1e0", "0x1", "%00", id + "%00", "%ff", "me2", "99999999999999999999", strings.Repeat("9", 2000), "%F0%9D%9F%8F", "None", "1-1"})
	}
	return before + id + after
}

// oddPath returns a path that resembles the given one.
func (g *Generator) oddPath(path string) string {
	bare := strings.TrimSuffix(path, "/")
	if bare == "" {
		bare = path
	}
	switch g.rand.IntN(4) {
	case 0:
		return path + "?" + pick(g, g.odd.queries)
	case 1:
		return bare + "?" + pick(g, g.odd.queries)
	case 2:
		return bare + "/"
	}
	return pick(g, nearPaths(path, bare))
}

// nearPaths are paths that a router which cleans, decodes or guesses could confuse with the given one.
func nearPaths(path, bare string) []string {
	slash := strings.LastIndexByte(bare, '/')
	folder, last := bare[:slash+1], bare[slash+1:]
	escaped := path
	if last != "" {
		escaped = fmt.Sprintf("%s%%%02x%s", folder, last[0], last[1:])
	}
	return []string{"/", "//", "/nowhere", "/nowhere/", bare, path + "/", "/" + path, "/." + path, path + ".", path + "..", bare + "/./", bare + "/../" + last + "/",
		strings.ToUpper(path), bare + "%2F", bare + "%2f?x", escaped, escaped + "/", path + "x", bare + "x", path + "%00", path + "%0A", bare + "%0a", bare + "%0A/",
		bare + ";a=b/", bare + ";/", path + ";", path + "%20", bare + "%20/", bare + "+/", path + "%C3%A9", path + "%ff", bare + "%ff", bare + "%3F", path + "index.html",
		"/favicon.ico", "/admin", "/api", "/api/", "/auth", "/auth/", "/%2e%2e" + path, strings.ReplaceAll(path, "/", "//"), "/" + strings.ReplaceAll(path[1:], "/", "%2F"), "/\u00e9/", path + "?a%zz"}
}

func queries() []string {
	return []string{"", "?", "&", "a", "a=b", "next=/x/", "format=json", "format=api", "format=xml", "format=", "format", "format=JSON", "format=json&format=api", "format=api&format=json",
		"format=html", "format=admin", "format=%6Ason", "form%61t=json", "format=json%20", "format=+json", "format=%ff", "Format=json", "a=b;format=xml", "a=b&format=json",
		"username=john&password=password", "%zz", "\u00e9=\u00e9", "%C3%A9", "a%20b", "a+b", "\"<>'", "a=b&a=c", "[]", "{}", "|\\^`", "a=%2F/?:@", strings.Repeat("a", 2000),
		strings.Repeat("a=b&", 999) + "a=b", strings.Repeat("a=b&", 1000) + "a=b"}
}
