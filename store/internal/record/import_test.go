package record

import (
	"slices"
	"testing"
)

// TestSpanOf checks that only many IDs close together are read as a range, however
// often each is listed.
func TestSpanOf(t *testing.T) {
	t.Parallel()
	dense := make([]int64, minSpan)
	for i := range dense {
		dense[i] = int64(i + 1)
	}
	for _, c := range []struct {
		name string
		ids  []int64
		want bool
	}{
		{"close together", dense, true},
		{"few", dense[:minSpan-1], false},
		{"far apart", append(slices.Clone(dense), 10*minSpan), false},
		{"two, named often", append(slices.Repeat([]int64{1}, minSpan), minSpan), false},
		{"each named twice", append(slices.Clone(dense), dense...), true},
		{"below zero", append(slices.Clone(dense), -1), false},
	} {
		if _, ok := SpanOf(c.ids); ok != c.want {
			t.Errorf("%s: %t", c.name, ok)
		}
	}
	if span, _ := SpanOf(append(slices.Clone(dense), dense...)); !span.Whole {
		t.Error("a range without gaps is not whole")
	}
	if span, _ := SpanOf(append(slices.Clone(dense[1:]), minSpan+2)); span.Asked(minSpan+1) || !span.Asked(minSpan+2) || span.Whole {
		t.Errorf("asked: %v", span.asked)
	}
}
