package postgres

import (
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/transfer"
)

// refuseNestedLoops has each statement that reads import_seen fail if PostgreSQL may join by
// nested loops.
const refuseNestedLoops = `
	ALTER TABLE @import_seen RENAME TO seen;
	CREATE FUNCTION @by_hash() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN
		IF current_setting('enable_nestloop') = 'on' THEN RAISE EXCEPTION 'nested loops'; END IF;
		RETURN true;
	END $$;
	CREATE VIEW @import_seen AS SELECT source, run, digest FROM @seen WHERE @by_hash()`

// TestUnseenJoinedByHash checks that the tokens here are not compared with each of those
// seen, which PostgreSQL does where it has no statistics of the tables yet.
func TestUnseenJoinedByHash(t *testing.T) {
	s := mustOpen(t)
	ann := core.User{ID: 1, Username: "ann", Active: true, CreatedAt: time.Unix(1, 0)}
	begin := func(digests ...string) transfer.Checkpoint {
		t.Helper()
		place, err := s.BeginImport(t.Context(), "source", "options")
		if err != nil {
			t.Fatal(err)
		}
		place.Stage = "users"
		if _, err := s.ImportUsers(t.Context(), place, []transfer.ImportedUser{{Key: "1", Account: core.Account{User: ann}}}); err != nil {
			t.Fatal(err)
		}
		place.Stage, place.Now = "tokens", time.Unix(2, 0)
		var tokens []transfer.ImportedToken
		for _, d := range digests {
			token := core.Token{UserID: 1, Digest: core.Digest(d), Realm: "default", Issuer: "api", CreatedAt: time.Unix(1, 0)}
			tokens = append(tokens, transfer.ImportedToken{Owner: "1", Token: token})
		}
		if _, err := s.ImportTokens(t.Context(), place, tokens); err != nil {
			t.Fatal(err)
		}
		return place
	}
	tables := []string{"tokens"}
	if _, err := s.FinishImport(t.Context(), begin("a", "b", "c"), tables); err != nil {
		t.Fatal(err)
	}
	place := begin("a", "b")
	if _, err := s.db.Exec(s.qualify(refuseNestedLoops)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.db.Exec(s.qualify(`SELECT digest FROM @import_seen`)); err == nil {
		t.Fatal("import_seen can be read where joins may be nested loops")
	}
	here, unseen, err := s.CountImported(t.Context(), place, tables)
	if err != nil || here != 3 || unseen != 1 {
		t.Errorf("%d tokens here, %d of them unseen, want 3 and 1, error %v", here, unseen, err)
	}
	if ended, err := s.revokeUnseen(t.Context(), place, tables); err != nil || ended != 1 {
		t.Errorf("%d tokens ended, want 1, error %v", ended, err)
	}
	// The setting ends with its transaction: the pool's connections plan as before.
	var still string
	if err := s.db.Get(&still, `SHOW enable_nestloop`); err != nil || still != "on" {
		t.Errorf("enable_nestloop is %q, error %v", still, err)
	}
}
