package shadow

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/authcompat/authcompat/conformance/internal/jsontree"
)

// nodes compares two values of JSON at a place.
func (c *comparison) nodes(place string, old, ours jsontree.Value) {
	if old.Source.Gap != ours.Source.Gap {
		c.add(Difference{Place: "before " + place, Kind: KindSpace, Old: gap(old.Source.Gap), Ours: gap(ours.Source.Gap)})
	}
	form, isIssued := c.options.Places[place]
	switch {
	case typeOf(old) != typeOf(ours):
		c.add(Difference{Place: place, Kind: KindType, Old: string(typeOf(old)), Ours: string(typeOf(ours))})
	case old.Kind == jsontree.Object:
		c.objects(place, old, ours)
	case old.Kind == jsontree.Array:
		c.lists(place, old, ours)
	case isIssued:
		c.issuedValue(place, form, old, ours)
	case old.Source.Raw == ours.Source.Raw:
	case old.Kind == jsontree.String && old.Text == ours.Text:
		c.add(Difference{Place: place, Kind: KindEscape, Old: fmt.Sprintf("%d bytes", len(old.Source.Raw)), Ours: fmt.Sprintf("%d bytes", len(ours.Source.Raw))})
	default:
		was, is := c.showBoth(old, ours)
		c.add(Difference{Place: place, Kind: KindValue, Old: was, Ours: is, SameForm: old.Kind != jsontree.Bool && size(old) == size(ours)})
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
func (c *comparison) showBoth(old, ours jsontree.Value) (was, is string) {
	if old.Kind != jsontree.String || c.options.Words == nil || maskWords(ours.Text, c.options.Words) != ours.Text {
		return shownScalar(old), shownScalar(ours)
	}
	return `"` + maskWords(old.Text, c.options.Words) + `"`, `"` + ours.Text + `"`
}

// lists compares two lists, item by item.
func (c *comparison) lists(place string, old, ours jsontree.Value) {
	if len(old.Items) != len(ours.Items) {
		c.add(Difference{Place: place, Kind: KindLength, Old: strconv.Itoa(len(old.Items)), Ours: strconv.Itoa(len(ours.Items))})
	}
	for i := range min(len(old.Items), len(ours.Items)) {
		c.nodes(fmt.Sprintf("%s[%d]", place, i), old.Items[i], ours.Items[i])
	}
	c.ends(place, old, ours)
}

// ends compares white space before the bracket that closes both.
func (c *comparison) ends(place string, old, ours jsontree.Value) {
	if old.Source.End != ours.Source.End {
		c.add(Difference{Place: "end of " + place, Kind: KindSpace, Old: gap(old.Source.End), Ours: gap(ours.Source.End)})
	}
}

// objects compares two objects: each key with the same one of the other, of several the first
// with the first.
func (c *comparison) objects(place string, old, ours jsontree.Value) {
	left := make(map[string][]int, len(ours.Members)) // by key, those of ours that are not compared yet
	for i, m := range ours.Members {
		left[m.Key] = append(left[m.Key], i)
	}
	compared := make([]bool, len(ours.Members))
	var common, commonOurs []string
	for _, m := range old.Members {
		at := place + "." + key(m.Key)
		same := left[m.Key]
		if len(same) == 0 {
			c.add(Difference{Place: at, Kind: KindMissing, Old: string(typeOf(m.Value))})
			continue
		}
		common = append(common, m.Key)
		left[m.Key], compared[same[0]] = same[1:], true
		o := ours.Members[same[0]]
		if m.Source.Raw != o.Source.Raw {
			c.add(Difference{Place: "key " + at, Kind: KindEscape})
		}
		// The gap before the first key is another than before the others, whichever is first.
		if strings.Contains(m.Source.Gap, ",") == strings.Contains(o.Source.Gap, ",") && m.Source.Gap != o.Source.Gap {
			c.add(Difference{Place: "before " + at, Kind: KindSpace, Old: gap(m.Source.Gap), Ours: gap(o.Source.Gap)})
		}
		was, is := m.Value, o.Value
		if was.Source.Gap != is.Source.Gap {
			c.add(Difference{Place: "behind key " + at, Kind: KindSpace, Old: gap(was.Source.Gap), Ours: gap(is.Source.Gap)})
			was.Source.Gap, is.Source.Gap = "", ""
		}
		c.nodes(at, was, is)
	}
	for i, m := range ours.Members {
		if compared[i] {
			commonOurs = append(commonOurs, m.Key)
		} else {
			c.add(Difference{Place: place + "." + key(m.Key), Kind: KindExtra, Ours: string(typeOf(m.Value))})
		}
	}
	if !slices.Equal(common, commonOurs) {
		c.add(Difference{Place: place, Kind: KindOrder, Old: keys(common), Ours: keys(commonOurs)})
	}
	c.ends(place, old, ours)
}

// maxKeys is how many keys are listed.
const maxKeys = 50

// keys lists keys.
func keys(all []string) string {
	var shown []string
	for _, k := range all[:min(len(all), maxKeys)] {
		shown = append(shown, key(k))
	}
	list := strings.Join(shown, ", ")
	if more := len(all) - len(shown); more > 0 {
		list += fmt.Sprintf(" and %d more", more)
	}
	return list
}
