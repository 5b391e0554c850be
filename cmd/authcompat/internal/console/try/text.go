package try

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/page"
)

// needsEscapes reports whether a text could not be typed as it is: it is no UTF-8, or has control characters besides line
// feeds and tabs. A browser sends each line end as CR and LF, of which form.go makes LF.
func needsEscapes(text string) bool {
	return !utf8.ValidString(text) || strings.ContainsFunc(text, func(c rune) bool { return unicode.IsControl(c) && c != '\n' && c != '\t' })
}

// escape writes bytes as a text that can be typed: \\ for a backslash, \r, and \xff for what is no UTF-8 or a control
// character besides line feeds and tabs.
func escape(text string) string {
	var b strings.Builder
	for i, c := range text {
		switch {
		case c == '\\':
			b.WriteString(`\\`)
		case c == '\n' || c == '\t':
			b.WriteRune(c)
		default:
			b.WriteString(page.ShownRune(text, i, c))
		}
	}
	return b.String()
}

// unescape reads what escape writes, and \n and \t.
func unescape(text string) (string, error) {
	var b strings.Builder
	for rest := text; rest != ""; {
		before, after, found := strings.Cut(rest, `\`)
		b.WriteString(before)
		if !found {
			break
		}
		switch {
		case after == "":
			return "", fmt.Errorf(`a backslash at the end: want \\ for one`)
		case after[0] == 'x' && len(after) >= 3:
			c, err := strconv.ParseUint(after[1:3], 16, 8)
			if err != nil {
				return "", fmt.Errorf(`\%q: want two hex digits after \x`, after[:3])
			}
			b.WriteByte(byte(c))
			rest = after[3:]
			continue
		}
		c, ok := map[byte]byte{'\\': '\\', 'n': '\n', 'r': '\r', 't': '\t'}[after[0]]
		if !ok {
			return "", fmt.Errorf(`a backslash before %q: want \\, \n, \r, \t or \xff`, after[:1])
		}
		b.WriteByte(c)
		rest = after[1:]
	}
	return b.String(), nil
}
