package shadow

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// nodes compares two values of JSON at a place.
func (c *comparison) nodes(place string, old, ours node) {
	if old.gap != ours.gap {
		c.add(Difference{Place: "before " + place, Kind: KindSpace, Old: gap(old.gap), Ours: gap(ours.gap)})
	}
	form, isIssued := c.options.Places[place]
	switch {
	case old.kind != ours.kind:
		c.add(Difference{Place: place, Kind: KindType, Old: string(old.kind), Ours: string(ours.kind)})
	case old.kind == typeObject:
		c.objects(place, old, ours)
	case old.kind == typeList:
		c.lists(place, old, ours)
	case isIssued:
		c.issuedValue(place, form, old, ours)
	case old.raw == ours.raw:
	case old.kind == typeString && old.text == ours.text:
		c.add(Difference{Place: place, Kind: KindEscape, Old: fmt.Sprintf("%d bytes", len(old.raw)), Ours: fmt.Sprintf("%d bytes", len(ours.raw))})
	default:
		was, is := c.showBoth(old, ours)
		c.add(Difference{Place: place, Kind: KindValue, Old: was, Ours: is, SameForm: old.kind != typeBoolean && old.size() == ours.size()})
	}
}

// maxGap is how many bytes of white space are shown.
const maxGap = 60

// gap returns the white space before or behind a value as it is shown.
func gap(text string) string {
	if len(text) > maxGap {
		return strconv.Itoa(len(text)) + " bytes"
	}
	return strconv.Quote(text)
}

// showBoth returns two scalars as they may be shown.
func (c *comparison) showBoth(old, ours node) (was, is string) {
	if old.kind != typeString || c.options.Words == nil || maskWords(ours.text, c.options.Words) != ours.text {
		return old.show(), ours.show()
	}
	return `"` + maskWords(old.text, c.options.Words) + `"`, `"` + ours.text + `"`
}

// show returns a scalar as it may be shown.
func (n node) show() string {
	switch n.kind {
	case typeNull, typeBoolean:
		return n.raw
	case typeString:
		return `"` + Mask(n.text) + `"`
	}
	return Mask(n.raw)
}

// size is the length of a scalar in characters.
func (n node) size() int {
	if n.kind == typeString {
		return utf8.RuneCountInString(n.text)
	}
	return len(n.raw)
}

// lists compares two lists, item by item.
func (c *comparison) lists(place string, old, ours node) {
	if len(old.items) != len(ours.items) {
		c.add(Difference{Place: place, Kind: KindLength, Old: strconv.Itoa(len(old.items)), Ours: strconv.Itoa(len(ours.items))})
	}
	for i := range min(len(old.items), len(ours.items)) {
		c.nodes(fmt.Sprintf("%s[%d]", place, i), old.items[i], ours.items[i])
	}
	c.ends(place, old, ours)
}

// ends compares white space before the bracket that closes both.
func (c *comparison) ends(place string, old, ours node) {
	if old.end != ours.end {
		c.add(Difference{Place: "end of " + place, Kind: KindSpace, Old: gap(old.end), Ours: gap(ours.end)})
	}
}

// objects compares two objects: each key with the same one of the other, of several the first
// with the first.
func (c *comparison) objects(place string, old, ours node) {
	var common, commonOurs []string
	left := slices.Clone(ours.members)
	for _, m := range old.members {
		i := slices.IndexFunc(left, func(o member) bool { return o.key.text == m.key.text })
		at := place + "." + key(m.key.text)
		if i < 0 {
			c.add(Difference{Place: at, Kind: KindMissing, Old: string(m.value.kind)})
			continue
		}
		common = append(common, m.key.text)
		o := left[i]
		left = slices.Delete(left, i, i+1)
		if m.key.raw != o.key.raw {
			c.add(Difference{Place: "key " + at, Kind: KindEscape})
		}
		// The gap before the first key is another than before the others, whichever is first.
		if strings.Contains(m.key.gap, ",") == strings.Contains(o.key.gap, ",") && m.key.gap != o.key.gap {
			c.add(Difference{Place: "before " + at, Kind: KindSpace, Old: gap(m.key.gap), Ours: gap(o.key.gap)})
		}
		was, is := m.value, o.value
		if was.gap != is.gap {
			c.add(Difference{Place: "behind key " + at, Kind: KindSpace, Old: gap(was.gap), Ours: gap(is.gap)})
			was.gap, is.gap = "", ""
		}
		c.nodes(at, was, is)
	}
	for _, m := range left {
		c.add(Difference{Place: place + "." + key(m.key.text), Kind: KindExtra, Ours: string(m.value.kind)})
	}
	for _, m := range ours.members {
		if slices.Contains(common, m.key.text) {
			commonOurs = append(commonOurs, m.key.text)
		}
	}
	if len(common) == len(commonOurs) && !slices.Equal(common, commonOurs) {
		c.add(Difference{Place: place, Kind: KindOrder, Old: keys(common), Ours: keys(commonOurs)})
	}
	c.ends(place, old, ours)
}

// keys lists keys.
func keys(all []string) string {
	shown := make([]string, len(all))
	for i, k := range all {
		shown[i] = key(k)
	}
	return strings.Join(shown, ", ")
}
