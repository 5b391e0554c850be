package curl

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// A piece of a text is a text itself, or the name of a variable.
type piece struct {
	text     string
	variable bool
}

func pieces(text string) []piece {
	var all []piece
	for {
		before, rest, found := strings.Cut(text, variableBegins)
		if before != "" {
			all = append(all, piece{text: before})
		}
		if !found {
			return all
		}
		var name string
		name, text, _ = strings.Cut(rest, variableEnds)
		all = append(all, piece{text: name, variable: true})
	}
}

// isPlain reports whether a text can be quoted as it is: it is UTF-8 without control characters, line
// feeds aside.
func isPlain(text string) bool {
	for _, p := range pieces(text) {
		if !p.variable && (!utf8.ValidString(p.text) || strings.ContainsFunc(p.text, isControl)) {
			return false
		}
	}
	return true
}

func isControl(r rune) bool { return r < 0x20 && r != '\n' || r >= 0x7f && r < 0xa0 }

// shellWord quotes a text for a POSIX shell, as one word.
func shellWord(text string) string {
	var b strings.Builder
	for _, p := range pieces(text) {
		switch {
		case p.variable:
			b.WriteString(`"$` + p.text + `"`)
		case isPlain(p.text):
			b.WriteString(quoted(p.text))
		default:
			b.WriteString(`"$(printf ` + shellFormat(p.text) + `)"`)
		}
	}
	if b.Len() == 0 {
		return "''"
	}
	return b.String()
}

// shellOutput returns a command that prints a text.
func shellOutput(text string) string {
	var commands []string
	for _, p := range pieces(text) {
		if p.variable {
			commands = append(commands, `printf %s "$`+p.text+`"`)
		} else {
			commands = append(commands, "printf "+shellFormat(p.text))
		}
	}
	if len(commands) == 1 {
		return commands[0]
	}
	return "{ " + strings.Join(commands, "; ") + "; }"
}

// shellFormat returns a format that makes printf print a text, with octal escapes for what is no
// printable ASCII.
func shellFormat(text string) string {
	var b strings.Builder
	for _, c := range []byte(text) {
		switch {
		case c == '%':
			b.WriteString("%%")
		case c == '\\' || c == '\'' || c < 0x20 || c >= 0x7f:
			fmt.Fprintf(&b, `\%03o`, c)
		default:
			b.WriteByte(c)
		}
	}
	return "'" + b.String() + "'"
}

func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }
