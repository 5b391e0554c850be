package report

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestDiff(t *testing.T) {
	many := strings.Repeat("x\n", 50)
	for _, test := range []struct {
		name, want, got string
		lines           []string // sign, text, and the marked part in brackets
	}{
		{"nothing", "", "", nil},
		{"missing", "a", "", []string{"-[a]"}},
		{"one line", "abcde", "abXde", []string{"-ab[c]de", "+ab[X]de"}},
		{"longer", "abc", "abcd", []string{"-abc[]", "+abc[d]"}},
		{"unicode", "é1", "é2", []string{"-é[1]", "+é[2]"}},
		{"a line more", "a\nb\nc", "a\nb\nX\nc", []string{" a", " b", "+[X]", " c"}},
		{"near only", "1\n2\n3\n4\n5\n6\n7\n8\n9", "1\n2\n3\n4\nX\n6\n7\n8\n9", []string{" 2", " 3", " 4", "-[5]", "+[X]", " 6", " 7", " 8"}},
		{"several lines", "a\nb\nc", "a\nX\nY\nc", []string{" a", "-[b]", "+[X]", "+[Y]", " c"}},
		{"two places", "1\n2\n3\n4\n5\n6\n7\n8\n9", "X\n2\n3\n4\n5\n6\n7\n8\nY", []string{"-[1]", "+[X]", " 2", " 3", " 4", " …", " 6", " 7", " 8", "-[9]", "+[Y]"}},
		{"a newline at the end", "a\n", "a", []string{" a", "-[]"}},
		{"very many places", places("-"), places("+"), append(markedPlaces(5), " … 2 more differences")},
		{"very many lines", "", many + "y", append(lines(40, "+[x]"), "+… 11 more lines")},
		{"control characters", "a\tb", "a\x00b", []string{`-a\x0[9]b`, `+a\x0[0]b`}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var got []string
			for _, l := range inTerminal().diff(test.want, test.got) {
				runes := []rune(l.text)
				text := string(runes[:l.from]) + "[" + string(runes[l.from:l.to]) + "]" + string(runes[l.to:])
				if l.sign == ' ' || strings.HasPrefix(l.text, "…") {
					text = l.text
				}
				got = append(got, string(l.sign)+text)
			}
			if diff := cmp.Diff(test.lines, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// places are seven lines that differ by the sign, far enough apart for a separate change each.
func places(sign string) string {
	return strings.TrimSuffix(strings.Repeat(sign+"\n"+strings.Repeat("\n", 7), 7), "\n")
}

// markedPlaces is the diff of the first n of places.
func markedPlaces(n int) []string {
	var all []string
	for i := range n {
		if i > 0 {
			all = append(all, " …", " ", " ", " ")
		}
		all = append(all, "-[-]", "+[+]", " ", " ", " ")
	}
	return all
}

func lines(n int, text string) []string {
	var all []string
	for range n {
		all = append(all, text)
	}
	return all
}

func FuzzDiff(f *testing.F) {
	f.Add("", "x")
	f.Add("a\nb\nc\n", "a\nX\nc")
	f.Add("{\n  \"a\": 1\n}", "{\"a\":\t1}\r\n\xff\u202e")
	f.Fuzz(func(t *testing.T, want, got string) {
		lines := inTerminal().diff(want, got)
		if (len(lines) == 0) != (want == got) {
			t.Fatalf("%q, %q: %d lines", want, got, len(lines))
		}
		for _, l := range lines {
			if n := utf8.RuneCountInString(l.text); l.from < 0 || l.from > l.to || l.to > n {
				t.Fatalf("%q, %q: %+v", want, got, l)
			}
			if drawn := l.draw(false); drawn == "" {
				t.Fatalf("%q, %q: %+v draws nothing", want, got, l)
			}
		}
	})
}
