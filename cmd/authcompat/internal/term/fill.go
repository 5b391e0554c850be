package term

import (
	"strings"

	"github.com/mattn/go-runewidth"
	"golang.org/x/term"
)

// The width of text in columns: of what is no terminal, and at most, because longer lines of prose are hard to read.
const (
	defaultWidth = 80
	mostWidth    = 120
)

// Width returns how many columns text may have on w: those of the terminal, at most 120, or 80 where there is none.
func Width(w any) int {
	if f, ok := w.(interface{ Fd() uintptr }); ok {
		if columns, _, err := term.GetSize(int(f.Fd())); err == nil && columns > 0 {
			return min(columns, mostWidth)
		}
	}
	return defaultWidth
}

// Fill breaks text anew into lines of at most width columns. Lines without an empty one between them are a paragraph.
// A line that is indented is as it is, but for an item: a word and two spaces more (as in "  0  it is done"), with
// the lines below it that are indented as far as its text.
func Fill(text string, width int) string {
	var out strings.Builder
	var words []string
	var first, rest string // what the first line of the paragraph begins with, and the others
	flush := func() {
		fillWords(&out, words, first, rest, width)
		words, first, rest = nil, "", ""
	}
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		body := strings.TrimLeft(line, " ")
		indent := line[:len(line)-len(body)]
		_, of, isItem := strings.Cut(body, "  ")
		switch {
		case body == "":
			flush()
			out.WriteByte('\n')
		case words != nil && indent == rest:
			words = append(words, strings.Fields(body)...)
		case indent == "" && !strings.HasPrefix(body, "\t"):
			flush()
			words = strings.Fields(body)
		case isItem:
			flush()
			of = strings.TrimLeft(of, " ")
			first, rest = line[:len(line)-len(of)], strings.Repeat(" ", len(line)-len(of))
			words = strings.Fields(of)
		default:
			flush()
			out.WriteString(line + "\n")
		}
	}
	flush()
	return strings.TrimSuffix(out.String(), "\n")
}

// Hang breaks text into lines of at most width columns, of which all but the first are indented. What comes before
// the first on its line takes as many columns.
func Hang(text string, indent, width int) string {
	var out strings.Builder
	rest := strings.Repeat(" ", indent)
	fillWords(&out, strings.Fields(text), rest, rest, width)
	return strings.TrimSpace(out.String())
}

// fillWords writes a paragraph.
func fillWords(out *strings.Builder, words []string, first, rest string, width int) {
	line, empty := first, true
	for _, word := range words {
		if !empty && runewidth.StringWidth(line)+1+runewidth.StringWidth(word) > width {
			out.WriteString(line + "\n")
			line, empty = rest, true
		}
		if !empty {
			line += " "
		}
		line, empty = line+word, false
	}
	if !empty {
		out.WriteString(line + "\n")
	}
}
