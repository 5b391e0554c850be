package drf

import "testing"

// TestScratch keeps the memory of a body for the next request, erased, unless it is large.
func TestScratch(t *testing.T) {
	for size, kept := range map[int]int{typicalBody: typicalBody, maxKept: maxKept, maxKept + 1: typicalBody, 10 << 20: typicalBody} {
		s := &scratch{body: make([]byte, size)}
		for i := range s.body {
			s.body[i] = 'x'
		}
		s.reset()
		if got := cap(s.body); got != kept {
			t.Errorf("of %d bytes, %d are kept, want %d", size, got, kept)
		}
		for i, c := range s.body[:cap(s.body)] {
			if c != 0 {
				t.Fatalf("of %d bytes, the one at %d is not erased", size, i)
			}
		}
	}
}
