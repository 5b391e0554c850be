package moving_test

import (
	"os"
	"testing"
	"time"

	"github.com/authcompat/authcompat/store/moving"
)

// giveDump exports to a new file.
func giveDump(t *testing.T, h house, path string) *moving.ExportReport {
	t.Helper()
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	report, err := moving.ExportDump(t.Context(), h.store, file, moving.ExportOptions{Realm: policy.Realm, Sealer: h.sealer, Clock: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	return report
}
