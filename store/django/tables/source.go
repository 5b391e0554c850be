package tables

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/authcompat/authcompat/core"
)

// Row is a row of a table, or an object of a dump.
type Row struct {
	// At is the position from which reading can resume after the row; empty if it
	// can't.
	At string
	// Where identifies the row by table and ID in messages, without any secret.
	Where string

	index  map[string]int
	values []sql.NullString
}

// Row returns a row of the table with one value for each column.
func (t Table) Row(values []sql.NullString) Row { return Row{index: t.index, values: values} }

// Size is the length of the row's values in bytes.
func (r Row) Size() (n int) {
	for _, v := range r.values {
		n += len(v.String)
	}
	return n
}

// get returns a column's value as text; ok is false if it is NULL or the column does
// not exist.
func (r Row) get(column string) (text string, ok bool) {
	i, ok := r.index[column]
	if !ok || i >= len(r.values) {
		return "", false
	}
	return r.values[i].String, r.values[i].Valid
}

// Text returns a column's value as text, or "" for NULL.
func (r Row) Text(column string) string {
	text, _ := r.get(column)
	return text
}

// TokenTable is a token table and the format of its tokens.
type TokenTable struct {
	Table
	Format core.LegacyFormat
	// Plain is set for a table of knox 1 that stores tokens in clear text.
	Plain bool
	// Own is set for a project's own table that, like authtoken's, stores tokens in
	// clear text; Many is set if such a table may have several tokens per user.
	Own, Many bool
	// Expiry is the column with the expiry of each token; empty if there is none.
	Expiry string
	// DeadBefore is the creation time before which the source's own server refuses
	// tokens; zero if there is no such time.
	DeadBefore time.Time
	// Empty is set if the table had no rows when the source was opened.
	Empty bool
}

// IDColumn returns the column that identifies the tokens of the table.
func (t TokenTable) IDColumn() string {
	if t.Has("key") {
		return "key"
	}
	return "digest"
}

// Undated reports whether the table does not say when its tokens were created.
func (t TokenTable) Undated() bool { return !t.Has("created") }

// Shape describes what a source contains.
type Shape struct {
	Users Table
	// Mapping assigns the columns of Users their roles.
	Mapping Mapping
	// Tokens are the token tables to use.
	Tokens []TokenTable
	// Found are all tables that hold tokens or look like they do.
	Found []TokenTable
	// Addresses has the addresses that users verify with django-allauth; nil: there are none.
	Addresses *Table
	// Undecided says why Tokens could not be determined and which option settles it.
	Undecided error
	// Unsure lists sentences about decisions that may be wrong.
	Unsure []string
	// Migrations has the time of each migration applied to the database, by "app.name";
	// empty if unknown.
	Migrations map[string]string
	// Named is set if the caller named the token tables.
	Named bool
	// ByName is set if tokens refer to users by username.
	ByName bool
}

// Source is a Django user base to read from. It is never written to.
type Source interface {
	// Shape describes what the source contains.
	Shape() Shape
	// Identity returns a stable name for the source, without any secret.
	Identity() string
	// Each calls do with each row of a table after a position (empty: all rows), in a
	// stable order. It stops at the first error that do returns.
	Each(ctx context.Context, table Table, after string, do func(Row) error) error
	// Count returns the number of rows of a table.
	Count(ctx context.Context, table Table) (int, error)
	Close() error
}

// Accepted lists the accepted kinds of source for messages.
const Accepted = "sqlite:PATH, postgres://…, mysql://… or the files of a dumpdata"

// Open opens a source to read from:
//
//	sqlite:PATH, PATH    a Django SQLite file
//	postgres://…         a PostgreSQL database
//	mysql://…            a MySQL or MariaDB database
//	PATH …               one or more files written by `manage.py dumpdata`
//
// Whatever m leaves out is detected. Errors are a single line and show no password of a
// DSN.
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
		_, err := os.Stat(path)
		switch {
		case err != nil && mayHoldPassword(source):
			return nil, fmt.Errorf("this source is no file, and is not shown since it may hold a password: a source is %s", Accepted)
		case errors.Is(err, fs.ErrNotExist):
			return nil, fmt.Errorf("%s: there is no such file: a source is %s", path, Accepted)
		}
		path, err = filepath.Abs(path)
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

// passwordForms are DSNs with passwords that are no URLs: libpq's keywords, and what
// drivers of MySQL take (user:password@tcp(host)/database).
var passwordForms = regexp.MustCompile(`(?i)\bpass(word|wd)?\s*=|:[^/]*@`)

// mayHoldPassword reports whether a source looks like a DSN that has a password.
func mayHoldPassword(source string) bool { return passwordForms.MatchString(source) }

// dialectOf returns the dialect of the database server that a DSN names, or nil.
func dialectOf(source string) (dialect, string) {
	switch scheme, _, _ := strings.Cut(source, "://"); scheme {
	case "postgres", "postgresql":
		return postgres{}, source
	case "mysql", "mariadb":
		return mysql{}, source
	}
	return nil, ""
}

// isSQLite reports whether the file begins like a SQLite database
// (https://sqlite.org/fileformat.html, "Magic Header String").
func isSQLite(path string) (bool, error) {
	info, err := os.Stat(path)
	var failed *os.PathError
	if errors.As(err, &failed) {
		failed.Op = "open" // as for any other failure to open a file
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

// ErrNoUsers is the error of a source without a user table.
var ErrNoUsers = errors.New("no table of users found: no table has the columns password and last_login")

// Describe names a database in messages, without any password in its DSN.
func Describe(source string) string {
	if d, dsn := dialectOf(source); d != nil {
		return d.identity(dsn)
	}
	return "SQLite file " + strings.TrimPrefix(source, "sqlite:")
}
