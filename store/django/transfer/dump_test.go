package transfer_test

import (
	"os"
	"testing"
	"time"

	"github.com/authcompat/authcompat/store/django/transfer"
)

// giveDump exports to a new file.
func giveDump(t *testing.T, h house, path string) *transfer.ExportReport {
	t.Helper()
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	report, err := transfer.ExportDump(t.Context(), h.store, file, transfer.ExportOptions{Realm: policy.Realm, Sealer: h.sealer, Clock: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	return report
}
