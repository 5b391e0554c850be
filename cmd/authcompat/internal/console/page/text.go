package page

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// ShownRune returns a character of a text as it is shown, line feeds and tabs aside: one that cannot be seen, or is no
// character, as an escape.
func ShownRune(text string, at int, c rune) string {
	switch {
	case c == utf8.RuneError && !strings.HasPrefix(text[at:], string(utf8.RuneError)):
		return fmt.Sprintf(`\x%02x`, text[at])
	case c == '\r':
		return `\r`
	case unicode.IsPrint(c):
		return string(c)
	case c < 0x80:
		return fmt.Sprintf(`\x%02x`, c)
	}
	var b strings.Builder
	for _, octet := range []byte(string(c)) {
		fmt.Fprintf(&b, `\x%02x`, octet)
	}
	return b.String()
}

// A Text is a text for people: what cannot be seen in it is written as escapes, and it has an end.
type Text struct {
	Text string
	More int // bytes that are left out
}

// Cut returns the beginning of a text whose HTML has at most budget bytes.
func Cut(text string, budget int) Text {
	var b strings.Builder
	size := 0
	for i, c := range text {
		one := string(c)
		if c != '\n' && c != '\t' {
			one = ShownRune(text, i, c)
		}
		if size += HTMLSize(one); size > budget {
			return Text{b.String(), len(text) - i}
		}
		b.WriteString(one)
	}
	return Text{Text: b.String()}
}

// HTMLSize returns how many bytes a text has in HTML.
func HTMLSize(text string) int {
	const entity = len("&#34;") // the longest that html/template writes, &#xfffd; for a NUL aside
	return len(text) + (entity-1)*strings.Count(text, `"`) + (entity-1)*strings.Count(text, "'") + (entity-1)*strings.Count(text, "&") +
		(entity-1)*strings.Count(text, "+") + (entity-2)*strings.Count(text, "<") + (entity-2)*strings.Count(text, ">")
}
