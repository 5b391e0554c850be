package callers

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxAgent is how many bytes of a User-Agent are kept.
const maxAgent = 200

// Withheld is kept of a User-Agent with a token or a password in it that the same request had.
const Withheld = "(withheld)"

// redacted takes the place of what may be a token.
const redacted = "…"

// longSecret is the shortest password, in bytes, that is looked for within words: of shorter ones,
// every other User-Agent would have one in it.
const longSecret = 6

// cleanAgent returns what is kept of a User-Agent: valid UTF-8 without control characters, and
// without what may be a token, of at most maxAgent bytes.
func cleanAgent(raw string, secrets []string) string {
	if slices.ContainsFunc(secrets, func(secret string) bool { return shows(raw, secret) }) {
		return Withheld
	}
	text := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(raw, string(utf8.RuneError)))
	return cut(redact(text), maxAgent)
}

// shows reports whether a text shows a secret.
func shows(text, secret string) bool {
	if secret == "" || !strings.Contains(text, secret) {
		return false
	}
	return len(secret) >= longSecret || slices.Contains(strings.Fields(text), secret) || text == secret
}

// minToken is how long a token is at least: core.MinTokenHex.
const minToken = 32

// redact replaces letters and digits in a row that are as many as those of a token: that of
// another request, or of another server.
func redact(text string) string {
	var out strings.Builder
	kept, run := 0, 0 // bytes that were looked at, and how many letters and digits end there
	for i := 0; i <= len(text); i++ {
		if i < len(text) && isAlphanumeric(text[i]) {
			run++
			continue
		}
		if run >= minToken {
			out.WriteString(text[kept : i-run])
			out.WriteString(redacted)
			kept = i
		}
		run = 0
	}
	return out.String() + text[kept:]
}

func isAlphanumeric(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// cut returns as many whole characters of a text as have at most so many bytes.
func cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	for most > 0 && !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most]
}
