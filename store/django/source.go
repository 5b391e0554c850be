package django

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/authcompat/authcompat/core"
)

// Row is one row, or one object of a dump. A column that is NULL is absent.
type Row struct {
	// At is the place of the row, to go on after it; empty where a source can't.
	At string
	// Where names the row for people, without any secret: its table and id.
	Where  string
	Fields map[string]string
}

// Table is a table, or the objects of one model.
type Table struct {
	Name    string
	Columns []Column
}

// Column is one column of a table.
type Column struct {
	Name   string
	Length int    // of a varchar; 0: unknown
	Kind   string // the type's name in lower case, without its length
	// Required tells that a row needs a value: it is neither NULL nor given.
	Required bool
}

// has tells whether the table has all of the columns.
func (t Table) has(names ...string) bool {
	for _, name := range names {
		if _, ok := t.column(name); !ok {
			return false
		}
	}
	return true
}

func (t Table) column(name string) (Column, bool) {
	for _, c := range t.Columns {
		if c.Name == name {
			return c, true
		}
	}
	return Column{}, false
}

// TokenTable is a table of tokens, and the form in which it keeps them.
type TokenTable struct {
	Table
	Generation core.Generation
	// Plain tells that a table of knox 1 keeps the text itself.
	Plain bool
	// Expiry is the column with the end of each token; empty: there is none.
	Expiry string
}

// Shape is what there is in a source.
type Shape struct {
	Users  Table
	Tokens []TokenTable
}

// Source is a Django user base that is being read. It is never written to.
type Source interface {
	// Shape tells what there is.
	Shape() Shape
	// Identity names the source in a way that stays, without any secret.
	Identity() string
	// Each gives the rows of a table that come after a place (empty: all), in an
	// order that stays. It stops with the first error of do.
	Each(ctx context.Context, table Table, after string, do func(Row) error) error
	// Count tells how many rows a table has.
	Count(ctx context.Context, table Table) (int, error)
	Close() error
}

// Open opens a source to read from:
//
//	sqlite:PATH, PATH    a SQLite file of Django's
//	postgres://…         a PostgreSQL database
//	PATH                 a file that `manage.py dumpdata` wrote
//
// userTable names the table (or model, for a dump) of the users; empty: it is
// found. Errors are one line and show no password of a DSN.
func Open(ctx context.Context, source, userTable string) (Source, error) {
	if strings.HasPrefix(source, "postgres://") || strings.HasPrefix(source, "postgresql://") {
		return openDatabase(ctx, postgres{}, source, userTable)
	}
	path, named := strings.CutPrefix(source, "sqlite:")
	if scheme, _, isURL := strings.Cut(source, "://"); isURL && !named {
		return nil, fmt.Errorf("unknown kind of source %q: it is sqlite:PATH, postgres://… or the file of a dumpdata", scheme)
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	sqlite, err := isSQLite(path)
	switch {
	case err != nil:
		return nil, err
	case sqlite:
		return openDatabase(ctx, sqliteFile{}, path, userTable)
	case named:
		return nil, fmt.Errorf("%s is not a SQLite database", path)
	}
	return openDump(ctx, path, userTable)
}

// isSQLite tells whether the file begins as SQLite's do
// (https://sqlite.org/fileformat.html, "Magic Header String").
func isSQLite(path string) (bool, error) {
	f, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return false, err
	}
	if info.IsDir() {
		return false, fmt.Errorf("%s is a directory", path)
	}
	head := make([]byte, 16)
	if n, _ := f.Read(head); n == 0 {
		return false, fmt.Errorf("%s is empty", path)
	}
	return string(head) == "SQLite format 3\x00", nil
}

// ErrNoUsers is a source in which there is no table of users.
var ErrNoUsers = errors.New("no table of users found: no table has the columns password and last_login; name it with --user-table")

// Describe names a database for people, without any password in its DSN.
func Describe(source string) string {
	if strings.HasPrefix(source, "postgres") {
		return postgres{}.identity(source)
	}
	return "SQLite file " + strings.TrimPrefix(source, "sqlite:")
}
