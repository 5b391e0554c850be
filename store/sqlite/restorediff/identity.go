package restorediff

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/jmoiron/sqlx"
)

// ErrAnother is the error of a comparison with a database that never was the backup's, such
// as an empty one that a server has made after the first was lost: that it does not have a
// token says nothing.
var ErrAnother = errors.New("the database that was there is not the one that was backed up")

// SameDatabase reports whether main and old are one database at two times. They are if they
// have the same key, which is drawn once. One that has none yet, because it was only
// imported into, is known by an entry of the audit record that both have.
func SameDatabase(ctx context.Context, q sqlx.QueryerContext) (bool, error) {
	var keys [2][]byte
	for i, schema := range []string{"main", "old"} {
		err := sqlx.GetContext(ctx, q, &keys[i], `SELECT value FROM `+schema+`.secrets WHERE name = 'database'`)
		if err != nil && !errors.Is(err, sql.ErrNoRows) && !unknown(err) {
			return false, fmt.Errorf("read the key of a database: %w", err)
		}
	}
	if len(keys[0]) > 0 && len(keys[1]) > 0 {
		return bytes.Equal(keys[0], keys[1]), nil
	}
	var shared bool
	err := sqlx.GetContext(ctx, q, &shared, `
		SELECT EXISTS (SELECT 1 FROM main.audit m JOIN old.audit o ON `+sameEntry+`)`)
	if err != nil && !unknown(err) {
		return false, fmt.Errorf("compare audit records: %w", err)
	}
	return shared, nil
}

// Includes reports whether main has all that old has: old is main as it was at some time. It is
// if main has the newest entry of old's audit record, as each backup adds one; or if main has
// given its id, has purged it since, and neither was restored after the other. One that has no
// record is taken for an earlier one.
func Includes(ctx context.Context, q sqlx.QueryerContext) (bool, error) {
	var included bool
	err := sqlx.GetContext(ctx, q, &included, `
		WITH newest AS (SELECT * FROM old.audit ORDER BY id DESC LIMIT 1)
		SELECT NOT EXISTS (SELECT 1 FROM newest)
			OR EXISTS (SELECT 1 FROM newest o JOIN main.audit m ON `+sameEntry+`)
			OR (SELECT value FROM main.secrets WHERE name = '`+restoration+`') IS (SELECT value FROM old.secrets WHERE name = '`+restoration+`')
			AND (SELECT id FROM newest) < ifnull((SELECT min(id) FROM main.audit), (SELECT seq + 1 FROM main.sqlite_sequence WHERE name = 'audit'))`)
	if unknown(err) {
		return true, nil // schemas before 10 have no audit record
	}
	if err != nil {
		return false, fmt.Errorf("compare audit records: %w", err)
	}
	return included, nil
}

// sameEntry is the condition that entries m and o of two audit records are one.
const sameEntry = `o.id = m.id AND o.at = m.at AND o.act = m.act AND o.username = m.username AND o.request = m.request`

// restoration is the name, in the table of secrets, of what tells the last restore of a database
// from all others; it has none before the first.
const restoration = "restoration"

// MarkRestored notes in a backup that is being restored that it goes its own way from here.
func MarkRestored(ctx context.Context, db sqlx.ExecerContext) error {
	if _, err := db.ExecContext(ctx, `INSERT INTO secrets (name, value) VALUES ('`+restoration+`', randomblob(16))
		ON CONFLICT (name) DO UPDATE SET value = excluded.value`); err != nil {
		return fmt.Errorf("note the restore: %w", err)
	}
	return nil
}
