// Package restorediff compares a backup that is being restored with the database that it
// replaces, and takes over from that one what the backup can't know. Both have SQLite's
// names: the backup is main, the other one is attached as old.
package restorediff

import (
	"context"
	"errors"
	"fmt"

	"github.com/jmoiron/sqlx"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// Changes are numbers of users in whom the backup differs.
type Changes struct {
	Passwords  int64 // users whose stored password is an earlier one again
	Returned   int64 // users who had been deleted since the backup
	Reenabled  int64 // users who may log in again, and had been disabled since
	Registered int64 // users who are gone, because they were created since
}

// ended selects the tokens of the backup that the other database does not have any more,
// or whose user is not active there any more. A token may have got another digest by an
// import, and then has the former one as its twin.
var ended = `
	SELECT t.digest FROM main.tokens t JOIN main.users u ON u.id = t.user_id
	WHERE ` + absent(`o.digest = t.digest`) + ` AND ` + absent(`o.twin = t.digest`) + ` AND ` + absent(`o.digest = t.twin`)

// absent is a condition that no row of the other database is a token's, by a condition
// that an index answers.
func absent(same string) string {
	return `NOT EXISTS (
		SELECT 1 FROM old.tokens o JOIN old.users ou ON ou.id = o.user_id
		WHERE ` + same + ` AND o.user_id = t.user_id AND ou.active >= u.active)`
}

// Compare fills the empty table temp.ended with the digests of the tokens that have ended
// since the backup, and counts other changes. It fails with ErrAnother, or if the other
// database can't be read, which a damage or its schema may cause; temp.ended may have rows
// by then.
func Compare(ctx context.Context, tx *sqlx.Tx) (c Changes, err error) {
	switch same, err := SameDatabase(ctx, tx); {
	case err != nil:
		return c, err
	case !same:
		return c, ErrAnother
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO temp.ended (digest) `+ended); err != nil {
		return c, fmt.Errorf("compare tokens: %w", err)
	}
	const same = ` o.id = u.id AND o.username = u.username`
	for _, count := range []struct {
		to    *int64
		query string
	}{
		{&c.Passwords, `main.users u JOIN old.users o ON` + same + ` WHERE o.password_hash <> u.password_hash`},
		{&c.Reenabled, `main.users u JOIN old.users o ON` + same + ` WHERE o.active < u.active`},
		{&c.Returned, `main.users u WHERE NOT EXISTS (SELECT 1 FROM old.users o WHERE` + same + `)`},
		{&c.Registered, `old.users o WHERE NOT EXISTS (SELECT 1 FROM main.users u WHERE` + same + `)`},
	} {
		if err := tx.GetContext(ctx, count.to, `SELECT count(*) FROM `+count.query); err != nil {
			return Changes{}, fmt.Errorf("compare users: %w", err)
		}
	}
	return c, nil
}

// CarryOver takes over which ids were given to users and audit entries, so that others
// don't get them; which imported tokens have ended, so that the next import doesn't bring
// them back; and until when a token lives that use has extended. From the same database, a
// key is taken over that the backup does not have yet, what operators have set of a
// cutover since: a restore sends nobody to another side; and what is known of where users and tokens were imported from and exported to. What a database of another schema
// does not have is left out.
func CarryOver(ctx context.Context, tx *sqlx.Tx, same bool) error {
	var sameSchema bool
	if err := tx.GetContext(ctx, &sameSchema, `
		SELECT (SELECT max(version_id) FROM main.goose_db_version) = (SELECT max(version_id) FROM old.goose_db_version)`); !same && unknown(err) {
		return nil // it is empty
	} else if err != nil {
		return fmt.Errorf("read schema version: %w", err)
	}
	statements := []string{
		`UPDATE main.sqlite_sequence AS s SET seq = max(seq, ifnull((SELECT o.seq FROM old.sqlite_sequence o WHERE o.name = s.name), 0))
		 WHERE name IN ('users', 'audit')`,
		`INSERT INTO main.sqlite_sequence (name, seq) SELECT o.name, o.seq FROM old.sqlite_sequence o
		 WHERE o.name IN ('users', 'audit') AND NOT EXISTS (SELECT 1 FROM main.sqlite_sequence s WHERE s.name = o.name)`,
		`UPDATE main.tokens AS t SET expires_at = o.expires_at FROM old.tokens o
		 WHERE o.digest = t.digest AND o.expires_at > t.expires_at`,
		// handed: a first run after this has something to look up.
		`INSERT INTO main.imports (source, options, run, stage, reached, handed)
		 SELECT o.source, '', 0, '', '', 1 FROM old.imports o WHERE NOT EXISTS (SELECT 1 FROM main.imports i WHERE i.source = o.source)`,
		`INSERT INTO main.imported_tokens (digest, source, origin, absent)
		 SELECT o.digest, i.id, o.origin, o.absent
		 FROM old.imported_tokens o JOIN old.imports oi ON oi.id = o.source JOIN main.imports i ON i.source = oi.source
		 WHERE NOT EXISTS (SELECT 1 FROM main.tokens t WHERE t.digest = o.digest)
		   AND NOT EXISTS (SELECT 1 FROM main.tokens t WHERE t.twin = o.digest)
		 ON CONFLICT (digest) DO UPDATE SET absent = excluded.absent`,
	}
	if same {
		statements = append(statements,
			`INSERT INTO main.secrets (name, value) SELECT name, value FROM old.secrets WHERE name = 'database' ON CONFLICT DO NOTHING`,
			// WHERE: or ON would be that of a join.
			`INSERT INTO main.cutover (id, version, changed_at, key, rules) SELECT id, version, changed_at, key, rules FROM old.cutover WHERE true
			 ON CONFLICT (id) DO UPDATE SET version = excluded.version, changed_at = excluded.changed_at, key = excluded.key, rules = excluded.rules
			 WHERE excluded.version > version`,
			// A link in a mail that was used since the backup, as one that gives a new password, does not come back: it is made of
			// the last login, which its use sets.
			`UPDATE main.users AS u SET last_login = o.last_login FROM old.users o
			 WHERE o.id = u.id AND o.created_at = u.created_at AND o.last_login > ifnull(u.last_login, 0)`,
			// Nobody gets the id of who was deleted, or of who had registered since the backup. Who had been imported comes back by the next import.
			`INSERT OR IGNORE INTO main.deleted_users (user_id) SELECT user_id FROM old.deleted_users`,
			`INSERT OR IGNORE INTO main.deleted_users (user_id) SELECT o.id FROM old.users o
			 WHERE NOT EXISTS (SELECT 1 FROM main.users u WHERE u.id = o.id) AND NOT EXISTS (SELECT 1 FROM old.imported_users l WHERE l.user_id = o.id)`)
		statements = append(statements, linkStatements...)
	}
	for _, statement := range statements {
		if _, err := tx.ExecContext(ctx, statement); err != nil && (sameSchema || !unknown(err)) {
			return fmt.Errorf("carry over: %w", err)
		}
	}
	if !same {
		return nil
	}
	if err := linkUsers(ctx, tx); err != nil && (sameSchema || !unknown(err)) {
		return err
	}
	return nil
}

// unknown reports whether a statement failed because it names a table or a column that
// another schema does not have.
func unknown(err error) bool {
	var e *sqlite.Error
	return errors.As(err, &e) && e.Code()&0xff == sqlite3.SQLITE_ERROR
}
