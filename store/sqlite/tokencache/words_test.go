package tokencache

import (
	"fmt"
	"strings"
	"testing"
	"unsafe"
)

// TestWords has each name once in memory, and takes no more of them than there may be.
func TestWords(t *testing.T) {
	s := &entries{words: make(map[string]string)}
	for round := range 2 {
		for i := range 2 * maxWords {
			name := fmt.Sprintf("api-%d", i)
			first := s.word(name)
			again := s.word(strings.Clone(name))
			if first != name || again != name {
				t.Fatalf("round %d: %q is %q, and %q", round, name, first, again)
			}
			if shared := unsafe.StringData(first) == unsafe.StringData(again); shared != (i < maxWords) {
				t.Fatalf("round %d: %q is once in memory: %t", round, name, shared)
			}
		}
	}
	if len(s.words) != maxWords {
		t.Errorf("%d words", len(s.words))
	}
}
