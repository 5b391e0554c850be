package live_test

import (
	"errors"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/django/djangotest"
	"github.com/authcompat/authcompat/store/django/live"
	"github.com/authcompat/authcompat/store/postgres/postgrestest"
)

// TestPruningSeesWhatIsChanged forgets old guesses while another transaction counts one for
// such a key: it stays.
func TestPruningSeesWhatIsChanged(t *testing.T) {
	d := databases(djangotest.UsersDDL, djangotest.KnoxDDL)["postgres"](t)
	s := mustOpen(t, d.source).(*live.Store)
	now := time.Now()
	if _, err := s.Reserve(t.Context(), now.Add(-3*time.Hour), core.LimitKey{Key: []byte("key"), Limit: core.Limit{Burst: 1, Window: time.Hour}}); err != nil {
		t.Fatal(err)
	}
	tx := d.begin(t, `UPDATE authcompat_guesses SET full_at = full_at + 36000000000`)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if n, err := s.PruneLimits(t.Context(), now, 100); n != 0 || err != nil {
			t.Errorf("%d forgotten, %v", n, err)
		}
	}()
	postgrestest.Eventually(t, func() error {
		if d.count(t, `SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%DELETE FROM authcompat_guesses%'`) == 0 {
			return errors.New("it does not wait")
		}
		return nil
	})
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	<-ended
}
