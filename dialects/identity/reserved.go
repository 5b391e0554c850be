package identity

import "strings"

// Names that no client may use, with all that is no letter or digit of ASCII folded away:
// headers that begin like ours, and the one by which proxies tell of users. WSGI and CGI make
// one name of X-Authcompat-Identity and X_Authcompat_Identity, and other servers fold more.
const (
	reservedPrefix = "xauthcompat"
	reservedName   = "remoteuser"
)

// Reserved reports whether an application may take a header with this name for an identity,
// however it is spelled. A front passes none on from a client.
func Reserved(name string) bool {
	var folded [len(reservedPrefix)]byte
	n := 0
	for i := range len(name) {
		c := name[i]
		if !isAlphanumeric(c) {
			continue
		}
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		if n == 0 && c != reservedPrefix[0] && c != reservedName[0] {
			return false // nearly all of them
		}
		if n < len(folded) {
			folded[n] = c
		}
		n++
	}
	return n >= len(reservedPrefix) && string(folded[:]) == reservedPrefix || n == len(reservedName) && string(folded[:n]) == reservedName
}

func isAlphanumeric(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

// ReservedPattern returns a regular expression, of the syntax that all engines have, that
// matches the names in lower case for which [Reserved] is true: for proxies that remove headers
// by one.
func ReservedPattern() string {
	const between = "[^a-z0-9]*"
	spread := func(letters string) string { return between + strings.Join(strings.Split(letters, ""), between) }
	return "^(" + spread(reservedPrefix) + "|" + spread(reservedName) + between + "$)"
}
