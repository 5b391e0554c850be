//go:build linux

package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/sealing"
	"github.com/authcompat/authcompat/store"
	"github.com/authcompat/authcompat/store/django/tables"
	"github.com/authcompat/authcompat/store/django/transfer"
)

// importRole imports a source into a store, all of whose rows must have the given
// outcome, and says what it took. The store's tables are made before the clock
// starts, as the copy's are; closing it counts, which writes SQLite's log back.
func importRole(arguments []string) error {
	ctx := context.Background()
	source, dsn, outcome := arguments[0], arguments[2], arguments[3]
	users, err := strconv.Atoi(arguments[1])
	if err != nil {
		return err
	}
	opened, err := store.Open(ctx, dsn)
	if err != nil {
		return err
	}
	to := opened.Transfer
	if to == nil {
		return errors.New("this store takes no imports")
	}
	sealer, err := sealing.NewSealer(make([]byte, sealing.KeySize))
	if err != nil {
		return err
	}
	began := time.Now()
	report, err := importFrom(ctx, source, to, sealer)
	if err = errors.Join(err, to.Close()); err != nil {
		return err
	}
	took := time.Since(began)
	for what, c := range map[string]transfer.Counts{"users": report.Users, "tokens": report.Tokens["authtoken_token"]} {
		if got := map[string]int{"added": c.Added, "unchanged": c.Unchanged}[outcome]; got != users {
			return fmt.Errorf("%d of %d %s are %s: %+v", got, users, what, outcome, c)
		}
	}
	return sayMoved(took)
}

// importFrom takes over a source of Django's as `authcompat import django` does,
// for a profile that shows tokens again.
func importFrom(ctx context.Context, path string, to transfer.Target, sealer sealing.Sealer) (_ *transfer.Report, err error) {
	from, err := tables.Open(ctx, tables.Mapping{}, path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	return transfer.Import(ctx, from, to, transfer.Options{
		Policy: core.Policy{Issuer: "old-api", Realm: core.DefaultRealm, TokenHex: 40, Reuse: true},
		Sealer: sealer, Random: rand.Reader, Zone: time.UTC, Clock: time.Now,
	})
}

// sayMoved tells the program that started this one what its work took.
func sayMoved(took time.Duration) error {
	peak, err := peakMemory()
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(moved{Took: took, Peak: peak})
}

// peakMemory is the most resident memory that this process has had, in MB.
// (getrusage would count that of the program that started it as well.)
func peakMemory() (float64, error) {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	for row := range bytes.Lines(text) {
		if fields := strings.Fields(string(row)); len(fields) > 1 && fields[0] == "VmHWM:" {
			n, err := strconv.Atoi(fields[1])
			return float64(n<<10) / 1e6, err
		}
	}
	return 0, errors.New("/proc/self/status has no VmHWM")
}

// copyRole copies a source's users, and the digests of its tokens with as many
// bytes as a sealed one has, by the quickest plain means, and says what it took.
// It checks nothing and can't be taken up again.
func copyRole(arguments []string) error {
	ctx := context.Background() // one that can end would cost a goroutine for each statement
	source, dsn := arguments[0], arguments[2]
	users, err := strconv.Atoi(arguments[1])
	if err != nil {
		return err
	}
	copyAll, driver, name := copySQLite, "sqlite", ""
	if path, ok := store.SQLitePath(dsn); ok {
		// The cache is as large as an import's; all else is SQLite's default, and so
		// is fsync.
		name = "file:" + path + "?_pragma=cache_size(-131072)"
	} else {
		copyAll, driver, name = copyPostgres, "postgres", dsn
	}
	db, err := sql.Open(driver, name)
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(1) // for ATTACH
	if _, err := db.ExecContext(ctx, plainTables(driver)); err != nil {
		return err
	}
	from, err := sql.Open("sqlite", "file:"+source+"?mode=ro")
	if err != nil {
		return err
	}
	began := time.Now()
	err = copyAll(ctx, from, source, db)
	took := time.Since(began)
	if err != nil {
		return err
	}
	for _, table := range []string{"users", "tokens"} {
		var n int
		if err := db.QueryRowContext(ctx, `SELECT count(*) FROM `+table).Scan(&n); err != nil || n != users {
			return fmt.Errorf("%d of %d %s were copied, error %v", n, users, table, err)
		}
	}
	return errors.Join(sayMoved(took), from.Close(), db.Close())
}

// plainTables are the tables of a plain copy, with the keys that a store can't do
// without.
func plainTables(driver string) string {
	bytes, clustered := "BLOB", " WITHOUT ROWID" // as the store has it
	if driver == "postgres" {
		bytes, clustered = "BYTEA", ""
	}
	return `
		CREATE TABLE users (id INTEGER PRIMARY KEY, username TEXT NOT NULL UNIQUE, email TEXT NOT NULL, password_hash TEXT NOT NULL);
		CREATE TABLE tokens (digest ` + bytes + ` PRIMARY KEY, user_id INTEGER NOT NULL, sealed ` + bytes + ` NOT NULL)` + clustered + `;
		CREATE INDEX tokens_user ON tokens (user_id);`
}

// sealedSize is the length of a sealed token, rounded.
const sealedSize = 80

// copySQLite copies in one transaction.
func copySQLite(ctx context.Context, from *sql.DB, source string, db *sql.DB) error {
	if _, err := db.ExecContext(ctx, `ATTACH ? AS source`, source); err != nil {
		return err
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // says only that it is committed, once it is
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO users (id, username, email, password_hash)
		SELECT id, username, email, password FROM source.auth_user ORDER BY id`); err != nil {
		return fmt.Errorf("users: %w", err)
	}
	insert, err := tx.PrepareContext(ctx, `INSERT INTO tokens (digest, user_id, sealed) VALUES (?, ?, ?)`)
	if err != nil {
		return err
	}
	if err := copyTokens(ctx, from, insert); err != nil {
		return err
	}
	return tx.Commit()
}

// copyPostgres copies by COPY, in one transaction.
func copyPostgres(ctx context.Context, from *sql.DB, _ string, db *sql.DB) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // says only that it is committed, once it is
	users, err := tx.PrepareContext(ctx, `COPY users (id, username, email, password_hash) FROM STDIN`)
	if err != nil {
		return err
	}
	if err := copyUsers(ctx, from, users); err != nil {
		return err
	}
	if err := finishCopy(ctx, users); err != nil {
		return fmt.Errorf("users: %w", err)
	}
	tokens, err := tx.PrepareContext(ctx, `COPY tokens (digest, user_id, sealed) FROM STDIN`)
	if err != nil {
		return err
	}
	if err := copyTokens(ctx, from, tokens); err != nil {
		return err
	}
	if err := finishCopy(ctx, tokens); err != nil {
		return fmt.Errorf("tokens: %w", err)
	}
	return tx.Commit()
}

// finishCopy ends a COPY; the rows are there, or are refused, after it.
func finishCopy(ctx context.Context, rows *sql.Stmt) error {
	if _, err := rows.ExecContext(ctx); err != nil {
		return err
	}
	return rows.Close()
}

// copyUsers gives each user of the source to a statement.
func copyUsers(ctx context.Context, from *sql.DB, to *sql.Stmt) error {
	rows, err := from.QueryContext(ctx, `SELECT id, username, email, password FROM auth_user ORDER BY id`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var id int64
		var name, email, hash string
		if err := rows.Scan(&id, &name, &email, &hash); err != nil {
			return err
		}
		if _, err := to.ExecContext(ctx, id, name, email, hash); err != nil {
			return fmt.Errorf("users: %w", err)
		}
	}
	return rows.Err()
}

// copyTokens gives each token of the source, hashed, to a statement.
func copyTokens(ctx context.Context, from *sql.DB, to *sql.Stmt) error {
	rows, err := from.QueryContext(ctx, `SELECT key, user_id FROM authtoken_token ORDER BY rowid`)
	if err != nil {
		return err
	}
	defer rows.Close()
	var sealed [sealedSize]byte
	for rows.Next() {
		var key string
		var user int64
		if err := rows.Scan(&key, &user); err != nil {
			return err
		}
		digest := sha256.Sum256([]byte(key))
		if _, err := to.ExecContext(ctx, digest[:], user, sealed[:]); err != nil {
			return fmt.Errorf("tokens: %w", err)
		}
	}
	return rows.Err()
}
