// Package origin reads the origins and the patterns of django-cors-headers' settings as
// Python does: urllib.parse.urlsplit, and re.match.
package origin

import (
	"errors"
	"net/netip"
	"strings"
)

// Parts are what django-cors-headers compares of an origin, and what else it has.
type Parts struct {
	Scheme string // in lower case; empty: none
	Netloc string // host and port as they were written, in their case; empty: none
	Rest   string // path, query and fragment
}

// errBrackets is urlsplit's ValueError.
var errBrackets = errors.New("has brackets around what is no IPv6 address")

// Split is urllib.parse.urlsplit of CPython 3.11 with Debian's security patches of 2025
// (CVE-2025-0938), for texts of Latin-1, as WSGI has headers: none of them has a character that
// NFKC changes into a delimiter, which urlsplit looks for in others. It fails where
// urlsplit raises a ValueError.
func Split(text string) (Parts, error) {
	text = strings.TrimLeftFunc(text, func(c rune) bool { return c <= ' ' })
	text = strings.NewReplacer("\t", "", "\r", "", "\n", "").Replace(text)
	var p Parts
	if scheme, rest, ok := strings.Cut(text, ":"); ok && isScheme(scheme) {
		p.Scheme, text = strings.ToLower(scheme), rest
	}
	p.Rest = text
	after, ok := strings.CutPrefix(text, "//")
	if !ok {
		return p, nil
	}
	end := strings.IndexAny(after, "/?#")
	if end < 0 {
		end = len(after)
	}
	p.Netloc, p.Rest = after[:end], after[end:]
	if strings.ContainsAny(p.Netloc, "[]") && !validBrackets(p.Netloc) {
		return Parts{}, errBrackets
	}
	return p, nil
}

// isScheme tells whether what stands before a colon is a scheme.
func isScheme(s string) bool {
	letter := func(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }
	for i := range len(s) {
		if c := s[i]; !letter(c) && (i == 0 || !strings.Contains("0123456789+-.", string(c))) {
			return false
		}
	}
	return s != ""
}

// validBrackets is _check_bracketed_netloc.
func validBrackets(netloc string) bool {
	if !strings.Contains(netloc, "[") || !strings.Contains(netloc, "]") {
		return false
	}
	host := netloc[strings.LastIndex(netloc, "@")+1:]
	before, bracketed, open := strings.Cut(host, "[")
	if !open {
		name, _, _ := strings.Cut(host, ":")
		return validAddress(name)
	}
	name, port, _ := strings.Cut(bracketed, "]")
	return before == "" && (port == "" || port[0] == ':') && validAddress(name)
}

// validAddress is _check_bracketed_host: an IPv6 address, or RFC 3986's IPvFuture.
func validAddress(s string) bool {
	if future, ok := strings.CutPrefix(s, "v"); ok {
		version, address, ok := strings.Cut(future, ".")
		return ok && version != "" && strings.Trim(version, "0123456789abcdefABCDEF") == "" && address != "" && !strings.Contains(address, "\n")
	}
	address, err := netip.ParseAddr(s)
	return err == nil && !address.Is4() && strings.Count(s, "%") <= 1
}
