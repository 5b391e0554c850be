package shadow

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/authcompat/authcompat/conformance/internal/jsontree"
)

// nearby is how far apart two times may be that were issued for the same request: ours is
// computed before the old server answers, which may take long.
const nearby = 2 * time.Minute

// issuedValue compares two scalars of one type that were issued.
func (c *comparison) issuedValue(place string, form Form, old, ours jsontree.Value) {
	d := Difference{Place: place, Old: shownScalar(old), Ours: shownScalar(ours)}
	switch {
	case old.Kind == jsontree.Null || old.Kind == jsontree.Bool:
		if old.Source.Raw == ours.Source.Raw {
			return
		}
		d.Kind = KindValue
	case form == FormToken && old.Kind == jsontree.String && slices.Contains(c.options.Existing, old.Text):
		d.Kind = KindExisting
	case !sameForm(form, old, ours):
		d.Kind = KindForm
	case form == FormTime && apart(old, ours).Abs() > nearby:
		d.Kind = KindTime
		d.Ours += " " + offset(apart(old, ours))
	default:
		return
	}
	c.add(d)
}

// sameForm reports whether two issued values are written in the same way.
func sameForm(form Form, old, ours jsontree.Value) bool {
	switch {
	case form == FormID && old.Kind != jsontree.String:
		return true // the next number
	case old.Kind != jsontree.String:
		return len(old.Source.Raw) == len(ours.Source.Raw)
	case form == FormToken:
		return alphabet(old.Text) == alphabet(ours.Text)
	}
	return longMask(old.Text) == longMask(ours.Text) && zone(old.Text) == zone(ours.Text)
}

// longMask is Mask of all of a text.
func longMask(text string) string {
	var all strings.Builder
	for chunk := range slices.Chunk([]rune(text), maxMask) {
		all.WriteString(Mask(string(chunk)))
	}
	return all.String()
}

// zone returns the end of a time that is in UTC.
func zone(text string) string {
	if strings.HasSuffix(text, "Z") {
		return "Z"
	}
	return ""
}

// alphabet returns the text with each character as the narrowest alphabet of a token that all of
// its letters and digits are in; other characters stay.
func alphabet(text string) string {
	class := "h" // hexadecimal
	for _, c := range text {
		switch {
		case c >= '0' && c <= '9', c >= 'a' && c <= 'f':
		case c >= 'g' && c <= 'z', c >= 'A' && c <= 'Z':
			class = "w"
		}
	}
	return strings.Map(func(c rune) rune {
		if c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' {
			return rune(class[0])
		}
		return c
	}, text)
}

// apart returns how much later our time is than the old server's; 0 if they can't be read.
func apart(old, ours jsontree.Value) time.Duration {
	a, ok := timeOf(old)
	b, too := timeOf(ours)
	if !ok || !too {
		return 0
	}
	return b.Sub(a)
}

// offset says how much later, or earlier, a time is.
func offset(d time.Duration) string {
	if d < 0 {
		return d.Abs().Round(time.Minute).String() + " earlier"
	}
	return d.Round(time.Minute).String() + " later"
}

// timeOf reads a time: RFC 3339, as Python's isoformat with a zone, or a number of seconds,
// milliseconds or microseconds since 1970, by its digits.
func timeOf(v jsontree.Value) (time.Time, bool) {
	if v.Kind == jsontree.String {
		t, err := time.Parse(time.RFC3339Nano, v.Text)
		return t, err == nil
	}
	number, err := strconv.ParseInt(v.Source.Raw, 10, 64)
	if err != nil {
		return time.Time{}, false
	}
	switch len(v.Source.Raw) {
	case len("1400000000"):
		return time.Unix(number, 0), true
	case len("1400000000000"):
		return time.UnixMilli(number), true
	case len("1400000000000000"):
		return time.UnixMicro(number), true
	}
	return time.Time{}, false
}
