// Package pgdsn knows what can safely be shown of the URL of a PostgreSQL database.
package pgdsn

import (
	"net/url"
	"regexp"
	"strings"
)

// parameterName matches the names of settings of libpq and of servers.
var parameterName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.]*$`)

// WellFormed reports whether a DSN splits into the intended parts. If a password
// contains an unescaped /, ? or #, a part of it would be taken for the database name or
// a parameter, and be shown.
func WellFormed(dsn string) bool {
	_, rest, _ := strings.Cut(dsn, "://")
	rest, _, fragment := strings.Cut(rest, "#")
	rest, query, _ := strings.Cut(rest, "?")
	_, path, _ := strings.Cut(rest, "/")
	if fragment || strings.ContainsRune(path, '@') {
		return false
	}
	parameters, err := url.ParseQuery(query)
	for name := range parameters {
		if !parameterName.MatchString(name) {
			return false
		}
	}
	return err == nil
}
