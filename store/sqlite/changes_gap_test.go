package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/authcompat/authcompat/core"
)

// countAlone gives a database the triggers of schema 11 to 25, which count changes and do not say what they are about.
func countAlone(t *testing.T, db *sql.DB) {
	t.Helper()
	text, err := migrations.ReadFile("migrations/00011_generation.sql")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"token_changed", "token_moved", "token_removed", "token_replaced", "user_changed", "user_moved", "user_removed", "user_renamed", "user_replaced"} {
		if _, err := db.Exec(`DROP TRIGGER ` + name); err != nil {
			t.Fatal(err)
		}
	}
	made := 0
	for _, part := range strings.Split(string(text), "-- +goose StatementBegin")[1:] {
		statement, _, _ := strings.Cut(part, "-- +goose StatementEnd")
		if _, err := db.Exec(statement); err != nil {
			t.Fatal(err)
		}
		made++
	}
	if made != 6 {
		t.Fatalf("%d triggers", made)
	}
}

// moveOn makes so many steps, about a user whom nobody has.
func moveOn(steps int) string {
	return fmt.Sprintf(`WITH RECURSIVE c (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < %d) INSERT INTO next_change (user_id) SELECT 99 FROM c`, steps)
}

// steps returns how many steps of the generation are kept, and the number of the last one.
func (s *Store) steps(t *testing.T) (kept int, last int64) {
	t.Helper()
	if err := s.writer.QueryRow(`SELECT (SELECT count(*) FROM changes), n FROM generation`).Scan(&kept, &last); err != nil {
		t.Fatal(err)
	}
	return kept, last
}

// TestCacheForgetsAllAtAGap removes what a step was about, or leads to another history with as many steps, in every way that comes
// to mind: all is forgotten, and what has ended is not found.
func TestCacheForgetsAllAtAGap(t *testing.T) {
	const end = `DELETE FROM tokens WHERE user_id = (SELECT id FROM users WHERE username = 'ann')`
	another := func(ctx context.Context, s *Store, n int) error {
		for i := range n {
			if _, err := s.writer.ExecContext(ctx, `UPDATE users SET email = ? WHERE username = 'eve'`, fmt.Sprint(i)); err != nil {
				return err
			}
		}
		return nil
	}
	for _, tt := range []struct {
		name   string
		change func(t *testing.T, s *Store) error
	}{
		{"emptied", func(t *testing.T, s *Store) error {
			return statement(end, `DELETE FROM changes`)(t.Context(), s, core.User{})
		}},
		{"emptied, and others", func(t *testing.T, s *Store) error {
			return errors.Join(statement(end, `DELETE FROM changes`)(t.Context(), s, core.User{}), another(t.Context(), s, 3))
		}},
		{"one step gone", func(t *testing.T, s *Store) error {
			return errors.Join(another(t.Context(), s, 1), statement(end, `DELETE FROM changes WHERE n = (SELECT n FROM generation)`)(t.Context(), s, core.User{}), another(t.Context(), s, 1))
		}},
		{"one step that was not kept", func(t *testing.T, s *Store) error {
			return errors.Join(another(t.Context(), s, 1),
				statement(end, `UPDATE changes SET n = n - 8192, digest = NULL, user_id = 99 WHERE n = (SELECT n FROM generation)`)(t.Context(), s, core.User{}), another(t.Context(), s, 1))
		}},
		{"the last step gone", func(t *testing.T, s *Store) error {
			return errors.Join(another(t.Context(), s, 1), statement(end, `DELETE FROM changes WHERE n = (SELECT n FROM generation)`)(t.Context(), s, core.User{}))
		}},
		{"the first step gone", func(t *testing.T, s *Store) error {
			return statement(`DELETE FROM changes`, end)(t.Context(), s, core.User{})
		}},
		{"more than are kept", func(t *testing.T, s *Store) error {
			return statement(end, moveOn(8192))(t.Context(), s, core.User{})
		}},
		{"as many as are kept", func(t *testing.T, s *Store) error {
			return statement(end, moveOn(8191))(t.Context(), s, core.User{})
		}},
		{"a number that went back", func(t *testing.T, s *Store) error {
			return statement(end, `UPDATE generation SET n = n - 2`)(t.Context(), s, core.User{})
		}},
		{"a number that went back and forward again", func(t *testing.T, s *Store) error {
			return errors.Join(statement(`UPDATE generation SET n = n - 2`, end)(t.Context(), s, core.User{}), another(t.Context(), s, 5))
		}},
		{"a number that went back and as far again", func(t *testing.T, s *Store) error {
			return errors.Join(statement(`UPDATE generation SET n = n - 2`, end)(t.Context(), s, core.User{}), another(t.Context(), s, 1))
		}},
		{"another number", func(t *testing.T, s *Store) error {
			return statement(end, `UPDATE generation SET n = n + 3`)(t.Context(), s, core.User{})
		}},
		{"no number", func(t *testing.T, s *Store) error {
			return statement(end, `DELETE FROM generation`)(t.Context(), s, core.User{})
		}},
		{"another table, and others", func(t *testing.T, s *Store) error {
			replace := statement(`PRAGMA foreign_keys = OFF`, `CREATE TABLE others AS SELECT * FROM tokens WHERE user_id <> (SELECT id FROM users WHERE username = 'ann')`, `DROP TABLE tokens`, `ALTER TABLE others RENAME TO tokens`)
			return errors.Join(replace(t.Context(), s, core.User{}), another(t.Context(), s, 2))
		}},
		{"a step without a digest", func(t *testing.T, s *Store) error {
			return statement(end, `UPDATE changes SET digest = NULL, user_id = NULL`)(t.Context(), s, core.User{})
		}},
		{"a step with a shorter digest", func(t *testing.T, s *Store) error {
			return statement(end, `UPDATE changes SET digest = substr(digest, 1, 7)`)(t.Context(), s, core.User{})
		}},
		{"the triggers of an earlier schema", func(t *testing.T, s *Store) error {
			countAlone(t, s.writer.DB)
			return statement(end)(t.Context(), s, core.User{})
		}},
	} {
		for kind, open := range caches() {
			t.Run(tt.name+", "+kind, func(t *testing.T) {
				c := open(t)
				c.add(t, "ann")
				c.add(t, "eve")
				// The places have been taken once.
				if err := errors.Join(statement(`UPDATE generation SET n = n + 8192`)(t.Context(), c.other, core.User{}), another(t.Context(), c.other, 4)); err != nil {
					t.Fatal(err)
				}
				c.warm(t, "ann")
				if err := tt.change(t, c.other); err != nil {
					t.Fatal(err)
				}
				if c.remembers("ann") {
					t.Error("it is remembered")
				}
				c.compare(t, "ann")
				c.compare(t, "eve")
				c.compare(t, "ann")
			})
		}
	}
}

// TestTriggersOfAnEarlierSchema has triggers that count alone while tokens are cached under the schema that these have made, and
// leads the number to steps that were kept before.
func TestTriggersOfAnEarlierSchema(t *testing.T) {
	for name, statements := range map[string][]string{
		"counted":       {`DELETE FROM tokens WHERE digest = x'` + hexDigest("ann") + `'`},
		"counted twice": {`DELETE FROM tokens WHERE digest = x'` + hexDigest("ann") + `'`, `UPDATE users SET email = 'x' WHERE username = 'eve'`},
	} {
		t.Run(name, func(t *testing.T) {
			c := openCached(t)
			ann := c.add(t, "ann")
			c.add(t, "eve")
			const others = `UPDATE users SET email = email || 'x' WHERE username = 'eve'`
			if err := statement(others, others, others, others)(t.Context(), c.other, ann); err != nil {
				t.Fatal(err)
			}
			countAlone(t, c.other.writer.DB)
			// Steps of before have these numbers.
			if err := statement(`UPDATE generation SET (n, mark) = (SELECT n, mark FROM changes WHERE n = generation.n - 3)`)(t.Context(), c.other, ann); err != nil {
				t.Fatal(err)
			}
			c.warm(t, "ann")
			if err := statement(statements...)(t.Context(), c.other, ann); err != nil {
				t.Fatal(err)
			}
			if c.remembers("ann") {
				t.Error("it is remembered")
			}
			c.compare(t, "ann")
		})
	}
}

// TestChangesAreBounded removes more tokens with one statement than steps are kept, and moves on by fewer, around the end of the places.
func TestChangesAreBounded(t *testing.T) {
	const many, kept = 20_000, 8192
	c := openCached(t)
	ann := c.add(t, "ann")
	c.add(t, "ben")
	insert := fmt.Sprintf(`WITH RECURSIVE c (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < %d)
		INSERT INTO tokens (digest, user_id, realm, issuer, created_at, expires_at, sliding, reusable, seal_key) SELECT randomblob(32), %d, 'default', 'many', 1, 1, 0, 0, '' FROM c`, many, ann.ID)
	before, first := c.steps(t)
	if _, err := c.other.writer.Exec(insert); err != nil {
		t.Fatal(err)
	}
	if n, last := c.steps(t); n != before || last != first {
		t.Errorf("new tokens made %d steps", last-first)
	}
	c.warm(t, "ben")
	if _, err := c.other.writer.Exec(`DELETE FROM tokens WHERE issuer = 'many'`); err != nil {
		t.Fatal(err)
	}
	n, last := c.steps(t)
	if n != kept || last != first+many {
		t.Errorf("%d steps are kept, and the last is %d, want %d and %d", n, last, kept, first+many)
	}
	if c.remembers("ben") {
		t.Error("what can't be known to hold is remembered")
	}
	// Now by as many as are kept but one, again and again: they come to every place.
	for range 5 {
		c.warm(t, "ben")
		if _, err := c.other.writer.Exec(moveOn(kept - 1)); err != nil {
			t.Fatal(err)
		}
		if !c.remembers("ben") {
			t.Error("what has not changed is forgotten")
		}
		c.warm(t, "ann")
		if _, err := c.other.writer.Exec(`UPDATE tokens SET sliding = sliding + 1 WHERE user_id = ?`, ann.ID); err != nil {
			t.Fatal(err)
		}
		if c.remembers("ann") || !c.remembers("ben") {
			t.Errorf("remembered: changed %v, unchanged %v", c.remembers("ann"), c.remembers("ben"))
		}
	}
	if n, _ := c.steps(t); n != kept {
		t.Errorf("%d steps are kept", n)
	}
}

// TestChangesWhateverAStatementDoesAtConflicts changes tokens by statements of other programs that say what happens at conflicts,
// once all places are taken.
func TestChangesWhateverAStatementDoesAtConflicts(t *testing.T) {
	c := openCached(t)
	ann := c.add(t, "ann")
	c.add(t, "ben")
	if _, err := c.other.writer.Exec(moveOn(8192)); err != nil {
		t.Fatal(err)
	}
	for i, or := range []string{"ROLLBACK", "ABORT", "FAIL", "IGNORE", "REPLACE"} {
		c.warm(t, "ann")
		c.warm(t, "ben")
		if _, err := c.other.writer.Exec(`UPDATE OR `+or+` tokens SET expires_at = ? WHERE user_id = ?`, 1e9+i, ann.ID); err != nil {
			t.Errorf("%s: %v", or, err)
		}
		if c.remembers("ann") || !c.remembers("ben") {
			t.Errorf("%s: remembered: changed %v, unchanged %v", or, c.remembers("ann"), c.remembers("ben"))
		}
		c.compare(t, "ann")
	}
}

// TestMigratesWhileCached brings a database of an earlier schema up to date while another store has it open, as a server of an earlier
// build would: that one counts from then on by the new triggers.
func TestMigratesWhileCached(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	c := openCachedAt(t, path)
	ann := c.add(t, "ann")
	countAlone(t, c.other.writer.DB)
	if err := statement(`DROP VIEW next_change`, `DROP TABLE changes`, `DROP TABLE exporting`, `DROP TABLE deleted_users`, `ALTER TABLE generation DROP COLUMN mark`, `DELETE FROM goose_db_version WHERE version_id >= 26`)(t.Context(), c.other, ann); err != nil {
		t.Fatal(err)
	}
	// The earlier build's statement, prepared before.
	var n, schema int64
	earlier, err := c.other.reader.Prepare(`SELECT n, schema_version FROM generation, pragma_schema_version`)
	if err != nil {
		t.Fatal(err)
	}
	defer earlier.Close()
	if err := earlier.QueryRow().Scan(&n, &schema); err != nil {
		t.Fatal(err)
	}
	fresh, err := Open(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer fresh.Close()
	var after, changed int64
	if err := errors.Join(earlier.QueryRow().Scan(&after, &changed)); err != nil || changed == schema {
		t.Errorf("schema %d, then %d: %v", schema, changed, err)
	}
	if err := fresh.DeleteToken(t.Context(), core.Presented("ann").SHA256(), nil); err != nil {
		t.Fatal(err)
	}
	if err := earlier.QueryRow().Scan(&n, &schema); err != nil || n != after+1 {
		t.Errorf("number %d, then %d: %v", after, n, err)
	}
}
