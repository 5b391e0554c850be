package live

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/authcompat/authcompat/store/internal/pgconn"
)

// usernameFold is how to fold usernames as the column of usernames compares them. The zero
// value is that of a column which compares them byte by byte.
type usernameFold struct {
	query string              // with one parameter and a number as its result
	text  func(string) string // without the database
}

// foldUsername is [core.Backend.FoldUsername].
func (s *Store) foldUsername(ctx context.Context, username string) (string, error) {
	if l := s.layout.Load(); l.fold.query == "" {
		return l.fold.of(username), nil
	}
	err := s.read(ctx, func(ctx context.Context, l *layout) error {
		if l.fold.query == "" {
			username = l.fold.of(username)
			return nil
		}
		var n int64
		err := l.db.QueryRowContext(ctx, l.fold.query, username).Scan(&n)
		if err == nil {
			username = strconv.FormatInt(n, 36)
		}
		return err
	})
	if errors.Is(err, pgconn.ErrEncoding) {
		return username, nil // which no user has, in whatever spelling
	}
	return username, err
}

// of folds a username without the database.
func (f usernameFold) of(username string) string {
	if f.text == nil {
		return username
	}
	return f.text(username)
}

// findFold returns how to fold usernames as the column of usernames compares them.
func (l *layout) findFold(ctx context.Context) (fold usernameFold, err error) {
	err = l.read(ctx, func(ctx context.Context) error {
		if l.django.IsPostgres() {
			fold, err = l.postgresFold(ctx)
		} else {
			fold, err = l.sqliteFold(ctx)
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
func (l *layout) postgresFold(ctx context.Context) (usernameFold, error) {
	column, _ := l.shape.Users.Column(l.decoder.Mapping.Username)
	if plain := column.Kind == "character varying" || column.Kind == "text"; plain && !column.CaseBlind {
		return usernameFold{}, nil
	}
	// An empty column's type and collation go over to the value.
	typed := func(value string) string {
		return `coalesce((SELECT "users".` + l.django.Quote(column.Name) + ` FROM ` + l.django.FromClause(l.shape.Users, `"users"`) + ` WHERE false), ` + value + `)`
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
	if err := l.db.QueryRowContext(ctx, `SELECT (`+typed(`'a'`)+` = 'A') = (`+hash(`'a'`)+` = `+hash(`'A'`)+`)`).Scan(&agree); err != nil || !agree {
		return usernameFold{}, err
	}
	return usernameFold{query: l.sql(`SELECT ` + hash(`?`))}, nil
}

// sqliteFold follows the collation by which SQLite compares the column, whatever those of
// its indexes (https://sqlite.org/datatype3.html#collation).
func (l *layout) sqliteFold(ctx context.Context) (usernameFold, error) {
	collation, err := l.sqliteCollation(ctx)
	switch {
	case err != nil:
		return usernameFold{}, err
	case strings.HasPrefix(collation, "NOCASE"):
		return usernameFold{text: func(username string) string { return strings.Map(lowerASCII, username) }}, nil
	case strings.HasPrefix(collation, "RTRIM"):
		return usernameFold{text: func(username string) string { return strings.TrimRight(username, " ") }}, nil
	}
	return usernameFold{}, nil
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
func (l *layout) sqliteCollation(ctx context.Context) (string, error) {
	rows, err := l.db.QueryContext(ctx, `EXPLAIN SELECT 1 FROM `+l.django.FromClause(l.shape.Users, `"users"`)+
		` WHERE +"users".`+l.django.Quote(l.decoder.Mapping.Username)+` = ?`, "")
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

// lowered is a column with the letters of ASCII in lower case, whatever its collation.
func (l *layout) lowered(column string) string {
	if l.django.IsPostgres() {
		return `lower((` + column + `)::text COLLATE "C")`
	}
	return `lower(` + column + `)`
}

// exactly is a column compared byte by byte, whatever its type and collation.
func (l *layout) exactly(column string) string {
	if l.django.IsPostgres() {
		return `(` + column + `)::text COLLATE "C"`
	}
	return column + ` COLLATE BINARY`
}
