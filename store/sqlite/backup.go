package sqlite

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/internal/dbfile"
	"github.com/authcompat/authcompat/store/internal/record"
	"github.com/authcompat/authcompat/store/newfile"
	"github.com/authcompat/authcompat/store/sqlite/restorediff"
	"github.com/jmoiron/sqlx"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// pagesAtOnce is how many pages are copied between two looks at the context: 16 MB.
const pagesAtOnce = 4096

// ErrBackupExists is the error of a backup whose file is there already.
var ErrBackupExists = newfile.ErrExists

// BackupOptions say how a backup is made.
type BackupOptions struct {
	// Replace allows an earlier backup of the same database to be replaced.
	Replace bool
	// Audit is added to the database's audit record before the copy, so that the copy has
	// it too. If that fails, NotAudited is called with the error, and the copy is made.
	Audit      core.AuditEntry
	NotAudited func(error)
	// Progress is called with the number of pages that are copied, and of all.
	Progress func(done, of int)
}

// Snapshot says what is in a backup.
type Snapshot struct {
	Users, Tokens int64     // tokens that have expired included
	LastEntry     time.Time // of its audit record; zero: it has none
}

// Backup writes the database at path to a file, consistently, while others go on writing.
// The file has mode 0600, no log beside it, and was checked; it gets its name when it is
// complete and on disk, so that an interrupted backup leaves an earlier one as it was.
// The schema is that of the database, which is not upgraded.
//
// It fails with ErrBackupExists, and refuses a database that Open would refuse, and to
// replace a file that is no earlier backup of this database.
func Backup(ctx context.Context, path, file string, o BackupOptions) (_ Snapshot, err error) {
	database, err := locateExisting(path)
	if err != nil {
		return Snapshot{}, fmt.Errorf("database %q: %w", path, err)
	}
	if err := checkBeforeOpen(database, DefaultWait); err != nil {
		return Snapshot{}, fmt.Errorf("database %q: %w", path, err)
	}
	if err := checkTarget(database, file, o.Replace); err != nil {
		return Snapshot{}, fmt.Errorf("%q: %w", file, err)
	}
	files := dbfile.At(database)
	temp, err := newTemp(file)
	if err != nil {
		return Snapshot{}, fmt.Errorf("%q: %w", file, err)
	}
	defer removeTemp(temp)
	// Closed last, it removes the log, which a reader can't.
	db, err := connect(writerDSN(database, true), 1)
	if err != nil {
		return Snapshot{}, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := prepareBackup(ctx, db, files, file, o); err != nil {
		var kept *notReplacedError
		if errors.As(err, &kept) {
			return Snapshot{}, fmt.Errorf("%q: %w", file, err)
		}
		return Snapshot{}, fmt.Errorf("database %q: %w", path, diagnose(err))
	}
	if err := copyDatabase(ctx, readerDSN(database, DefaultWait), temp, o.Progress); err != nil {
		return Snapshot{}, fmt.Errorf("copy %q to %q: %w", path, file, err)
	}
	snapshot, err := checkCopy(ctx, temp)
	if err != nil {
		return Snapshot{}, fmt.Errorf("the copy of %q: %w", path, diagnose(err))
	}
	if err := newfile.Place(temp, file, o.Replace); err != nil {
		return Snapshot{}, fmt.Errorf("%q: %w", file, err)
	}
	return snapshot, nil
}

// prepareBackup checks what the database is, and whether a file that is there is its earlier
// backup, and records the backup in it.
func prepareBackup(ctx context.Context, db *sqlx.DB, files *dbfile.Files, file string, o BackupOptions) error {
	waiting, cancel := context.WithTimeout(ctx, DefaultWait)
	defer cancel()
	if err := retryWhileLocked(waiting, func() error { return checkSchema(waiting, db) }); err != nil {
		return err
	}
	files.Claim()
	if _, err := os.Lstat(file); err == nil {
		if err := retryWhileLocked(waiting, func() error { return checkSame(waiting, db, file) }); err != nil {
			return err
		}
	}
	err := retryWhileLocked(waiting, func() error {
		return transact(waiting, db, func(ctx context.Context, tx *sqlx.Tx) error {
			if err := writeAuditEntry(ctx, tx, &o.Audit); err != nil {
				return err
			}
			return ensureKey(ctx, tx)
		})
	})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		o.NotAudited(err)
	}
	return nil
}

// ensureKey draws the database's key if it has none, because it was only imported into: by
// the key, a restore and a later backup know what is of the same database.
func ensureKey(ctx context.Context, tx *sqlx.Tx) error {
	key := make([]byte, core.DatabaseKeySize)
	if _, err := rand.Read(key); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO secrets (name, value) VALUES (?, ?) ON CONFLICT DO NOTHING`, databaseKey, key); err != nil {
		return fmt.Errorf("keep key: %w", err)
	}
	return nil
}

// locateExisting returns the absolute path of a database that has to be there, without
// links: SQLite names what belongs to it after the file itself.
func locateExisting(path string) (string, error) {
	if _, err := os.Stat(path); err != nil {
		return "", reason(err)
	}
	file, err := locate(path)
	if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(file)
}

// checkTarget refuses a file that a backup must not replace.
func checkTarget(database, file string, replace bool) error {
	info, missing := os.Lstat(file)
	if missing == nil && isSameFile(database, info) {
		return errors.New("it is the database itself")
	}
	absolute, err := filepath.Abs(file)
	if err != nil {
		return err
	}
	for _, suffix := range []string{"-wal", "-shm", "-journal"} {
		if absolute == database+suffix {
			return errors.New("it is a part of the database")
		}
		if _, err := os.Lstat(file + suffix); err == nil {
			return fmt.Errorf("%q is there, which SQLite would take for a part of it", file+suffix)
		}
	}
	switch {
	case errors.Is(missing, fs.ErrNotExist):
		return nil
	case missing != nil:
		return reason(missing)
	case info.IsDir():
		return errors.New("it is a directory")
	case !replace:
		return ErrBackupExists
	case !info.Mode().IsRegular():
		return errors.New("it is not a regular file")
	}
	return checkReplaceable(file)
}

// notReplacedError is the error of a file that a backup does not replace, although it may
// replace one.
type notReplacedError struct {
	found string // what it is, or has
}

func (e *notReplacedError) Error() string {
	return fmt.Sprintf("it is no earlier backup, and is not replaced: it %s; give another name", e.found)
}

// checkReplaceable refuses a file whose header is not that of a backup: a key file or a
// database whose name was given by mistake (https://sqlite.org/fileformat.html).
func checkReplaceable(file string) error {
	const magic, readVersion, id, size = "SQLite format 3\x00", 19, 68, 72
	f, err := os.Open(file)
	if err != nil {
		return reason(err)
	}
	defer f.Close()
	head := make([]byte, size)
	switch _, err := io.ReadFull(f, head); {
	case err != nil || !strings.HasPrefix(string(head), magic):
		return &notReplacedError{"is no SQLite database"}
	case binary.BigEndian.Uint32(head[id:]) != applicationID:
		return &notReplacedError{"is a database of another program"}
	case head[readVersion] != 1:
		return &notReplacedError{"is a database that was in use (in write-ahead mode), and no backup"}
	}
	return nil
}

// checkSame refuses a file that checkReplaceable accepts, and that is of another database or
// has what this one does not have.
func checkSame(ctx context.Context, db *sqlx.DB, file string) (err error) {
	absolute, err := filepath.Abs(file)
	if err != nil {
		return err
	}
	same, included := false, false
	if _, err = db.ExecContext(ctx, `ATTACH ? AS old`, dsn(absolute, "mode=ro", "immutable=1")); err == nil {
		if same, err = restorediff.SameDatabase(ctx, db); same && err == nil {
			included, err = restorediff.Includes(ctx, db)
		}
		_, detached := db.ExecContext(context.WithoutCancel(ctx), `DETACH old`)
		err = errors.Join(err, detached)
	}
	switch primary(code(err)) {
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return &notReplacedError{"is damaged, so that nothing tells of which database it is"}
	}
	if err != nil {
		return fmt.Errorf("compare it with %q: %w", file, err)
	}
	switch {
	case !same:
		return &notReplacedError{"is of another database"}
	case !included:
		return &notReplacedError{"has what this database does not have: it was made later, or of a copy of it that others have used"}
	}
	return nil
}

func isSameFile(path string, info os.FileInfo) bool {
	other, err := os.Stat(path)
	return err == nil && os.SameFile(info, other)
}

// newTemp makes an empty file beside the one that it is to become, of mode 0600, and
// returns its absolute path.
func newTemp(file string) (string, error) {
	f, err := newfile.Create(file)
	if err != nil {
		return "", err
	}
	path, err := filepath.Abs(f.Name())
	return path, errors.Join(err, f.Close())
}

// removeTemp removes a file of newTemp, if it did not become another, and what SQLite
// keeps beside it.
func removeTemp(temp string) {
	for _, suffix := range []string{"", "-journal", "-wal", "-shm"} {
		_ = os.Remove(temp + suffix) // most are not there
	}
}

// copyDatabase copies the database of a DSN into an empty file, by pages. All are copied
// in one read transaction: without it, SQLite would begin anew whenever another
// connection has written meanwhile.
func copyDatabase(ctx context.Context, from, to string, progress func(done, of int)) (err error) {
	db, err := connect(from, 1)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	conn, err := db.Connx(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, `BEGIN`); err != nil {
		return err
	}
	var objects int
	if err := conn.GetContext(ctx, &objects, `SELECT count(*) FROM sqlite_schema`); err != nil {
		return err
	}
	return conn.Raw(func(driver any) (err error) {
		// The copy is synced as a whole before it gets its name.
		b, err := driver.(backuper).NewBackup(dsn(to, "mode=rw", "_pragma=journal_mode(OFF)", "_pragma=synchronous(OFF)"))
		if err != nil {
			return err
		}
		defer func() { err = cmp.Or(err, b.Finish()) }() // which returns the error of a step again
		return copyPages(ctx, b, progress)
	})
}

// backuper is what a connection of the driver can do with SQLite's backup API.
type backuper interface {
	NewBackup(to string) (*sqlite.Backup, error)
	NewRestore(from string) (*sqlite.Backup, error)
}

// copyPages copies what is left to copy.
func copyPages(ctx context.Context, b *sqlite.Backup, progress func(done, of int)) error {
	for more := true; more; {
		if err := ctx.Err(); err != nil {
			return err
		}
		var err error
		if more, err = b.Step(pagesAtOnce); err != nil {
			return err
		}
		if progress != nil {
			progress(b.PageCount()-b.Remaining(), b.PageCount())
		}
	}
	return nil
}

// checkCopy makes a copy a file without a log, so that it can be read where nothing can
// be written, and checks it. It fails if the copy is damaged, is not authcompat's, or has
// a newer schema.
func checkCopy(ctx context.Context, path string) (s Snapshot, err error) {
	db, err := connect(writerDSN(path, true), 1)
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := leaveWAL(ctx, db); err != nil {
		return s, err
	}
	if err := checkSchema(ctx, db); err != nil {
		return s, err
	}
	if err := checkIntegrity(ctx, db, "integrity_check"); err != nil {
		return s, err
	}
	var recorded bool // schemas before 10 have no audit record
	if err := db.QueryRowxContext(ctx, `
		SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM tokens), EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'audit')`).
		Scan(&s.Users, &s.Tokens, &recorded); err != nil || !recorded {
		return s, err
	}
	var last int64
	if err := db.GetContext(ctx, &last, `SELECT ifnull((SELECT at FROM audit ORDER BY id DESC LIMIT 1), 0)`); err != nil {
		return s, err
	}
	if last != 0 {
		s.LastEntry = record.Time(last)
	}
	return s, nil
}

// leaveWAL ends write-ahead mode, which the file's header has taken over from the
// original.
func leaveWAL(ctx context.Context, db *sqlx.DB) error {
	var mode string
	if err := db.GetContext(ctx, &mode, `PRAGMA journal_mode = DELETE`); err != nil {
		return fmt.Errorf("leave write-ahead mode: %w", err)
	}
	return nil
}

// errDamaged is the error of a database whose pages contradict each other.
var errDamaged = errors.New("it is damaged")

// checkIntegrity runs integrity_check, or quick_check, which does not compare indexes
// with their tables.
func checkIntegrity(ctx context.Context, db *sqlx.DB, pragma string) error {
	var found string
	if err := db.GetContext(ctx, &found, `PRAGMA `+pragma+`(1)`); err != nil {
		return fmt.Errorf("check integrity: %w", err)
	}
	if found != "ok" {
		return fmt.Errorf("%w: %s", errDamaged, strings.ReplaceAll(found, "\n", " "))
	}
	return nil
}
