package djangocmd

import (
	"slices"
	"strings"
	"testing"

	"github.com/authcompat/authcompat/core/sealing"
	"github.com/authcompat/authcompat/store"
	"github.com/authcompat/authcompat/store/django/transfer"
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

// TestResumedSaysSo: what a run that was cut off had read is not read again, and whoever takes that for the last run before
// the switch leaves tokens alive that were logged out there meanwhile.
func TestResumedSaysSo(t *testing.T) {
	for _, resumed := range []bool{false, true} {
		var out strings.Builder
		if err := writeImport(&out, &transfer.Report{Source: "sqlite:/srv/old", Resumed: resumed}); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(out.String(), "before you switch over, run this once more") != resumed {
			t.Errorf("resumed %t:\n%s", resumed, out.String())
		}
	}
}
