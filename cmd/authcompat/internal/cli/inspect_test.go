package cli

import (
	"testing"

	"github.com/authcompat/authcompat/store/moving"
)

// TestNextShowsNoPassword hides that of a DSN in the line to go on with.
func TestNextShowsNoPassword(t *testing.T) {
	f := djangoFlags{zone: "UTC", mapping: "my columns.yaml"}
	got := f.next([]string{"postgres://ann:s3cret@db/x?sslmode=disable"}, &moving.Inspection{Undecided: "several"})
	want := `authcompat import django 'postgres://ann:PASSWORD@db/x?sslmode=disable' --token-table TABLE --map 'my columns.yaml' --profile NAME|FILE --dry-run`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
