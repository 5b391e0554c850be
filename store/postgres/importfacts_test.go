package postgres

import (
	"slices"
	"testing"

	"github.com/jmoiron/sqlx"

	"github.com/authcompat/authcompat/core/transfer"
	"github.com/authcompat/authcompat/store/internal/record"
)

// TestHalvesAreOfOneSnapshot commits a change while a batch is read: a transaction
// above READ COMMITTED reads only its own snapshot, so that a later conflict is
// detected.
func TestHalvesAreOfOneSnapshot(t *testing.T) {
	t.Parallel()
	for level, want := range map[string][]int{
		"read committed":  {1, 1},
		"repeatable read": {0},
		"serializable":    {0},
	} {
		t.Run(level, func(t *testing.T) {
			t.Parallel()
			s := mustOpen(t, "default_transaction_isolation", level)
			tx, err := s.db.BeginTxx(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := tx.Rollback(); err != nil {
					t.Error(err)
				}
			}()
			count := func(q sqlx.QueryerContext) (n int) {
				if err := sqlx.GetContext(t.Context(), q, &n, s.qualify(`SELECT count(*) FROM @users`)); err != nil {
					t.Error(err)
				}
				return n
			}
			count(tx) // takes the snapshot
			if _, err := s.db.ExecContext(t.Context(), s.qualify(`
				INSERT INTO @users (username, email, password_hash, active, created_at) VALUES ('ann', '', '', true, 0)`)); err != nil {
				t.Fatal(err)
			}
			found := make(chan int, 2)
			if _, err := s.inHalves(t.Context(), tx, record.MinHalved, func(q sqlx.QueryerContext, _, _ int) (transfer.ImportFacts, error) {
				found <- count(q)
				return transfer.ImportFacts{}, nil
			}); err != nil {
				t.Fatal(err)
			}
			close(found)
			var got []int
			for n := range found {
				got = append(got, n)
			}
			if !slices.Equal(got, want) {
				t.Errorf("users found by the halves: %v, want %v", got, want)
			}
		})
	}
}
