package sqlite

import (
	"context"
	_ "embed" // for guards.sql
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"

	"github.com/jmoiron/sqlx"
)

// guardsText are the guards that the migrations make.
//
//go:embed guards.sql
var guardsText string

// guardSeparator ends each of them; none has an empty line.
const guardSeparator = ";\n\n"

// guards returns a database's triggers and unique indexes, which keep what no statement of
// ours checks: each with its kind, its name and the statement that makes it.
func guards(ctx context.Context, db *sqlx.DB) (all []string, err error) {
	err = db.SelectContext(ctx, &all, `
		SELECT '-- ' || type || ' ' || name || ' of ' || tbl_name || char(10) || sql FROM sqlite_schema
		WHERE sql LIKE 'CREATE TRIGGER %' OR sql LIKE 'CREATE UNIQUE INDEX %' ORDER BY tbl_name, type, name`)
	if err != nil {
		return nil, fmt.Errorf("read schema: %w", err)
	}
	return all, nil
}

// checkGuards refuses a database that lacks a trigger or a unique index which the
// migrations make, or has another in its place. SQLite notices no damage in their texts:
// without a trigger, no cache would notice a logout. What else an operator has changed is
// left alone, and damage to a table's text is noticed by what uses the table.
func checkGuards(ctx context.Context, db *sqlx.DB) error {
	found, err := guards(ctx, db)
	if err != nil {
		return err
	}
	for i, guard := range found {
		found[i] = unquoted(guard)
	}
	for guard := range strings.SplitSeq(strings.TrimSuffix(guardsText, guardSeparator), guardSeparator) {
		if !slices.Contains(found, unquoted(guard)) {
			what, _, _ := strings.Cut(strings.TrimPrefix(guard, "-- "), "\n")
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
// one of this schema with other guards.
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
	return checkGuards(ctx, db)
}
