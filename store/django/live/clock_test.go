package live_test

import (
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/django/djangotest"
	"github.com/authcompat/authcompat/store/django/live"
)

// TestDatabaseClock checks that limits go by PostgreSQL's clock, and by this machine's on
// SQLite, which has no other.
func TestDatabaseClock(t *testing.T) {
	backend := func(s core.Store, _ core.Store) core.Backend { return s.(*live.Store).Backend() }
	if c := backend(onSQLite(djangotest.UsersDDL, djangotest.KnoxDDL)(t)).DatabaseClock; c != nil {
		t.Error("on SQLite there is a clock")
	}
	before := time.Now()
	at, err := backend(onPostgres(djangotest.UsersDDL, djangotest.KnoxDDL)(t)).DatabaseClock.DatabaseTime(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if at.Before(before.Add(-time.Second)) || at.After(time.Now().Add(time.Second)) || at.Location() != time.UTC {
		t.Errorf("it is %v, this machine's clock says %v", at, before)
	}
}
