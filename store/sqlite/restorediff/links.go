package restorediff

import (
	"context"
	"fmt"

	"github.com/authcompat/authcompat/core/transfer"
	"github.com/authcompat/authcompat/store/internal/record"
	"github.com/jmoiron/sqlx"
)

// sources joins what a row of the other database says of a source with the backup's row of that source.
const sources = ` JOIN old.imports oi ON oi.id = o.source JOIN main.imports i ON i.source = oi.source `

// samePassword and sameRest are conditions that the restore does not change that half of a user (m) since the other
// database (u): see [transfer.UserFingerprint].
const (
	samePassword = `m.password_hash = u.password_hash`
	sameRest     = `m.username = u.username AND m.email = u.email AND m.active = u.active AND m.attributes IS u.attributes`
)

// linkStatements take over from the same database what it knows of the users and tokens of the backup that were imported or
// exported since: without that, a token that was exported since and was then logged out there would be a new one to the
// next export, which would bring it back there, and none of there to the next import, which would not end it here.
//
// What was last moved of a user counts where the restore leaves that half of the user as it is. Where the half is again
// what it was, so is its link: what has come since then is still there, and the next import brings it. Users of whom the
// backup has no link get one in linkUsers, too.
var linkStatements = []string{
	// An import that is under way, there or in the backup, has not seen what is linked here.
	`UPDATE main.imports AS i SET run = max(i.run, o.run) + 1, stage = '', reached = '', handed = 1
	 FROM old.imports o WHERE o.source = i.source AND o.run > 0`,
	`UPDATE OR IGNORE main.tokens AS t SET generation = o.generation, prefix = o.prefix, salt = o.salt, twin = o.twin
	 FROM old.tokens o WHERE o.digest = t.digest AND o.user_id = t.user_id AND t.twin IS NULL AND o.twin IS NOT NULL`,
	`UPDATE main.tokens AS t SET source = i.id, origin = o.origin FROM old.tokens o` + sources +
		`WHERE o.digest = t.digest AND o.user_id = t.user_id AND (t.source IS NOT i.id OR t.origin IS NOT o.origin)`,
	`UPDATE main.tokens AS t SET source = i.id, origin = o.origin FROM old.tokens o` + sources +
		`WHERE o.twin = t.digest AND o.user_id = t.user_id AND t.source IS NULL`,
	`UPDATE main.tokens AS t SET source = i.id, origin = o.origin FROM old.tokens o` + sources +
		`WHERE t.twin IS NOT NULL AND o.digest = t.twin AND o.user_id = t.user_id AND t.source IS NULL`,
	`UPDATE OR IGNORE main.imported_users AS l SET source = i.id, key = o.key,
		mark = unhex(hex(substr(CASE WHEN ` + samePassword + ` THEN o.mark ELSE l.mark END, 1, 16)) || hex(substr(CASE WHEN ` + sameRest + ` THEN o.mark ELSE l.mark END, 17))),
		rehashed = CASE WHEN ` + samePassword + ` THEN o.rehashed ELSE l.rehashed END
	 FROM old.imported_users o` + sources + `JOIN old.users u ON u.id = o.user_id JOIN main.users m ON m.id = o.user_id
	 WHERE o.user_id = l.user_id AND (l.mark <> o.mark OR l.key IS NOT o.key OR l.rehashed IS NOT o.rehashed OR l.source <> i.id)`,
	// What an export that was cut off may have written of a user is noted with what the user was then.
	`DELETE FROM main.exporting`,
	`INSERT INTO main.exporting (source, user_id, name, mark) SELECT i.id, o.user_id, o.name, o.mark FROM old.exporting o` + sources +
		`WHERE o.user_id IS NULL OR EXISTS (SELECT 1 FROM main.users m JOIN old.users u ON u.id = m.id WHERE m.id = o.user_id AND ` + samePassword + ` AND ` + sameRest + `)`,
}

// linkUsers links the users of whom the backup has no link, and the other database has one.
func linkUsers(ctx context.Context, tx *sqlx.Tx) error {
	const unlinked = `FROM old.imported_users o` + sources + `JOIN old.users u ON u.id = o.user_id JOIN main.users m ON m.id = o.user_id
		WHERE NOT EXISTS (SELECT 1 FROM main.imported_users l WHERE l.user_id = m.id)`
	if _, err := tx.ExecContext(ctx, `INSERT OR IGNORE INTO main.imported_users (user_id, source, key, mark, rehashed)
		SELECT m.id, i.id, o.key, o.mark, o.rehashed `+unlinked+` AND `+samePassword+` AND `+sameRest); err != nil {
		return fmt.Errorf("carry over links: %w", err)
	}
	var changed []struct {
		record.Account
		SamePassword bool    `db:"same_password"`
		SameRest     bool    `db:"same_rest"`
		Source       int64   `db:"source"`
		Key          *string `db:"key"`
		Mark         []byte  `db:"mark"`
	}
	if err := tx.SelectContext(ctx, &changed, `
		SELECT m.id, m.username, m.email, m.password_hash, m.active, m.attributes, m.created_at, m.last_login,
			`+samePassword+` AS same_password, (`+sameRest+`) AS same_rest, i.id AS source, o.key, o.mark `+unlinked); err != nil {
		return fmt.Errorf("select links: %w", err)
	}
	for _, c := range changed {
		account, err := c.Core()
		if err != nil {
			return err
		}
		mark := transfer.UserFingerprint(account) // of a half that is again what it was, as if that had been moved
		half := len(mark) / 2
		if c.SamePassword {
			copy(mark[:half], c.Mark[:half])
		}
		if c.SameRest {
			copy(mark[half:], c.Mark[half:])
		}
		if _, err := tx.ExecContext(ctx, `INSERT OR IGNORE INTO main.imported_users (user_id, source, key, mark) VALUES (?, ?, ?, ?)`, c.ID, c.Source, c.Key, mark); err != nil {
			return fmt.Errorf("carry over link: %w", err)
		}
	}
	return nil
}
