package sqlite

import (
	"context"
	_ "embed" // for the schema's text
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"

	"github.com/jmoiron/sqlx"
)

// schemaText is what the migrations make, an entry of schemaEntries each.
//
//go:embed schema.sql
var schemaText string

// entrySeparator ends the entries of schemaText; none has an empty line.
const entrySeparator = ";\n\n"

// schemaEntries returns the objects of a database's schema, each with its kind, its name
// and the statement that makes it. Indexes that belong to their table's have none.
func schemaEntries(ctx context.Context, db *sqlx.DB) (entries []string, err error) {
	err = db.SelectContext(ctx, &entries, `
		SELECT '-- ' || type || ' ' || name || ' of ' || tbl_name || char(10) || sql
		FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY tbl_name, type = 'table' DESC, type, name`)
	if err != nil {
		return nil, fmt.Errorf("read schema: %w", err)
	}
	return entries, nil
}

// checkTriggers refuses a database that lacks a trigger or a unique index which the
// migrations make, or has another in its place. SQLite notices no damage in their texts:
// without a trigger, no cache would notice a logout. What else an operator has changed is
// left alone, and damage to a table's text is noticed by what uses the table.
func checkTriggers(ctx context.Context, db *sqlx.DB) error {
	found, err := schemaEntries(ctx, db)
	if err != nil {
		return err
	}
	for i, entry := range found {
		found[i] = unquoted(entry)
	}
	for entry := range strings.SplitSeq(schemaText, entrySeparator) {
		what, statement, _ := strings.Cut(strings.TrimPrefix(entry, "-- "), "\n")
		guards := strings.HasPrefix(statement, "CREATE TRIGGER ") || strings.HasPrefix(statement, "CREATE UNIQUE INDEX ")
		if guards && !slices.Contains(found, unquoted(entry)) {
			return fmt.Errorf("%w: the %s is missing, or is not as it was made", errDamaged, what)
		}
	}
	return nil
}

// quotedName is a text literal, or a name in quotes. Names are in lower case in our
// statements and keywords in upper case, so that no keyword is taken for a name.
var quotedName = regexp.MustCompile(`'[^']*'|"[a-z_][a-z0-9_]*"`)

// unquoted removes the quotes around names, which SQLite adds where an operator has renamed
// a table or a column.
func unquoted(statement string) string {
	return quotedName.ReplaceAllStringFunc(statement, func(found string) string { return strings.Trim(found, `"`) })
}

// checkSchema refuses a database that is not authcompat's, one with a newer schema, and
// one of this schema with other triggers.
func checkSchema(ctx context.Context, db *sqlx.DB) error {
	if err := checkOwner(ctx, db); err != nil {
		return err
	}
	var current, known int64
	switch err := db.GetContext(ctx, &current, `SELECT ifnull(max(version_id), 0) FROM goose_db_version WHERE is_applied = 1`); {
	case err != nil && strings.Contains(err.Error(), "no such table"):
		return errors.New("it is empty")
	case err != nil:
		return fmt.Errorf("read schema version: %w", err)
	}
	entries, err := fs.ReadDir(migrations, "migrations")
	if err != nil {
		return err
	}
	for _, entry := range entries {
		var version int64
		if _, err := fmt.Sscanf(entry.Name(), "%d_", &version); err == nil {
			known = max(known, version)
		}
	}
	if current > known {
		return newerSchema(current, known)
	}
	if current < known {
		return nil
	}
	return checkTriggers(ctx, db)
}
