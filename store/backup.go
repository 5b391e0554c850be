package store

import (
	"context"
	"errors"
	"strings"

	"github.com/authcompat/authcompat/store/sqlite"
)

// Errors of stores that have tools of their own for backups.
var (
	errPostgresTools = errors.New("PostgreSQL is backed up with pg_dump and restored with pg_restore, and then token revoke --all ends the tokens: see docs/postgres.md")
	errDjangoTools   = errors.New("a Django database is backed up and restored as it always was; what authcompat keeps there is in tables of the same database")
)

// Backup writes the SQLite database that dsn names to a file: see [sqlite.Backup]. It
// fails for stores of other kinds, and says what to use there.
func Backup(ctx context.Context, dsn, file string, o sqlite.BackupOptions) (sqlite.Snapshot, error) {
	path, err := backedUp(dsn)
	if err != nil {
		return sqlite.Snapshot{}, err
	}
	return sqlite.Backup(ctx, path, file, o)
}

// Restore puts a backup in the place of the SQLite database that dsn names: see
// [sqlite.Restore]. It fails for stores of other kinds, and says what to use there.
func Restore(ctx context.Context, dsn, file string, o sqlite.RestoreOptions) (sqlite.Restored, error) {
	path, err := backedUp(dsn)
	if err != nil {
		return sqlite.Restored{}, err
	}
	return sqlite.Restore(ctx, path, file, o)
}

// backedUp returns the path of the database that dsn names.
func backedUp(dsn string) (string, error) {
	if err := ValidateDSN(dsn); err != nil {
		return "", err
	}
	if strings.HasPrefix(dsn, schemeDjango) {
		return "", errDjangoTools
	}
	path, ok := SQLitePath(dsn)
	if !ok {
		return "", errPostgresTools
	}
	return path, nil
}
