package postgres_test

import (
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/postgres/postgrestest"
)

// TestPruningSeesWhatIsChanged removes what is out of date while another transaction
// counts a guess for such a key, or extends such a token: both stay.
func TestPruningSeesWhatIsChanged(t *testing.T) {
	dsn := postgrestest.Schema(t, "wait", patient)
	schema := schemaOf(t, dsn)
	s := mustOpen(t, dsn)
	now := time.Now()
	if _, err := s.Reserve(t.Context(), now.Add(-3*time.Hour), core.LimitKey{Key: []byte("key"), Limit: core.Limit{Burst: 1, Window: time.Hour}}); err != nil {
		t.Fatal(err)
	}
	user, _ := someone(t, s, 1)
	token := tokenOf(user, "expired")
	token.ExpiresAt = now.Add(-time.Hour)
	if err := s.IssueToken(t.Context(), token, "", 0, nil); err != nil {
		t.Fatal(err)
	}
	holder := raw(t, postgrestest.DSN(t))
	for name, test := range map[string]struct {
		change string
		prune  func() (int, error)
	}{
		"limits": {`UPDATE ` + schema + `.guesses SET full_at = full_at + 36000000000`, func() (int, error) { return s.PruneLimits(t.Context(), now, 100) }},
		"tokens": {`UPDATE ` + schema + `.tokens SET expires_at = expires_at + 3600000000000000`, func() (int, error) { return s.PurgeTokens(t.Context(), now, nil, 100) }},
	} {
		run(t, holder, `BEGIN`, test.change)
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			if n, err := test.prune(); n != 0 || err != nil {
				t.Errorf("%s: %d removed, %v", name, n, err)
			}
		}()
		waitForLocks(t, "DELETE FROM", 1)
		run(t, holder, `COMMIT`)
		<-ended
	}
}
