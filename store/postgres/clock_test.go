package postgres_test

import (
	"testing"
	"time"

	"github.com/authcompat/authcompat/store/postgres/postgrestest"
)

// TestDatabaseTime checks that the database's clock is read in UTC, whatever the zone of
// its sessions. The database is on this machine.
func TestDatabaseTime(t *testing.T) {
	s := mustOpen(t, postgrestest.Schema(t, "wait", patient, "timezone", "Asia/Kolkata"))
	before := time.Now()
	at, err := s.DatabaseTime(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if at.Before(before.Add(-time.Second)) || at.After(time.Now().Add(time.Second)) || at.Location() != time.UTC {
		t.Errorf("it is %v, this machine's clock says %v", at, before)
	}
}
