package sqlite

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
)

// TestPurgeOfIssuers has thousands of expired tokens that are kept before those of an issuer that go: passing them over
// takes no write lock, so that nobody waits for it who logs in.
func TestPurgeOfIssuers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "authcompat.db")
	s, err := Open(t.Context(), path, Options{Wait: short})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	withToken(t, s)
	other, err := connect(writerDSN(path, true), 1)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	other.MustExec(`
		WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4000)
		INSERT INTO tokens (digest, user_id, realm, issuer, created_at, expires_at, sliding, reusable, seal_key)
		SELECT randomblob(32), (SELECT id FROM users), 'default', iif(i % 1000 = 999, 'gone', 'kept'), 0, i / 1500, 0, 0, '' FROM n`)
	purge := func(want, limit int, issuers ...string) {
		t.Helper()
		if n, err := s.PurgeTokens(t.Context(), time.UnixMicro(2), issuers, limit); err != nil || n != want {
			t.Errorf("purged %d, %v, want %d", n, err, want)
		}
	}
	lock := other.MustBegin()
	purge(0, 500, "nobody")
	if err := lock.Rollback(); err != nil {
		t.Fatal(err)
	}
	purge(2, 2, "gone") // the fourth expires later
	purge(1, 500, "nobody", "gone")
	purge(0, 500, "gone")
	var left int
	if err := other.Get(&left, `SELECT count(*) FROM tokens WHERE issuer IN ('kept', 'gone')`); err != nil || left != 3997 {
		t.Errorf("%d are left, %v", left, err)
	}
	if _, _, err := s.FindToken(t.Context(), "default", core.Presented("key")); err != nil {
		t.Error(err)
	}
}
