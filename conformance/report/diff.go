package report

import (
	"fmt"
	"math"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/aymanbagabas/go-udiff"
)

// A diffSize is how much is shown of a diff.
type diffSize struct {
	width int // of one line, in characters
	lines int // of either side of a change
	hunks int // changes with their context
}

const diffContext = 3 // lines before and after a change

// inTerminal is how much people read in a terminal or in the log of a build.
func inTerminal() diffSize { return diffSize{width: 160, lines: 40, hunks: 5} }

// unlimited shows everything.
func unlimited() diffSize {
	return diffSize{width: math.MaxInt, lines: math.MaxInt, hunks: math.MaxInt}
}

// A diffLine is a line of a diff: in both texts, only in the expected one, or only in the other. The
// characters from index from up to index to differ; none do in a line of both.
type diffLine struct {
	sign     byte // ' ' for both, '-' for expected, '+' for got
	text     string
	from, to int
}

// diff shows how two texts differ, line by line, with a few equal lines around each change. Control
// characters are shown as escapes.
func (size diffSize) diff(want, got string) []diffLine {
	want, got = terminated(want), terminated(got)
	unified, err := udiff.ToUnifiedDiff("", "", want, udiff.Lines(want, got), diffContext)
	if err != nil {
		panic(err) // edits always fit the text that they were computed from
	}
	var lines []diffLine
	for i, hunk := range unified.Hunks {
		if i > 0 {
			lines = append(lines, diffLine{sign: ' ', text: "…"})
		}
		if i == size.hunks {
			lines[len(lines)-1].text = fmt.Sprintf("… %d more differences", len(unified.Hunks)-i)
			break
		}
		for rest := hunk.Lines; len(rest) > 0; {
			var deleted, inserted []string
			deleted, rest = leading(udiff.Delete, rest)
			inserted, rest = leading(udiff.Insert, rest)
			lines = append(lines, size.change(deleted, inserted)...)
			var equal []string
			equal, rest = leading(udiff.Equal, rest)
			for _, text := range equal {
				lines = append(lines, size.sharedLine(text))
			}
		}
	}
	return lines
}

// terminated ends the last line of a text with a newline, so that it equals the same line elsewhere.
// A newline that was there shows as an empty line.
func terminated(text string) string {
	if text == "" {
		return ""
	}
	return text + "\n"
}

// leading splits off the lines of a kind at the beginning, without their newlines.
func leading(kind udiff.OpKind, lines []udiff.Line) (texts []string, rest []udiff.Line) {
	for len(lines) > 0 && lines[0].Kind == kind {
		texts = append(texts, strings.TrimSuffix(lines[0].Content, "\n"))
		lines = lines[1:]
	}
	return texts, lines
}

func (size diffSize) change(deleted, inserted []string) []diffLine {
	if len(deleted) == 1 && len(inserted) == 1 {
		return size.linePair(deleted[0], inserted[0])
	}
	return append(size.block('-', deleted), size.block('+', inserted)...)
}

func (size diffSize) sharedLine(text string) diffLine {
	shown, _ := size.window([]rune(printable(text)), 0)
	return diffLine{sign: ' ', text: shown}
}

func (size diffSize) block(sign byte, texts []string) []diffLine {
	var lines []diffLine
	for i, text := range texts {
		if i == size.lines {
			return append(lines, diffLine{sign: sign, text: fmt.Sprintf("… %d more lines", len(texts)-i)})
		}
		shown, _ := size.window([]rune(printable(text)), 0)
		lines = append(lines, diffLine{sign: sign, text: shown, to: utf8.RuneCountInString(shown)})
	}
	return lines
}

// linePair returns two lines with the part that differs marked.
func (size diffSize) linePair(want, got string) []diffLine {
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
		text, shift := size.window(r, from)
		shown := utf8.RuneCountInString(text)
		return diffLine{sign: sign, text: text, from: min(from-shift, shown), to: min(len(r)-end-shift, shown)}
	}
	return []diffLine{line('-', w), line('+', g)}
}

// window shortens a long line to the part around the position, and returns by how many characters
// that part has moved to the left.
func (size diffSize) window(r []rune, position int) (string, int) {
	if len(r) <= size.width {
		return string(r), 0
	}
	first := max(0, min(position-size.width/2, len(r)-size.width))
	text := string(r[first:min(len(r), first+size.width)])
	shift := first
	if first > 0 {
		text, shift = "…"+text, first-1
	}
	if first+size.width < len(r) {
		text += "…"
	}
	return text, shift
}

// printable writes as Go escapes what a terminal would interpret or hide: control characters, invalid
// UTF-8, and invisible characters.
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
