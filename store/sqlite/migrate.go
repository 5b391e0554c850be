package sqlite

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/pressly/goose/v3"
)

//go:embed migrations/*.sql
var migrations embed.FS

// applicationID marks a file as authcompat's in its header ("auco"; see
// https://sqlite.org/pragma.html#pragma_application_id).
const applicationID = 0x6175636f

// versionTable is where goose records the applied migrations. goose's own statement
// lacks UNIQUE, which keeps two processes that start at the same time from applying a
// migration twice: a migration and its row here are one transaction, so the second one
// fails.
const versionTable = `
	CREATE TABLE goose_db_version (
		id         INTEGER PRIMARY KEY AUTOINCREMENT,
		version_id INTEGER NOT NULL UNIQUE,
		is_applied INTEGER NOT NULL,
		tstamp     TIMESTAMP DEFAULT (datetime('now'))
	)`

// migrate brings an empty file, or the database of an older authcompat, to this schema.
// It refuses other files and leaves them unchanged. Waiting for locks of other
// processes is limited to wait; the migration itself is not limited.
func migrate(ctx context.Context, db *sqlx.DB, wait time.Duration) error {
	waiting, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	for _, step := range []func(context.Context, *sqlx.DB) error{checkOwner, enableWAL, initialise, upgrade} {
		if err := retryWhileLocked(waiting, func() error { return step(ctx, db) }); err != nil {
			return err
		}
	}
	return nil
}

// checkOwner refuses a database of another program.
func checkOwner(ctx context.Context, db *sqlx.DB) error {
	// In this order, because the first table and the ID are written together.
	var objects, id int
	if err := db.GetContext(ctx, &objects, `SELECT count(*) FROM sqlite_schema`); err != nil {
		return fmt.Errorf("read schema: %w", err)
	}
	if err := db.GetContext(ctx, &id, `PRAGMA application_id`); err != nil {
		return fmt.Errorf("read application_id: %w", err)
	}
	if id != applicationID && (objects != 0 || id != 0) {
		return errors.New("it is a database of another program")
	}
	return nil
}

// enableWAL puts the database into WAL mode, which is persistent.
func enableWAL(ctx context.Context, db *sqlx.DB) error {
	var mode string
	if err := db.GetContext(ctx, &mode, `PRAGMA journal_mode = WAL`); err != nil {
		return fmt.Errorf("set write-ahead mode: %w", err)
	}
	if mode != "wal" {
		return fmt.Errorf("its file system allows no write-ahead log (journal mode %q)", mode)
	}
	return nil
}

// initialise marks an empty database as authcompat's and creates the version table.
func initialise(ctx context.Context, db *sqlx.DB) error {
	var id int
	if err := db.GetContext(ctx, &id, `PRAGMA application_id`); err != nil || id == applicationID {
		return err
	}
	return transact(ctx, db, func(ctx context.Context, tx *sqlx.Tx) error {
		if err := tx.GetContext(ctx, &id, `PRAGMA application_id`); err != nil || id == applicationID {
			return err // initialised by another process since
		}
		for _, statement := range []string{
			versionTable,
			`INSERT INTO goose_db_version (version_id, is_applied) VALUES (0, 1)`,
			fmt.Sprintf(`PRAGMA application_id = %d`, applicationID),
		} {
			if _, err := tx.ExecContext(ctx, statement); err != nil {
				return fmt.Errorf("initialise empty database: %w", err)
			}
		}
		return nil
	})
}

// upgrade applies the missing migrations. It does not fail if another process applies
// one at the same time.
func upgrade(ctx context.Context, db *sqlx.DB) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, db.DB, files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	for {
		current, known, err := provider.GetVersions(ctx)
		if err != nil {
			return fmt.Errorf("read schema version: %w", err)
		}
		if current > known {
			return newerSchema(current, known)
		}
		if current == known {
			return nil
		}
		_, err = provider.UpByOne(ctx)
		if err == nil {
			continue
		}
		if after, _, verr := provider.GetVersions(ctx); verr != nil || after == current {
			return fmt.Errorf("bring schema from version %d to %d: %w", current, known, err)
		}
	}
}

// newerSchema is the error of a database whose schema this program does not know.
func newerSchema(current, known int64) error {
	return fmt.Errorf("it is of a newer authcompat (schema %d; this one knows %d)", current, known)
}
