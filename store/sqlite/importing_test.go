package sqlite

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/transfer"
)

// TestImportPutsTriggersBack checks that the triggers that an import removes exist
// again after each batch, even a failed one.
func TestImportPutsTriggersBack(t *testing.T) {
	s, err := Open(t.Context(), filepath.Join(t.TempDir(), "x.db"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	triggers := func() (all []struct{ Name, SQL string }) {
		t.Helper()
		if err := s.reader.Select(&all, `SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' ORDER BY name`); err != nil {
			t.Fatal(err)
		}
		return all
	}
	before := triggers()
	if len(before) < 6 {
		t.Fatalf("%d triggers", len(before))
	}
	check := func(after string) {
		t.Helper()
		if diff := cmp.Diff(before, triggers()); diff != "" {
			t.Errorf("triggers after %s (-before +after):\n%s", after, diff)
		}
	}
	place, err := s.BeginImport(t.Context(), "source", "options")
	if err != nil {
		t.Fatal(err)
	}
	place.Stage = "users"
	ann := transfer.ImportedUser{Key: "1", Account: core.Account{User: core.User{ID: 1, Username: "ann", Active: true, CreatedAt: time.Unix(1, 0)}}}
	if _, err := s.ImportUsers(t.Context(), place, []transfer.ImportedUser{ann}); err != nil {
		t.Fatal(err)
	}
	check("users")
	place.Stage, place.Now = "tokens", time.Unix(2, 0)
	token := transfer.ImportedToken{Owner: "1", Token: core.Token{UserID: 1, Digest: make(core.Digest, 32), Realm: "default", Issuer: "api", CreatedAt: time.Unix(1, 0)}}
	results, err := s.ImportTokens(t.Context(), place, []transfer.ImportedToken{token})
	if err != nil || results[0].Outcome != transfer.ImportAdded {
		t.Fatalf("%+v, error %v", results, err)
	}
	check("tokens")
	// The database refuses a row: nothing of the batch remains.
	if _, err := s.writer.Exec(`CREATE TRIGGER refusing BEFORE INSERT ON tokens BEGIN SELECT raise(FAIL, 'no'); END`); err != nil {
		t.Fatal(err)
	}
	before = triggers()
	token.Digest = append(core.Digest{1}, token.Digest[1:]...)
	if _, err := s.ImportTokens(t.Context(), place, []transfer.ImportedToken{token}); err == nil {
		t.Error("a refused row went in")
	}
	check("a batch that failed")
}
