//go:build linux

package main

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"database/sql/driver"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"modernc.org/sqlite"
)

// A store is filled with tokens that are known by their number: user N/10+1 has
// token N, and names have one length, so that replies have.

// perUser is how many tokens a user has.
const perUser = 10

// usernameFormat makes the name of a user.
const usernameFormat = "user%08d"

// appendToken writes the text of a token: 40 hex digits that a generator
// (splitmix64, https://prng.di.unimi.it/splitmix64.c) makes of its number. It
// need not be secret, only spread like a random one.
func appendToken(dst []byte, number int64) []byte {
	var raw [24]byte
	for i := range 3 {
		z := uint64(number)*3 + uint64(i) + 1
		z *= 0x9e3779b97f4a7c15
		z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
		z = (z ^ z>>27) * 0x94d049bb133111eb
		z ^= z >> 31
		for j := range 8 {
			raw[8*i+j] = byte(z >> (8 * j))
		}
	}
	return hex.AppendEncode(dst, raw[:20])
}

// digestOf is what a store finds a token by.
func digestOf(number int64) []byte {
	sum := sha256.Sum256(appendToken(nil, number))
	return sum[:]
}

// lifetime says when the tokens of a store end.
type lifetime struct {
	expires any // microseconds since 1970, or nil for never
	sliding time.Duration
}

// forever is the life of tokens that checks never write to.
func forever() lifetime { return lifetime{} }

// fifteenDays is the life of tokens that each use moves ahead.
func fifteenDays() lifetime {
	const life = 15 * 24 * time.Hour
	return lifetime{expires: time.Now().Add(life).UnixMicro(), sliding: life}
}

// filled gives a SQLite database with so many tokens. One of that name that is
// there already is used again.
func (b *bench) filled(ctx context.Context, name string, tokens int64, l lifetime) (dsn string, err error) {
	path := filepath.Join(b.folder, name)
	if _, err := os.Stat(path); err == nil {
		return "sqlite:" + path, nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	began := time.Now()
	part := path + ".part" // it gets its name when it is whole
	for _, file := range []string{part, part + "-wal", part + "-shm"} {
		_ = os.Remove(file) // there may be none
	}
	if err := b.createUser("sqlite:"+part, fmt.Sprintf(usernameFormat, 1), "--password-iterations", "1"); err != nil {
		return "", err
	}
	if err := fillSQLite(ctx, part, tokens, l); err != nil {
		return "", fmt.Errorf("fill %s: %w", name, err)
	}
	fmt.Printf("# %d tokens in %v\n", tokens, time.Since(began).Round(time.Second))
	return "sqlite:" + path, os.Rename(part, path)
}

// fillSQLite writes users and tokens straight into a database whose tables
// authcompat has made.
func fillSQLite(ctx context.Context, path string, tokens int64, l lifetime) (err error) {
	db, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	db.SetMaxOpenConns(1) // for the pragmas
	for _, pragma := range []string{"journal_mode = OFF", "synchronous = OFF", "locking_mode = EXCLUSIVE", "cache_size = -200000"} {
		if _, err := db.ExecContext(ctx, "PRAGMA "+pragma); err != nil {
			return err
		}
	}
	// Indexes and triggers are made afterwards, which is quicker; in the words of
	// the schema.
	parts, err := partsOf(ctx, db)
	if err != nil {
		return err
	}
	for _, p := range parts {
		if _, err := db.ExecContext(ctx, "DROP "+p.kind+" "+p.name); err != nil {
			return err
		}
	}
	now := time.Now().UnixMicro()
	const users = `
		WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
		INSERT INTO users (id, username, email, password_hash, active, created_at)
		SELECT i, printf('user%08d', i), printf('user%08d@example.com', i), '!', 1, ? FROM n`
	if _, err := db.ExecContext(ctx, users, (tokens+perUser-1)/perUser, now); err != nil {
		return fmt.Errorf("users: %w", err)
	}
	if _, err := db.ExecContext(ctx, `UPDATE users SET email = username || '@example.com', created_at = ? WHERE id = 1`, now); err != nil {
		return fmt.Errorf("users: %w", err)
	}
	const rows = `
		WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ? - 1)
		INSERT INTO tokens (digest, user_id, realm, issuer, created_at, expires_at, sliding, reusable, seal_key)
		SELECT bench_digest(i), i / ? + 1, 'default', ?, ?, ?, ?, 0, '' FROM n ORDER BY 1`
	if _, err := db.ExecContext(ctx, rows, tokens, perUser, profile, now, l.expires, l.sliding.Microseconds()); err != nil {
		return fmt.Errorf("tokens: %w", err)
	}
	for _, p := range parts {
		if _, err := db.ExecContext(ctx, p.statement); err != nil {
			return err
		}
	}
	_, err = db.ExecContext(ctx, `PRAGMA journal_mode = WAL`)
	return err
}

// part is an index or a trigger.
type part struct{ kind, name, statement string }

// partsOf gives the indexes and triggers of users and tokens, with the statements
// that make them.
func partsOf(ctx context.Context, db *sql.DB) (parts []part, err error) {
	const query = `SELECT type, name, sql FROM sqlite_schema WHERE type IN ('index', 'trigger') AND tbl_name IN ('users', 'tokens') AND sql <> ''`
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var p part
		if err := rows.Scan(&p.kind, &p.name, &p.statement); err != nil {
			return nil, err
		}
		parts = append(parts, p)
	}
	return parts, rows.Err()
}

// registerDigest gives SQL the function by which tokens are found. It can be
// called once.
func registerDigest() error {
	const name = "bench_digest"
	err := sqlite.RegisterDeterministicScalarFunction(name, 1, func(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) {
		number, ok := args[0].(int64)
		if !ok {
			return nil, errors.New("the number of a token is an integer")
		}
		return digestOf(number), nil
	})
	if err != nil {
		return fmt.Errorf("register %s: %w", name, err)
	}
	return nil
}
