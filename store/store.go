// Package store finds the store that a DSN names.
package store

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/django"
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
//	sqlite:PATH    the file at PATH (package sqlite), made if there is none
//	postgres://…   a database of PostgreSQL, or of an engine that speaks its
//	               protocol (package postgres); also postgresql://…
//	django+DSN     the tables of a Django database, sqlite:PATH or postgres://…
//	               (package django, Store)
//
// PATH is taken as it is: nothing in it is decoded, and no parameters follow it.
// Errors are one line and show nothing of a DSN that is not understood, because
// it may hold a password.
func Open(ctx context.Context, dsn string) (core.Store, error) {
	if source, ok := strings.CutPrefix(dsn, schemeDjango); ok {
		return attach(ctx, source, django.Mapping{})
	}
	if isPostgres(dsn) {
		s, err := postgres.Open(ctx, dsn)
		if err != nil {
			return nil, err // not s, which would be an interface that is not nil
		}
		return s, nil
	}
	path, ok := SQLitePath(dsn)
	if !ok {
		return nil, misunderstood(dsn)
	}
	s, err := sqlite.Open(ctx, path, sqlite.Options{})
	if err != nil {
		return nil, err // not s, which would be an interface that is not nil
	}
	return s, nil
}

// SQLitePath gives the path of the file that dsn names, and whether it names one.
// Files that belong to the database, such as its sealing key, lie beside it.
func SQLitePath(dsn string) (path string, ok bool) {
	path, ok = strings.CutPrefix(dsn, schemeSQLite)
	// With slashes, some tools mean a relative path and others an absolute one.
	if !ok || path == "" || strings.HasPrefix(path, "//") {
		return "", false
	}
	return path, true
}

// isPostgres tells whether dsn names a database of PostgreSQL.
func isPostgres(dsn string) bool {
	return strings.HasPrefix(dsn, "postgres://") || strings.HasPrefix(dsn, "postgresql://")
}

// misunderstood is the error for a DSN that names no store.
func misunderstood(dsn string) error {
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
	return errors.New("unknown kind of store: " + accepted)
}

// isWord tells whether s is made of letters, digits, "+", "-" and ".", as the
// scheme of a URL is (RFC 3986, section 3.1).
func isWord(s string) bool {
	return s != "" && strings.Trim(strings.ToLower(s), "abcdefghijklmnopqrstuvwxyz0123456789+-.") == ""
}
