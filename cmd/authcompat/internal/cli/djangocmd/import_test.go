package djangocmd

import (
	"slices"
	"testing"

	"github.com/authcompat/authcompat/core/sealing"
	"github.com/authcompat/authcompat/store"
)

// TestRehearsalSeals: what a dry run that is killed leaves behind must not open with a key
// that anybody knows, or that another run has.
func TestRehearsalSeals(t *testing.T) {
	known, err := sealing.NewSealer(make([]byte, sealing.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	seen := known.KeyIDs()
	for range 2 {
		sealer, err := (&importFlags{dryRun: true}).sealer(t.Context(), store.Backend{})
		if err != nil {
			t.Fatal(err)
		}
		ids := sealer.KeyIDs()
		if len(ids) != 1 || slices.Contains(seen, ids[0]) {
			t.Errorf("keys %v, after %v", ids, seen)
		}
		seen = append(seen, ids...)
	}
}
