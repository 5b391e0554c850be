package fields

import "strings"

// IsOpaque tells whether a value of a response looks as if it could not be guessed: an identifier that
// someone made up for one purpose.
func IsOpaque(value string) bool {
	if len(value) < 16 || !IsToken68(value) {
		return false
	}
	if hexOnly().MatchString(value) {
		return true
	}
	return len(value) >= 20 && strings.ContainsAny(value, "0123456789") && strings.ContainsAny(strings.ToLower(value), "abcdefghijklmnopqrstuvwxyz") && !strings.Contains(value, "//")
}

// IsIssuable tells whether a value that a response has under a secret's name can be one, and is not a word
// about it.
func IsIssuable(value string) bool {
	return len(value) >= 8 && IsToken68(value) && strings.ContainsAny(value, "0123456789")
}

// IsHash reports whether a text is the hash of a password, as Django or crypt(3) write it.
func IsHash(value string) bool {
	return passwordHash().MatchString(value) && strings.Count(value, "$") >= 2
}

// IsToken68 reports whether a value can be credentials of a scheme (RFC 9110, 11.2).
func IsToken68(value string) bool {
	return token68().MatchString(value)
}
