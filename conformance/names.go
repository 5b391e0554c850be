package conformance

import (
	"crypto/rand"
	"strconv"
	"strings"
	"unicode/utf8"
)

// suffixLength is the length of the suffix that makes a username unique: a hyphen, which every
// profile allows in usernames, six characters for the run and three for the user within it.
const suffixLength = 10

// runName returns six random characters for the suffixes of one run.
func runName() string { return strings.ToLower(rand.Text())[:6] }

// A naming makes usernames unique. Its run is empty for isolated servers, on which names are as
// documented.
type naming struct {
	run   string
	count int
}

// username returns the unique name for a user, of the exact length if the file asks for one.
func (n *naming) username(u user) string {
	suffix := ""
	if n.run != "" {
		count := strconv.FormatInt(int64(n.count), 36)
		suffix = "-" + n.run + strings.Repeat("0", max(0, 3-len(count))) + count
		n.count++
	}
	if u.length == 0 {
		return u.username + suffix
	}
	padding := u.length - utf8.RuneCountInString(u.username) - len(suffix)
	if padding < 0 {
		return string([]rune(u.username)[:u.length-len(suffix)]) + suffix
	}
	return u.username + strings.Repeat("x", padding) + suffix
}
