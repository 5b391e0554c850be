package shadow

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// nearby is how far apart two times may be that were issued for the same request: ours is
// computed before the old server answers, which may take long.
const nearby = 2 * time.Minute

// issuedValue compares two scalars of one type that were issued.
func (c *comparison) issuedValue(place string, form Form, old, ours node) {
	d := Difference{Place: place, Old: old.show(), Ours: ours.show()}
	switch {
	case old.kind == typeNull || old.kind == typeBoolean:
		if old.raw == ours.raw {
			return
		}
		d.Kind = KindValue
	case form == FormToken && slices.Contains(c.options.Existing, old.text):
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
func sameForm(form Form, old, ours node) bool {
	switch {
	case form == FormID && old.kind != typeString:
		return true // the next number
	case old.kind != typeString:
		return len(old.raw) == len(ours.raw)
	case form == FormToken:
		return alphabet(old.text) == alphabet(ours.text)
	}
	return longMask(old.text) == longMask(ours.text) && zone(old.text) == zone(ours.text)
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
func apart(old, ours node) time.Duration {
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
func timeOf(n node) (time.Time, bool) {
	if n.kind == typeString {
		t, err := time.Parse(time.RFC3339Nano, n.text)
		return t, err == nil
	}
	number, err := strconv.ParseInt(n.raw, 10, 64)
	if err != nil {
		return time.Time{}, false
	}
	switch len(n.raw) {
	case len("1400000000"):
		return time.Unix(number, 0), true
	case len("1400000000000"):
		return time.UnixMilli(number), true
	case len("1400000000000000"):
		return time.UnixMicro(number), true
	}
	return time.Time{}, false
}
