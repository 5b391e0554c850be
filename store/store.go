// Package store opens the store that a DSN names.
package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode"

	"github.com/authcompat/authcompat/store/django/tables"
	"github.com/authcompat/authcompat/store/internal/dbfile"
	"github.com/authcompat/authcompat/store/postgres"
	"github.com/authcompat/authcompat/store/sqlite"
)

// Default is the DSN where none is given: a file in the working directory.
const Default = "sqlite:authcompat.db"

// schemeSQLite is what comes before the path of a SQLite file.
const schemeSQLite = "sqlite:"

// accepted says in errors what a DSN may be.
const accepted = "a store is given as sqlite:PATH, for instance " + Default + ", or as postgres://USER:PASSWORD@HOST/DATABASE"

// Open opens the store that dsn names and brings its schema up to date:
//
//	sqlite:PATH    the file at PATH (package sqlite), created if it does not exist
//	postgres://…   a database of PostgreSQL, or of an engine that speaks its
//	               protocol (package postgres); also postgresql://…
//	django+DSN     the tables of a Django database, sqlite:PATH or postgres://…
//	               (package django, Store)
//
// PATH is used literally: nothing in it is decoded, and it has no parameters.
// Errors are one line and do not quote a DSN that is not understood, because it may
// contain a password.
func Open(ctx context.Context, dsn string) (Backend, error) {
	if source, ok := strings.CutPrefix(dsn, schemeDjango); ok {
		return attach(ctx, source, tables.Mapping{})
	}
	if isPostgres(dsn) {
		s, err := postgres.Open(ctx, dsn)
		if err != nil {
			return Backend{}, err
		}
		return postgresBackend(s), nil
	}
	path, ok := SQLitePath(dsn)
	if !ok {
		return Backend{}, badDSN(dsn)
	}
	if err := checkPath(path); err != nil {
		return Backend{}, err
	}
	s, err := sqlite.Open(ctx, path, sqlite.Options{})
	if err != nil {
		return Backend{}, err
	}
	return sqliteBackend(s), nil
}

// Exists reports whether the database of dsn is there and, on PostgreSQL, has tables of
// authcompat. An empty file is none, unless a log beside it tells that it has lost what it
// had, as Open says. It creates nothing. Errors are those of Open.
func Exists(ctx context.Context, dsn string) (bool, error) {
	if isPostgres(dsn) {
		return postgres.Exists(ctx, dsn)
	}
	path, ok := SQLitePath(dsn)
	if !ok {
		return true, nil // Django's, or no DSN at all: opening it says
	}
	if err := checkPath(path); err != nil {
		return false, err
	}
	if dbfile.IsEmpty(path) {
		return dbfile.HasLog(path) || !dbfile.IsEmpty(path), nil // another process may just have made both
	}
	_, err := os.Stat(path)
	return !errors.Is(err, fs.ErrNotExist), nil
}

// DatabaseFile returns the path of the file that dsn names, an SQLite database of ours or of
// Django's, and whether it names one.
func DatabaseFile(dsn string) (path string, ok bool) {
	return SQLitePath(strings.TrimPrefix(dsn, schemeDjango))
}

// SQLitePath returns the path of the file that dsn names, and whether it names one.
// Files that belong to the database, such as its sealing key, are kept next to it.
func SQLitePath(dsn string) (path string, ok bool) {
	path, ok = strings.CutPrefix(dsn, schemeSQLite)
	// After sqlite:// some tools expect a relative path, and others an absolute one.
	if !ok || path == "" || strings.HasPrefix(path, "//") {
		return "", false
	}
	return path, true
}

// isPostgres tells whether dsn names a database of PostgreSQL.
func isPostgres(dsn string) bool {
	return strings.HasPrefix(dsn, "postgres://") || strings.HasPrefix(dsn, "postgresql://")
}

// Describe names the store of a DSN for people, without its password.
func Describe(dsn string) string {
	if path, ok := SQLitePath(dsn); ok {
		return "SQLite file " + path
	}
	if isPostgres(dsn) {
		return postgres.Describe(dsn)
	}
	if source, ok := strings.CutPrefix(dsn, schemeDjango); ok {
		if isPostgres(source) {
			return "Django's tables in " + postgres.Describe(source)
		}
		return "Django's tables in " + tables.Describe(source)
	}
	return "unknown store"
}

// badDSN returns the error for a DSN that names no store.
func badDSN(dsn string) error {
	switch rest, isSQLite := strings.CutPrefix(dsn, schemeSQLite); {
	case isSQLite && rest == "":
		return errors.New("the path is missing: " + accepted)
	case isSQLite:
		return errors.New("no slashes after sqlite: but those of the path: " + accepted)
	}
	// A word before "://" is a scheme and no secret.
	if scheme, _, isURL := strings.Cut(dsn, "://"); isURL && isWord(scheme) {
		return fmt.Errorf("unknown kind of store %q: %s", scheme, accepted)
	}
	if looksLikeFile(dsn) {
		return errors.New("unknown kind of store (did you mean " + schemeSQLite + dsn + "?): " + accepted)
	}
	return errors.New("unknown kind of store: " + accepted)
}

// looksLikeFile tells whether s is the name of a database's file, and no connection string, which may have a
// password in it.
func looksLikeFile(s string) bool {
	if strings.ContainsAny(s, ":@=") || strings.ContainsFunc(s, unicode.IsSpace) {
		return false
	}
	switch filepath.Ext(s) {
	case ".db", ".sqlite", ".sqlite3":
		return true
	}
	return false
}

// isWord tells whether s is made of letters, digits, "+", "-" and ".", as the
// scheme of a URL is (RFC 3986, section 3.1).
func isWord(s string) bool {
	return s != "" && strings.Trim(strings.ToLower(s), "abcdefghijklmnopqrstuvwxyz0123456789+-.") == ""
}
