package live

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// usernameFold is [core.Backend.FoldUsername].
type usernameFold = func(ctx context.Context, username string) (string, error)

// findFold returns how to fold usernames as the column of usernames compares them; nil if it
// compares them byte by byte.
func (s *Store) findFold(ctx context.Context) (fold usernameFold, err error) {
	err = s.read(ctx, func(ctx context.Context) error {
		if s.django.IsPostgres() {
			fold, err = s.postgresFold(ctx)
		} else {
			fold, err = s.sqliteFold(ctx)
		}
		return err
	})
	if err != nil {
		err = fmt.Errorf("how usernames compare: %w", err)
	}
	return fold, err
}

// postgresFold has the database fold them. No library of ours knows all that a collation of
// its ICU takes for one (soft hyphens, full-width letters), nor where citext's lower() stops.
func (s *Store) postgresFold(ctx context.Context) (usernameFold, error) {
	column, _ := s.shape.Users.Column(s.decoder.Mapping.Username)
	if plain := column.Kind == "character varying" || column.Kind == "text"; plain && !column.CaseBlind {
		return nil, nil
	}
	// An empty column's type and collation go over to the value.
	typed := func(value string) string {
		return `coalesce((SELECT "users".` + s.django.Quote(column.Name) + ` FROM ` + s.django.FromClause(s.shape.Users, `"users"`) + ` WHERE false), ` + value + `)`
	}
	// Equal values have equal hashes, under the column's type and collation, also where equal
	// values have different bytes: with such collations, it is the hash of ICU's sort key. The
	// seed is secret, or somebody could search for names that collide.
	hash := func(value string) string {
		return `hash_array_extended(ARRAY[` + typed(value) + `], coalesce((SELECT ('x' || substr(value, 1, 16))::bit(64)::bigint
			FROM authcompat_secrets WHERE name = 'database'), 0))`
	}
	// A type whose operators are in a schema that is not searched compares as text, without
	// regard to its hash.
	var agree bool
	if err := s.db.QueryRowContext(ctx, `SELECT (`+typed(`'a'`)+` = 'A') = (`+hash(`'a'`)+` = `+hash(`'A'`)+`)`).Scan(&agree); err != nil || !agree {
		return nil, err
	}
	query := s.sql(`SELECT ` + hash(`?`))
	return func(ctx context.Context, username string) (string, error) {
		var n int64
		err := s.read(ctx, func(ctx context.Context) error { return s.db.QueryRowContext(ctx, query, username).Scan(&n) })
		return strconv.FormatInt(n, 36), err
	}, nil
}

// sqliteFold follows the collation by which SQLite compares the column, whatever those of
// its indexes (https://sqlite.org/datatype3.html#collation).
func (s *Store) sqliteFold(ctx context.Context) (usernameFold, error) {
	collation, err := s.sqliteCollation(ctx)
	switch {
	case err != nil:
		return nil, err
	case strings.HasPrefix(collation, "NOCASE"):
		return func(_ context.Context, username string) (string, error) {
			return strings.Map(lowerASCII, username), nil
		}, nil
	case strings.HasPrefix(collation, "RTRIM"):
		return func(_ context.Context, username string) (string, error) { return strings.TrimRight(username, " "), nil }, nil
	}
	return nil, nil
}

// lowerASCII changes the letters of ASCII alone, as NOCASE does.
func lowerASCII(r rune) rune {
	if 'A' <= r && r <= 'Z' {
		return r + 'a' - 'A'
	}
	return r
}

// sqliteCollation returns the collation of the comparison that Account makes. The program
// that SQLite compiles for it names that; the plus sign keeps it from using an index, where
// there is no comparison to see.
func (s *Store) sqliteCollation(ctx context.Context) (string, error) {
	rows, err := s.db.QueryContext(ctx, `EXPLAIN SELECT 1 FROM `+s.django.FromClause(s.shape.Users, `"users"`)+
		` WHERE +"users".`+s.django.Quote(s.decoder.Mapping.Username)+` = ?`, "")
	if err != nil {
		return "", err
	}
	defer rows.Close()
	for rows.Next() {
		var address, p1, p2, p3, p5 int
		var operation string
		var p4, comment sql.NullString
		if err := rows.Scan(&address, &operation, &p1, &p2, &p3, &p4, &p5, &comment); err != nil {
			return "", err
		}
		if operation == "Ne" || operation == "Eq" {
			return p4.String, nil
		}
	}
	return "", errors.Join(errors.New("SQLite's program has no comparison"), rows.Err())
}
