package sqlite

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/internal/dbfile"
	"github.com/authcompat/authcompat/store/newfile"
	"github.com/authcompat/authcompat/store/sqlite/restorediff"
	"github.com/jmoiron/sqlx"
	sqlite3 "modernc.org/sqlite/lib"
)

// restoreWait limits how long a restore waits for other writers.
const restoreWait = 30 * time.Second

// RestoreOptions say how a backup is restored.
type RestoreOptions struct {
	// KeepTokens lets all tokens of the backup live where nothing tells which of them have
	// ended since. Where something does, and one has, Restore fails with an EndedError.
	KeepTokens bool
	// Audit is added to the audit record of what is restored. Its time is the current one.
	Audit core.AuditEntry
	// Progress is called with the number of pages that are restored, and of all.
	Progress func(done, of int)
}

// Restored says what a restore did.
type Restored struct {
	Snapshot        // what was restored, with the tokens that were left
	Kept     string // where the database that was there is kept; empty: there was none
	// Unknown says why nothing told which tokens have ended since the backup; nil: the
	// database that was there did.
	Unknown             error
	Ended               int64 // tokens of the backup, not expired, that were ended
	restorediff.Changes       // zero if Unknown is set
}

// EndedError is the error of a restore with KeepTokens over a database which tells that
// tokens of the backup have ended since.
type EndedError struct {
	Tokens int64 // not expired
}

// Error implements error.
func (e *EndedError) Error() string {
	return fmt.Sprintf("it tells that tokens of the backup are not live any more (%d), and they would stay ended", e.Tokens)
}

// Restore puts a backup, or any other database file of authcompat, in the place of the
// database at path. A database that is there is overwritten by SQLite's backup API: in
// one transaction, which servers that have it open see as a whole, and of which an
// interruption leaves nothing. What was in it is kept in a new file beside it. If there
// is none, the restored one gets its name when it is complete and on disk.
//
// A token ends that is not live any more in the database that was there, or whose user
// may not log in any more. If there was none, or another one than the backup's, or it can't
// be read, all tokens end, unless KeepTokens is set. Ids that it has given to users are not
// given to others.
//
// Everything is checked before anything is changed: Restore refuses a file that is no
// database of authcompat, is damaged, has a newer schema, or is the database itself.
func Restore(ctx context.Context, path, backup string, o RestoreOptions) (r Restored, err error) {
	if path == "" || path == ":memory:" {
		return r, errors.New("a store needs the path of a file")
	}
	info, err := os.Stat(path)
	exists := err == nil
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return r, fmt.Errorf("database %q: %w", path, reason(err))
	}
	staged, snapshot, err := stage(ctx, path, backup)
	if err != nil {
		return r, err
	}
	defer removeTemp(staged)
	r.Snapshot = snapshot
	if exists && !info.Mode().IsRegular() {
		return r, fmt.Errorf("database %q: it is not a regular file", path)
	}
	if exists {
		err = r.over(ctx, path, staged, o)
	} else {
		err = r.asNew(ctx, path, staged, o)
	}
	if err != nil {
		return Restored{}, fmt.Errorf("database %q: %w", path, err)
	}
	return r, nil
}

// stage copies the backup beside the database, checks the copy and brings its schema up
// to date.
func stage(ctx context.Context, path, backup string) (_ string, s Snapshot, err error) {
	source, err := locateExisting(backup)
	if err != nil {
		return "", s, fmt.Errorf("backup %q: %w", backup, err)
	}
	if info, err := os.Stat(source); err == nil && isSameFile(path, info) {
		return "", s, fmt.Errorf("backup %q: it is the database itself", backup)
	}
	if err := dbfile.CheckLog(source, DefaultWait); err != nil {
		return "", s, fmt.Errorf("backup %q: %w", backup, err)
	}
	staged, err := newTemp(path)
	if err != nil {
		return "", s, fmt.Errorf("database %q: %w", path, err)
	}
	defer func() {
		if err != nil {
			removeTemp(staged)
		}
	}()
	if err = copyDatabase(ctx, backupDSN(source), staged, nil); err == nil {
		s, err = checkCopy(ctx, staged)
	}
	if err != nil {
		return "", s, fmt.Errorf("backup %q: %w", backup, explainUnreadable(err, source))
	}
	err = withDatabase(staged, func(db *sqlx.DB) error {
		if err := upgrade(ctx, db); err != nil {
			return err
		}
		return checkGuards(ctx, db)
	})
	if err != nil {
		return "", s, fmt.Errorf("backup %q: %w", backup, err)
	}
	return staged, s, nil
}

// backupDSN returns a DSN to read a backup. Where no log is beside it, nobody has it open,
// and none is made.
func backupDSN(file string) string {
	if isInUse(file) {
		return readerDSN(file, DefaultWait)
	}
	return dsn(file, "mode=ro", "immutable=1")
}

// isInUse reports whether there is a log beside a database, which somebody may have open. An
// empty one without its index is a leftover: who opens it makes both.
func isInUse(file string) bool {
	there := func(suffix string) bool { _, err := os.Lstat(file + suffix); return err == nil }
	return there("-journal") || dbfile.HasLog(file) || there("-wal") && there("-shm")
}

// explainUnreadable adds to the error of a backup that can't be read what to do.
func explainUnreadable(err error, file string) error {
	if primary(code(err)) == sqlite3.SQLITE_CANTOPEN && isInUse(file) {
		return fmt.Errorf("a log (-wal or -journal) is beside it, which can't be read where nothing can be written: copy the files to another directory, and restore the copy: %w", err)
	}
	return diagnose(err)
}

// withDatabase runs do with a connection to a file that nobody else uses.
func withDatabase(path string, do func(*sqlx.DB) error) (err error) {
	db, err := connect(writerDSN(path, true), 1)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return do(db)
}

// asNew restores where there is no database.
func (r *Restored) asNew(ctx context.Context, path, staged string, o RestoreOptions) error {
	if err := checkTarget(staged, path, false); err != nil {
		return err
	}
	r.Unknown = errors.New("there was no database")
	if err := r.amend(ctx, staged, "", o); err != nil {
		return err
	}
	return newfile.Place(staged, path, false)
}

// keptName returns a name for the database that a restore replaces, which no file has yet.
func keptName(path string, at time.Time) (string, error) {
	name := fmt.Sprintf("%s.before-restore-%s", path, at.UTC().Format("20060102T150405Z"))
	free := name
	for n := 2; ; n++ {
		switch _, err := os.Lstat(free); {
		case errors.Is(err, fs.ErrNotExist):
			return free, nil
		case err != nil:
			return "", reason(err)
		}
		free = fmt.Sprintf("%s-%d", name, n)
	}
}

// over restores over a database, which others may have open.
func (r *Restored) over(ctx context.Context, path, staged string, o RestoreOptions) (err error) {
	file, err := locate(path)
	if err == nil {
		err = checkBeforeOpen(file, DefaultWait)
	}
	if err != nil {
		return err
	}
	files := dbfile.At(file)
	db, err := connect(writerDSN(file, true), 1)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if r.Unknown, err = prepareTarget(ctx, db, staged); err != nil {
		return explainUnusable(err)
	}
	files.Claim()
	kept, err := keptName(path, o.Audit.At)
	if err != nil {
		return err
	}
	conn, err := db.Connx(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	err = conn.Raw(func(driver any) (err error) {
		b, err := driver.(backuper).NewRestore(dsn(staged, "mode=ro"))
		if err != nil {
			return err
		}
		defer func() { err = cmp.Or(err, b.Finish()) }() // of a part, it leaves nothing
		// Without a page, the step only takes the write lock: what the database holds from
		// here on is what is replaced.
		waiting, cancel := context.WithTimeout(ctx, restoreWait)
		defer cancel()
		if err := retryWhileLocked(waiting, func() error { _, err := b.Step(0); return err }); err != nil {
			return err
		}
		if err := keep(ctx, file, kept); err != nil {
			return err
		}
		if err = r.amend(ctx, staged, kept, o); err == nil {
			err = copyPages(ctx, b, o.Progress)
		}
		if err == nil {
			r.Kept = kept
			return nil
		}
		if b.PageCount() > 0 && b.Remaining() == 0 { // it was being committed
			// The log may hold all of it: without another write to overwrite it, SQLite finds it there after a crash.
			return fmt.Errorf("%w; it has not taken effect, but may yet if the machine or all servers fail before the next write: what was there is kept in %q", err, kept)
		}
		return errors.Join(err, os.Remove(kept))
	})
	if err != nil {
		return explainUnusable(err)
	}
	// The log is as large as the database now. Readers may keep it from being emptied.
	_, _ = conn.ExecContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`)
	return nil
}

// amend ends tokens of the staged backup, and adds what must not be lost. old is a copy of
// the database that it replaces; empty: there is none.
func (r *Restored) amend(ctx context.Context, staged, old string, o RestoreOptions) error {
	return withDatabase(staged, func(db *sqlx.DB) error {
		if r.Unknown == nil {
			absolute, err := filepath.Abs(old)
			if err != nil {
				return err
			}
			if _, err := db.ExecContext(ctx, `ATTACH ? AS old`, dsn(absolute, "mode=ro")); err != nil {
				return fmt.Errorf("read the copy: %w", err)
			}
		}
		return transact(ctx, db, func(ctx context.Context, tx *sqlx.Tx) error {
			if err := r.endTokens(ctx, tx, o); err != nil {
				return fmt.Errorf("end tokens: %w", err)
			}
			if r.Unknown == nil && o.KeepTokens && r.Ended > 0 {
				return &EndedError{r.Ended}
			}
			if r.Unknown == nil || errors.Is(r.Unknown, restorediff.ErrAnother) {
				if err := restorediff.CarryOver(ctx, tx, r.Unknown == nil); err != nil {
					return err
				}
			}
			if err := restorediff.MarkRestored(ctx, tx); err != nil {
				return err
			}
			return writeAuditEntry(ctx, tx, &o.Audit)
		})
	})
}

// endTokens ends the tokens that have ended since the backup, or all.
func (r *Restored) endTokens(ctx context.Context, tx *sqlx.Tx, o RestoreOptions) (err error) {
	if _, err := tx.ExecContext(ctx, `CREATE TEMP TABLE ended (digest BLOB PRIMARY KEY) WITHOUT ROWID`); err != nil {
		return err
	}
	if r.Unknown == nil {
		if r.Changes, r.Unknown = restorediff.Compare(ctx, tx); ctx.Err() != nil {
			return ctx.Err()
		}
	}
	const live = `(expires_at IS NULL OR expires_at > ?)`
	now := o.Audit.At.UnixMicro()
	if r.Unknown != nil {
		if _, err := tx.ExecContext(ctx, `DELETE FROM temp.ended`); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO temp.ended SELECT digest FROM tokens WHERE NOT ? AND `+live, o.KeepTokens, now); err != nil {
			return err
		}
	}
	const among = ` FROM tokens WHERE digest IN (SELECT digest FROM temp.ended)`
	if err := tx.GetContext(ctx, &r.Ended, `SELECT count(*)`+among+` AND `+live, now); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `DELETE`+among); err != nil {
		return err
	}
	return tx.GetContext(ctx, &r.Tokens, `SELECT count(*) FROM tokens`)
}

// prepareTarget checks the database that is to be overwritten and gives the staged one its
// page size, which can't change in write-ahead mode. unknown says why its content can't
// be compared.
func prepareTarget(ctx context.Context, db *sqlx.DB, staged string) (unknown, err error) {
	waiting, cancel := context.WithTimeout(ctx, restoreWait)
	defer cancel()
	for _, step := range []func(context.Context, *sqlx.DB) error{checkOwner, enableWAL} {
		if err := retryWhileLocked(waiting, func() error { return step(ctx, db) }); err != nil {
			return nil, err
		}
	}
	var size int
	if err := db.GetContext(ctx, &size, `PRAGMA page_size`); err != nil {
		return nil, err
	}
	err = withDatabase(staged, func(staged *sqlx.DB) error {
		var other int
		if err := staged.GetContext(ctx, &other, `PRAGMA page_size`); err != nil || other == size {
			return err
		}
		_, err := staged.ExecContext(ctx, fmt.Sprintf(`PRAGMA page_size = %d; VACUUM`, size))
		return err
	})
	if err != nil {
		return nil, err
	}
	unknown = checkIntegrity(ctx, db, "quick_check")
	return unknown, ctx.Err()
}

// explainUnusable adds to the error of a database that can't be overwritten what to do.
func explainUnusable(err error) error {
	switch primary(code(err)) {
	case sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT:
		return fmt.Errorf("%w; stop the servers, move it and its -wal and -shm elsewhere, and restore again", diagnose(err))
	}
	return diagnose(err)
}

// keep copies a database to a new file, on disk when it returns.
func keep(ctx context.Context, file, kept string) error {
	if err := checkTarget(file, kept, false); err != nil {
		return fmt.Errorf("%q: %w", kept, err)
	}
	temp, err := newTemp(kept)
	if err != nil {
		return fmt.Errorf("%q: %w", kept, err)
	}
	defer removeTemp(temp)
	if err := copyDatabase(ctx, readerDSN(file, DefaultWait), temp, nil); err != nil {
		return fmt.Errorf("keep a copy of it: %w", err)
	}
	if err := withDatabase(temp, func(db *sqlx.DB) error { return leaveWAL(ctx, db) }); err != nil {
		return fmt.Errorf("keep a copy of it: %w", err)
	}
	absolute, err := filepath.Abs(kept)
	if err == nil {
		err = newfile.Place(temp, absolute, false)
	}
	if err != nil {
		return fmt.Errorf("%q: %w", kept, err)
	}
	return nil
}
