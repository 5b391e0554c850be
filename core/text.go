package core

import (
	"strings"
	"unicode"
)

// Strip cuts white space off both ends as Python's str.strip does: Unicode's
// White_Space and the four separators U+001C to U+001F, which that property
// leaves out. The dialects strip what clients send; the engine an address before it
// is stored, as Django's BaseUserManager.normalize_email does.
func Strip(s string) string {
	return strings.TrimFunc(s, func(r rune) bool {
		return unicode.IsSpace(r) || r >= 0x1c && r <= 0x1f
	})
}
