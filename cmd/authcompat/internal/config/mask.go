package config

import (
	"net/url"
	"regexp"
	"strings"

	"github.com/authcompat/authcompat/store"
)

// masked is shown instead of a secret.
const masked = "***"

// secretLike matches the names of parameters that may be secret: libpq's password and
// sslpassword, and sslinline, with which a key is given in the address itself.
var secretLike = regexp.MustCompile(`(?i)pass|pwd|secret|private|-----BEGIN`)

// maskDSN hides the secrets in a store's address. Nothing is shown of one that can't be
// parsed, because any part of it may be a password.
func maskDSN(dsn string) string {
	if store.ValidateDSN(dsn) != nil {
		return masked
	}
	scheme, rest, isURL := strings.Cut(dsn, "://")
	if !isURL || strings.Contains(scheme, ":") {
		return dsn // the path of a file
	}
	rest, query, hasQuery := strings.Cut(rest, "?")
	authority, path, hasPath := strings.Cut(rest, "/")
	if at := strings.LastIndexByte(authority, '@'); at >= 0 {
		if user, _, has := strings.Cut(authority[:at], ":"); has {
			authority = user + ":" + masked + authority[at:]
		}
	}
	text := scheme + "://" + authority
	if hasPath {
		text += "/" + path
	}
	if hasQuery {
		text += "?" + maskQuery(query)
	}
	return text
}

// maskQuery hides the values of parameters that are secrets.
func maskQuery(query string) string {
	pairs := strings.Split(query, "&")
	for i, pair := range pairs {
		name, value, has := strings.Cut(pair, "=")
		plainName, _ := url.QueryUnescape(name) // store.ValidateDSN has tried it
		plainValue, _ := url.QueryUnescape(value)
		if has && plainName != "passfile" && (secretLike.MatchString(plainName) || secretLike.MatchString(plainValue)) {
			pairs[i] = name + "=" + masked
		}
	}
	return strings.Join(pairs, "&")
}
