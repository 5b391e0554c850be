package term

import "testing"

func TestCount(t *testing.T) {
	for n, want := range map[int64]string{0: "0 entries", 1: "1 entry", 2: "2 entries", -1: "-1 entries"} {
		if got := Count(n, "entry", "entries"); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}

func TestPrintable(t *testing.T) {
	for s, want := range map[string]string{
		"":                "",
		"Zoë 東 DOM\\me":   "Zoë 東 DOM\\me",
		"a\nb\r\t\x1b[0m": `a\nb\r\t\x1b[0m`,
		"\x00\x7f\u009b":  `\x00\x7f\u009b`,
		"\xff\xc3":        `\xff\xc3`,
		"\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069": `\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069`,
		"\u200e\u200f\u061c": `\u200e\u200f\u061c`,
		"\ufffd'\"":          "\ufffd'\"",
		"\U000e0001":         `\U000e0001`,
	} {
		if got := Printable(s); got != want {
			t.Errorf("%q: %s, want %s", s, got, want)
		}
	}
}
