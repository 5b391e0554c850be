package pyidna

import (
	_ "embed"
	"fmt"
	"sort"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/bidi"
	"golang.org/x/text/unicode/norm"
)

// unassignedRanges are the code points that Unicode 3.2 has no character for
// (RFC 3454, table A.1, with the noncharacters), a range a line.
//
//go:embed unassigned.txt
var unassignedRanges string

// nameprep is the profile of RFC 3491.
type nameprep struct {
	unassigned []span
	fold       cases.Caser
}

// span is a range of code points, both ends in it.
type span struct{ first, last rune }

func newNameprep() nameprep {
	n := nameprep{fold: cases.Fold()}
	for line := range strings.Lines(unassignedRanges) {
		var s span
		if _, err := fmt.Sscanf(line, "%X-%X", &s.first, &s.last); err != nil {
			s.last = s.first
		}
		n.unassigned = append(n.unassigned, s)
	}
	return n
}

// assigned tells whether Unicode 3.2 has the character.
func (n nameprep) assigned(r rune) bool {
	i := sort.Search(len(n.unassigned), func(i int) bool { return n.unassigned[i].last >= r })
	return i == len(n.unassigned) || n.unassigned[i].first > r
}

// label prepares a label. ok is false for a prohibited character or mixed direction.
func (n nameprep) label(label string) (prepared string, ok bool) {
	var mapped strings.Builder
	for _, r := range label {
		if !vanishes(r) {
			mapped.WriteString(n.mapped(r))
		}
	}
	prepared = n.nfkc(mapped.String())
	if strings.ContainsFunc(prepared, n.prohibited) {
		return "", false
	}
	return prepared, n.directed(prepared)
}

// vanishes is table B.1 of RFC 3454.
func vanishes(r rune) bool {
	switch {
	case r == 0xad, r == 0x34f, r == 0x1806, r == 0x2060, r == 0xfeff,
		r >= 0x180b && r <= 0x180d, r >= 0x200b && r <= 0x200d, r >= 0xfe00 && r <= 0xfe0f:
		return true
	}
	return false
}

// mapped is table B.2: case folding for use with NFKC.
func (n nameprep) mapped(r rune) string {
	first := n.folded(string(r))
	once := n.nfkc(first)
	if twice := n.nfkc(n.folded(once)); twice != once {
		return twice
	}
	return first
}

// folded is table B.3. Characters that are newer than Unicode 3.2 Python puts in lower
// case with its own tables.
func (n nameprep) folded(s string) string {
	var out strings.Builder
	for _, r := range s {
		if n.assigned(r) && !unicode.Is(unicode.Cherokee, r) {
			out.WriteString(n.fold.String(string(r)))
		} else {
			out.WriteRune(unicode.ToLower(r))
		}
	}
	return out.String()
}

// nfkc normalises by Unicode 3.2: a character that is newer neither changes nor
// combines with another one.
func (n nameprep) nfkc(s string) string {
	var out strings.Builder
	start := 0
	for i, r := range s {
		older, corrected := beforeCorrection(r)
		if corrected || !n.assigned(r) {
			out.WriteString(norm.NFKC.String(s[start:i]))
			out.WriteRune(older)
			start = i + utf8.RuneLen(r)
		}
	}
	out.WriteString(norm.NFKC.String(s[start:]))
	return out.String()
}

// beforeCorrection gives Unicode 3.2's equivalents of the five ideographs for which
// Corrigendum 4 changed them, and any other character as it is.
func beforeCorrection(r rune) (rune, bool) {
	switch r {
	case 0x2f868:
		return 0x2136a, true
	case 0x2f874:
		return 0x5f33, true
	case 0x2f91f:
		return 0x43ab, true
	case 0x2f95f:
		return 0x7aae, true
	case 0x2f9bf:
		return 0x4d57, true
	}
	return r, false
}

// prohibited are tables C.1.2, C.2.2 and C.3 to C.9.
func (n nameprep) prohibited(r rune) bool {
	switch {
	case r < 0x80:
		return false
	case r == 0xa0, r == 0x1680, r >= 0x2000 && r <= 0x200b, r == 0x202f, r == 0x205f, r == 0x3000, // C.1.2
		r <= 0x9f, r == 0x6dd, r == 0x70f, r == 0x180e, r == 0x200c, r == 0x200d, r == 0x2028, r == 0x2029, // C.2.2
		r >= 0x2060 && r <= 0x2063, r >= 0x206a && r <= 0x206f, r == 0xfeff, r >= 0xfff9 && r <= 0xfffc, r >= 0x1d173 && r <= 0x1d17a,
		unicode.Is(unicode.Co, r),                      // C.3
		r >= 0xfdd0 && r <= 0xfdef, r&0xfffe == 0xfffe, // C.4
		r >= 0xd800 && r <= 0xdfff,                                                   // C.5
		r == 0xfffd,                                                                  // C.6
		r >= 0x2ff0 && r <= 0x2ffb,                                                   // C.7
		r == 0x340, r == 0x341, r == 0x200e, r == 0x200f, r >= 0x202a && r <= 0x202e, // C.8
		r == 0xe0001, r >= 0xe0020 && r <= 0xe007f: // C.9
		return true
	}
	return false
}

// directed is the check of RFC 3454, section 6: a label with characters that are
// written from right to left begins and ends with one, and has none that are written
// from left to right.
func (n nameprep) directed(s string) bool {
	var first, last, anyRight, anyLeft bool
	for i, r := range s {
		right, left := false, false
		if n.assigned(r) {
			p, _ := bidi.LookupRune(r)
			right = p.Class() == bidi.R || p.Class() == bidi.AL
			left = p.Class() == bidi.L
		}
		if i == 0 {
			first = right
		}
		last = right
		anyRight, anyLeft = anyRight || right, anyLeft || left
	}
	return !anyRight || !anyLeft && first && last
}
