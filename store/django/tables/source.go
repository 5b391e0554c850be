package tables

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/authcompat/authcompat/core"
)

// Row is one row, or one object of a dump.
type Row struct {
	// At is the place of the row, to go on after it; empty where a source can't.
	At string
	// Where names the row for people, without any secret: its table and id.
	Where string

	index  map[string]int
	values []sql.NullString
}

// Row names values, one for each column of the table.
func (t Table) Row(values []sql.NullString) Row { return Row{index: t.index, values: values} }

// get returns a column's value as text; ok is false where it is NULL, or there is no
// such column.
func (r Row) get(column string) (text string, ok bool) {
	i, ok := r.index[column]
	if !ok || i >= len(r.values) {
		return "", false
	}
	return r.values[i].String, r.values[i].Valid
}

// Text returns a column's value as text; empty for NULL.
func (r Row) Text(column string) string {
	text, _ := r.get(column)
	return text
}

// TokenTable is a table of tokens, and the form in which it keeps them.
type TokenTable struct {
	Table
	Format core.LegacyFormat
	// Plain tells that a table of knox 1 keeps the text itself.
	Plain bool
	// Own tells that it is no table of authtoken's or knox's, but one of the
	// project's own that keeps texts as authtoken does, several a user if Many.
	Own, Many bool
	// Expiry is the column with the end of each token; empty: there is none.
	Expiry string
	// DeadBefore is a time before which tokens were made that their own server
	// refuses; the zero time: none.
	DeadBefore time.Time
	// Empty tells that it had no rows when it was opened.
	Empty bool
}

// IDColumn is the column that tells the tokens of the table apart.
func (t TokenTable) IDColumn() string {
	if t.Has("key") {
		return "key"
	}
	return "digest"
}

// Shape is what there is in a source.
type Shape struct {
	Users Table
	// Mapping says which column of Users is what.
	Mapping Mapping
	// Tokens are the tables of tokens that are meant.
	Tokens []TokenTable
	// Found are all tables that hold tokens or look like it.
	Found []TokenTable
	// Undecided says why Tokens can't be told and what to give; nil if they can.
	Undecided error
	// Unsure are sentences for people about what was decided and may be wrong.
	Unsure []string
	// Migrations are those that the database has had, with their time, by
	// "app.name"; empty where it is not known.
	Migrations map[string]string
	// Named tells that the tables of tokens were named by whoever opened it.
	Named bool
	// ByName tells that tokens name users by their names.
	ByName bool
}

// Source is a Django user base that is being read. It is never written to.
type Source interface {
	// Shape tells what there is.
	Shape() Shape
	// Identity names the source in a way that stays, without any secret.
	Identity() string
	// Each returns the rows of a table that come after a place (empty: all), in an
	// order that stays. It stops with the first error of do.
	Each(ctx context.Context, table Table, after string, do func(Row) error) error
	// Count tells how many rows a table has.
	Count(ctx context.Context, table Table) (int, error)
	Close() error
}

// Accepted says for people what a source may be.
const Accepted = "sqlite:PATH, postgres://…, mysql://… or the files of a dumpdata"

// Open opens a source to read from:
//
//	sqlite:PATH, PATH    a SQLite file of Django's
//	postgres://…         a PostgreSQL database
//	mysql://…            a MySQL or MariaDB database
//	PATH …               one or more files that `manage.py dumpdata` wrote
//
// What m leaves out is found. Errors are one line and show no password of a DSN.
func Open(ctx context.Context, m Mapping, sources ...string) (Source, error) {
	if len(sources) == 1 {
		if d, dsn := dialectOf(sources[0]); d != nil {
			return openDatabase(ctx, d, dsn, m)
		}
	}
	var paths []string
	for _, source := range sources {
		path, named := strings.CutPrefix(source, "sqlite:")
		if scheme, _, isURL := strings.Cut(source, "://"); isURL && !named {
			if d, _ := dialectOf(source); d != nil {
				return nil, errors.New("several sources at once can only be files of a dumpdata")
			}
			return nil, fmt.Errorf("unknown kind of source %q: it is %s", scheme, Accepted)
		}
		path, err := filepath.Abs(path)
		if err != nil {
			return nil, err
		}
		sqlite, err := isSQLite(path)
		switch {
		case err != nil:
			return nil, err
		case sqlite && len(sources) > 1:
			return nil, errors.New("several sources at once can only be files of a dumpdata")
		case sqlite:
			return openDatabase(ctx, sqliteFile{}, path, m)
		case named:
			return nil, fmt.Errorf("%s is not a SQLite database", path)
		}
		paths = append(paths, path)
	}
	return openDump(ctx, m, paths)
}

// dialectOf returns the dialect of a database server that a DSN names; nil for none.
func dialectOf(source string) (dialect, string) {
	switch scheme, _, _ := strings.Cut(source, "://"); scheme {
	case "postgres", "postgresql":
		return postgres{}, source
	case "mysql", "mariadb":
		return mysql{}, source
	}
	return nil, ""
}

// isSQLite tells whether the file begins as SQLite's do
// (https://sqlite.org/fileformat.html, "Magic Header String").
func isSQLite(path string) (bool, error) {
	info, err := os.Stat(path)
	var failed *os.PathError
	if errors.As(err, &failed) {
		failed.Op = "open" // which it would be to anyone
	}
	switch {
	case err != nil:
		return false, err
	case info.IsDir():
		return false, fmt.Errorf("%s is a directory", path)
	case !info.Mode().IsRegular():
		return false, fmt.Errorf("%s is no regular file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	head := make([]byte, 16)
	if n, _ := f.Read(head); n == 0 {
		return false, fmt.Errorf("%s is empty", path)
	}
	return string(head) == "SQLite format 3\x00", nil
}

// ErrNoUsers is a source in which there is no table of users.
var ErrNoUsers = errors.New("no table of users found: no table has the columns password and last_login")

// Describe names a database for people, without any password in its DSN.
func Describe(source string) string {
	if d, dsn := dialectOf(source); d != nil {
		return d.identity(dsn)
	}
	return "SQLite file " + strings.TrimPrefix(source, "sqlite:")
}
