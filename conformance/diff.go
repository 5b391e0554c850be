package conformance

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	diffWidth = 160 // of one line that is shown, in characters
	diffLines = 40  // of either side
	diffNear  = 3   // lines before and after the difference
)

// A diffLine is a line of a diff: shared, only wanted, or only got. Of mark, the characters from
// From to To are those that differ; none do if they are equal.
type diffLine struct {
	sign     byte // ' ', '-' for wanted, '+' for got
	text     string
	from, to int
}

// diff shows how two texts differ. What is the same at the beginning and at the end is left out
// but for a few lines; control characters are shown as escapes.
func diff(want, got string) []diffLine {
	w, g := splitLines(want), splitLines(got)
	same := 0
	for same < len(w) && same < len(g) && w[same] == g[same] {
		same++
	}
	end := 0
	for end < len(w)-same && end < len(g)-same && w[len(w)-1-end] == g[len(g)-1-end] {
		end++
	}
	var lines []diffLine
	for _, text := range w[max(0, same-diffNear):same] {
		lines = append(lines, sharedLine(text))
	}
	after := w[len(w)-end:]
	w, g = w[same:len(w)-end], g[same:len(g)-end]
	if len(w) == 1 && len(g) == 1 {
		lines = append(lines, linePair(w[0], g[0])...)
	} else {
		lines = append(lines, block('-', w)...)
		lines = append(lines, block('+', g)...)
	}
	for _, text := range after[:min(diffNear, len(after))] {
		lines = append(lines, sharedLine(text))
	}
	return lines
}

// splitLines has no line for an empty text.
func splitLines(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}

func sharedLine(text string) diffLine {
	shown, _ := window([]rune(printable(text)), 0)
	return diffLine{sign: ' ', text: shown}
}

func block(sign byte, texts []string) []diffLine {
	var lines []diffLine
	for i, text := range texts {
		if i == diffLines {
			return append(lines, diffLine{sign: sign, text: fmt.Sprintf("… %d more lines", len(texts)-i)})
		}
		shown, _ := window([]rune(printable(text)), 0)
		lines = append(lines, diffLine{sign: sign, text: shown, to: utf8.RuneCountInString(shown)})
	}
	return lines
}

// linePair shows two lines with the part of them marked that differs.
func linePair(want, got string) []diffLine {
	w, g := []rune(printable(want)), []rune(printable(got))
	from := 0
	for from < len(w) && from < len(g) && w[from] == g[from] {
		from++
	}
	end := 0
	for end < len(w)-from && end < len(g)-from && w[len(w)-1-end] == g[len(g)-1-end] {
		end++
	}
	line := func(sign byte, r []rune) diffLine {
		text, shift := window(r, from)
		shown := utf8.RuneCountInString(text)
		return diffLine{sign: sign, text: text, from: min(from-shift, shown), to: min(len(r)-end-shift, shown)}
	}
	return []diffLine{line('-', w), line('+', g)}
}

// window cuts a long line to what is near the position, and returns by how much the characters
// moved to the left.
func window(r []rune, position int) (string, int) {
	if len(r) <= diffWidth {
		return string(r), 0
	}
	first := max(0, min(position-diffWidth/2, len(r)-diffWidth))
	text := string(r[first:min(len(r), first+diffWidth)])
	shift := first
	if first > 0 {
		text, shift = "…"+text, first-1
	}
	if first+diffWidth < len(r) {
		text += "…"
	}
	return text, shift
}

// printable shows what a terminal would obey or hide as Go escapes: control characters, bytes that
// are no UTF-8, and characters without a shape.
func printable(text string) string {
	var b strings.Builder
	for i, r := range text {
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(text[i:], string(utf8.RuneError)):
			fmt.Fprintf(&b, `\x%02x`, text[i])
		case unicode.IsPrint(r):
			b.WriteRune(r)
		case r < 0x100:
			fmt.Fprintf(&b, `\x%02x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}
