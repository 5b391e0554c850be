package transfer_test

import (
	"bytes"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/authcompat/authcompat/store/django/tables"
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

// disk is a file on a disk that becomes full.
type disk struct{ room int }

var errDiskFull = errors.New("no space left on device")

func (d *disk) Write(b []byte) (int, error) {
	n := min(len(b), d.room)
	d.room -= n
	if n < len(b) {
		return n, errDiskFull
	}
	return n, nil
}

// TestDumpOnAFullDisk exports to disks that become full somewhere: no dump that was cut
// short is taken for a whole one.
func TestDumpOnAFullDisk(t *testing.T) {
	h := mustHouse(t)
	if _, err := h.both(t, tables.Mapping{}, nil, manyUsers(t, 60)); err != nil {
		t.Fatal(err)
	}
	o := transfer.ExportOptions{Realm: policy.Realm, Sealer: h.sealer, Clock: policyTime}
	var whole bytes.Buffer
	if _, err := transfer.ExportDump(t.Context(), h.store, &whole, o); err != nil {
		t.Fatal(err)
	}
	for room := 0; room < whole.Len(); room += 1000 {
		if _, err := transfer.ExportDump(t.Context(), h.store, &disk{room}, o); !errors.Is(err, errDiskFull) {
			t.Errorf("full after %d of %d bytes: error %v", room, whole.Len(), err)
		}
	}
	if _, err := transfer.ExportDump(t.Context(), h.store, &disk{whole.Len()}, o); err != nil {
		t.Errorf("just room enough: %v", err)
	}
}
