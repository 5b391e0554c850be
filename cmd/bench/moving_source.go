//go:build linux

package main

import (
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// djangoSource is a database of Django's in a SQLite file.
type djangoSource struct {
	path  string
	users int // each with one token
}

// djangoTables are those that the migrations of Django 3.2 and REST framework
// leave.
const djangoTables = `
CREATE TABLE auth_user (
	id integer NOT NULL PRIMARY KEY AUTOINCREMENT, password varchar(128) NOT NULL, last_login datetime NULL,
	is_superuser bool NOT NULL, username varchar(150) NOT NULL UNIQUE, last_name varchar(150) NOT NULL,
	email varchar(254) NOT NULL, is_staff bool NOT NULL, is_active bool NOT NULL, date_joined datetime NOT NULL,
	first_name varchar(150) NOT NULL);
CREATE TABLE authtoken_token (
	key varchar(40) NOT NULL PRIMARY KEY, created datetime NOT NULL,
	user_id integer NOT NULL UNIQUE REFERENCES auth_user (id) DEFERRABLE INITIALLY DEFERRED);`

// djangoSource makes a database of so many users. One that is there already is
// used again.
func (b *bench) djangoSource(ctx context.Context, users int) (djangoSource, error) {
	s := djangoSource{filepath.Join(b.folder, fmt.Sprintf("django-%d.sqlite3", users)), users}
	if _, err := os.Stat(s.path); err == nil || !errors.Is(err, fs.ErrNotExist) {
		return s, err
	}
	part := s.path + ".part" // it gets its name when it is whole
	_ = os.Remove(part)      // there may be none
	if err := fillDjango(ctx, part, users); err != nil {
		return s, fmt.Errorf("fill %s: %w", s.path, err)
	}
	return s, os.Rename(part, s.path)
}

// fillDjango writes users and tokens as Django would have. Names of people are
// left empty: neither side copies them.
func fillDjango(ctx context.Context, path string, users int) (err error) {
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=synchronous(OFF)&_pragma=journal_mode(OFF)&_pragma=cache_size(-200000)")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if _, err := db.ExecContext(ctx, djangoTables); err != nil {
		return err
	}
	// A context that can end costs a goroutine for each statement.
	ctx = context.WithoutCancel(ctx)
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // says only that it is committed, once it is
	user, err := tx.PrepareContext(ctx, `
		INSERT INTO auth_user (id, password, is_superuser, username, last_name, email, is_staff, is_active, date_joined, first_name)
		VALUES (?, ?, 0, ?, '', ?, 0, 1, ?, '')`)
	if err != nil {
		return err
	}
	token, err := tx.PrepareContext(ctx, `INSERT INTO authtoken_token (key, created, user_id) VALUES (?, ?, ?)`)
	if err != nil {
		return err
	}
	for i := 1; i <= users; i++ {
		key := appendToken(nil, int64(i))
		// No login will succeed with it; an import only looks at its form.
		hash := fmt.Sprintf("pbkdf2_sha256$600000$%s$%s", key[:22], base64.StdEncoding.EncodeToString(digestOf(int64(i))))
		name := fmt.Sprintf(usernameFormat, i)
		if _, err := user.ExecContext(ctx, i, hash, name, name+"@example.com", fmt.Sprintf("2026-01-01 10:00:00.%06d", i)); err != nil {
			return err
		}
		if _, err := token.ExecContext(ctx, string(key), fmt.Sprintf("2026-01-02 10:00:00.%06d", i), i); err != nil {
			return err
		}
	}
	return tx.Commit()
}
