package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/authcompat/authcompat/store/internal/dbfile"
	"github.com/authcompat/authcompat/store/sqlite/pinned"
	"github.com/authcompat/authcompat/store/sqlite/tokencache"
	"github.com/authcompat/authcompat/store/sqlite/walindex"
	"github.com/jmoiron/sqlx"
	sqlite3 "modernc.org/sqlite/lib"
)

// DefaultWait is the default limit on how long a call waits for the database.
const DefaultWait = 5 * time.Second

// minReaders is the smallest number of readers, so that one slow disk read does not
// hold up all look-ups.
const minReaders = 4

// oldestLibrary is the first SQLite version without the bug that can corrupt a
// database when a checkpoint and a reset of the write-ahead log meet
// (https://sqlite.org/wal.html, "The WAL-reset bug").
const oldestLibrary = 3_051_003

// With an older library this does not compile: a uint can't be negative.
const _ = uint(sqlite3.SQLITE_VERSION_NUMBER - oldestLibrary)

// minDirect is the smallest number of connections that read tokens directly, unless there are fewer readers.
const minDirect = 2

// opening has room for one, because a look at a file that nobody has open ends with closing it, and that
// would release the locks which another store of this process has taken on it meanwhile (POSIX locks end with any close).
var opening = make(chan struct{}, 1)

// Options are the settings of a store; the zero value suits a server.
type Options struct {
	// Wait limits how long a call waits for the database; 0 means DefaultWait.
	Wait time.Duration
	// Readers is the number of concurrent look-ups; 0 means one per processor, at least
	// 4.
	Readers int
	// Unsynced is set for a database that nobody needs after this process: nothing waits for the disk, and a
	// machine that stops may leave it damaged.
	Unsynced bool
}

// Open opens the database file at path and brings its schema up to date. If the file
// does not exist, it is created with mode 0600; its directory must exist. Open refuses
// a file that is not a SQLite database, that belongs to another program, that has the
// schema of a newer authcompat, or that has lost a trigger; the error is a single line that names the file. If
// the file can't be used now but may be later, the error is core.ErrUnavailable.
func Open(ctx context.Context, path string, o Options) (*Store, error) {
	if o.Wait == 0 {
		o.Wait = DefaultWait
	}
	if o.Readers == 0 {
		o.Readers = max(minReaders, runtime.GOMAXPROCS(0))
	}
	s, err := open(ctx, path, o)
	if err != nil {
		return nil, fmt.Errorf("database %q: %w", path, err)
	}
	return s, nil
}

func open(ctx context.Context, path string, o Options) (_ *Store, err error) {
	select {
	case opening <- struct{}{}:
		defer func() { <-opening }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	file, err := locate(path)
	if err != nil {
		return nil, err
	}
	if err := checkBeforeOpen(file, o.Wait); err != nil {
		return nil, err
	}
	s := &Store{file: file, files: dbfile.At(file), opened: time.Now(), wait: o.Wait, readerSlots: make(chan struct{}, o.Readers)}
	writer := writerDSN(file, !o.Unsynced)
	s.bulk.dsn = bulkDSN(file, !o.Unsynced)
	if s.writer, err = connect(writer, 1); err != nil {
		return nil, err
	}
	if s.keeper, err = connect(writer, 1); err != nil {
		return nil, errors.Join(err, s.writer.Close())
	}
	if s.reader, err = connect(readerDSN(file, o.Wait), o.Readers); err != nil {
		return nil, errors.Join(err, s.keeper.Close(), s.writer.Close())
	}
	// What does not wait for locks here is read by a reader, which does.
	s.direct = pinned.New(s.reader.Driver(), readerDSN(file, 0), selectToken, min(o.Readers, max(minDirect, runtime.GOMAXPROCS(0))), s.checkFiles)
	if err := s.prepare(ctx); err != nil {
		_ = s.Close() // the error from opening matters more
		return nil, diagnose(explain(ctx, o.Wait, err))
	}
	if err := s.enableCache(ctx); err != nil {
		_ = s.Close()
		return nil, diagnose(explain(ctx, o.Wait, err))
	}
	if err := s.checkFiles(); err != nil {
		return nil, err
	}
	looking, stop := context.WithCancel(context.Background())
	s.stop = stop
	s.looking.Go(func() { s.look(looking) })
	return s, nil
}

// enableCache opens the WAL-index, by which the cache detects changes. On systems where
// that is not possible, the store has no cache.
func (s *Store) enableCache(ctx context.Context) (err error) {
	if s.keepAlive, err = s.keeper.Connx(ctx); err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	var any bool
	if err := s.keepAlive.GetContext(ctx, &any, `SELECT EXISTS (SELECT 1 FROM users)`); err != nil {
		return fmt.Errorf("read: %w", err)
	}
	// SQLite names the WAL-index after the file itself, and the path may be a link.
	var file string
	if err := s.keepAlive.GetContext(ctx, &file, `SELECT file FROM pragma_database_list WHERE name = 'main'`); err != nil {
		return fmt.Errorf("read: %w", err)
	}
	s.files.Attach(file)
	s.files.ClaimLog()
	index, err := walindex.Open(file)
	if err != nil {
		return nil
	}
	if _, ok := index.Read(); !ok {
		// The log has no header: it is empty. A write that changes nothing gives it one, so that
		// the cache is of use before the first change. If it fails, another process is writing,
		// or nothing can be written, and the cache waits for the next write.
		_ = transact(ctx, s.writer, func(ctx context.Context, tx *sqlx.Tx) error {
			_, err := tx.ExecContext(ctx, fmt.Sprintf(`PRAGMA application_id = %d`, applicationID))
			return err
		})
	}
	s.cache.Use(index)
	return nil
}

// prepare migrates the file and prepares the look-ups' statements.
func (s *Store) prepare(ctx context.Context) (err error) {
	if err := migrate(ctx, s.writer, s.wait); err != nil {
		return err
	}
	if err := checkGuards(ctx, s.reader); err != nil {
		return err
	}
	if s.changes, err = tokencache.NewReader(ctx, s.reader); err != nil {
		return err
	}
	if s.findToken, err = s.reader.PreparexContext(ctx, selectToken); err != nil {
		return fmt.Errorf("prepare: %w", err)
	}
	if s.findOlder, err = s.reader.PreparexContext(ctx, selectLegacy); err != nil {
		return fmt.Errorf("prepare: %w", err)
	}
	if s.account, err = s.reader.PreparexContext(ctx, selectAccount); err != nil {
		return fmt.Errorf("prepare: %w", err)
	}
	return nil
}

// locate returns the absolute path of the database, and creates an empty file if there
// is none. SQLite would create it too, but readable by others.
func locate(path string) (string, error) {
	if path == "" || path == ":memory:" {
		return "", errors.New("a store needs the path of a file")
	}
	file, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	info, err := os.Stat(file)
	log := dbfile.HasLog(file)
	switch {
	case err == nil && info.IsDir():
		return "", errors.New("it is a directory")
	case err == nil && !info.Mode().IsRegular():
		return "", errors.New("it is not a regular file")
	case err == nil && info.Size() == 0 && log && dbfile.IsEmpty(file): // still, for another process may have made both
		return "", errEmptied
	case err == nil:
		return file, nil
	case !errors.Is(err, fs.ErrNotExist):
		return "", reason(err)
	case log:
		return "", errMissing
	}
	// Only a new file is opened: closing an existing one would release the locks that
	// SQLite holds on it for this process (POSIX locks end with any close).
	created, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return file, nil // another process has just created it
	}
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("the directory %q does not exist", filepath.Dir(file))
	}
	if err != nil {
		return "", reason(err)
	}
	return file, created.Close()
}

// SQLite would make a new database of a file that is empty, and remove the log that belongs to
// what was there.
var (
	errEmptied = errors.New("it is empty, and the write-ahead log beside it (-wal) is not: it has lost its content: put the file back as it was; or move the log away, and restore a backup or begin anew")
	errMissing = errors.New("it is missing, and the write-ahead log beside it (-wal) is there: put the file back, or remove the log to begin anew")
)

// reason returns the error of a system call without the call and the path, which the
// message has already.
func reason(err error) error {
	var e *fs.PathError
	if errors.As(err, &e) {
		return e.Err
	}
	return err
}

// connect returns a pool of connections, which are opened on demand and then kept.
func connect(dsn string, connections int) (*sqlx.DB, error) {
	db, err := sqlx.Open("sqlite", dsn)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return db, nil
}

// writerDSN returns the DSN of the writing connection. There, SQLite itself does not
// wait for locks: retryWhileLocked does. What is deleted is overwritten, where that costs
// no further write.
func writerDSN(file string, synced bool) string {
	return dsn(file, "mode=rw", "_txlock=immediate", "_pragma=busy_timeout(0)", "_pragma=foreign_keys(1)", synchronous(synced), "_pragma=secure_delete(FAST)")
}

// bulkDSN returns the DSN of the connection for imports. Digests are in random order, so that each batch touches
// most pages: a large cache keeps them in memory, and checkpoints are rare. Foreign
// keys are off because the batch itself checks, in the same transaction, that users
// exist.
func bulkDSN(file string, synced bool) string {
	return dsn(file, "mode=rw", "_txlock=immediate", "_pragma=busy_timeout(0)", synchronous(synced),
		"_pragma=foreign_keys(0)", "_pragma=cache_size(-32768)", "_pragma=wal_autocheckpoint(32768)")
}

// synchronous returns the parameter that says whether what is committed is on the disk.
func synchronous(synced bool) string {
	if synced {
		return "_pragma=synchronous(FULL)"
	}
	return "_pragma=synchronous(OFF)"
}

// readerDSN returns the DSN of the reading connections. In WAL mode, a reader waits
// only while another process opens or closes the database.
func readerDSN(file string, wait time.Duration) string {
	return dsn(file, "mode=ro", fmt.Sprintf("_pragma=busy_timeout(%d)", wait.Milliseconds()), "_pragma=foreign_keys(1)")
}

// dsn returns the URI of the file (https://sqlite.org/uri.html) with parameters for
// SQLite and, if they begin with an underscore, for the driver.
func dsn(file string, parameters ...string) string {
	slashed := filepath.ToSlash(file)
	if !strings.HasPrefix(slashed, "/") {
		slashed = "/" + slashed // C:/… on Windows
	}
	// With _error_rc, a message is never that of an earlier error.
	query := strings.Join(append(parameters, "_error_rc=1"), "&")
	return (&url.URL{Scheme: "file", Path: slashed, RawQuery: query}).String()
}

// diagnose adds the likely cause to an error of Open.
func diagnose(err error) error {
	switch primary(code(err)) {
	case sqlite3.SQLITE_NOTADB:
		return fmt.Errorf("it is not a SQLite database: %w", err)
	case sqlite3.SQLITE_CORRUPT:
		return fmt.Errorf("it is damaged: %w", err)
	case sqlite3.SQLITE_BUSY:
		return fmt.Errorf("it is locked by another process: %w", err)
	case sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM:
		return fmt.Errorf("it, or its directory, can't be read and written: %w", err)
	case sqlite3.SQLITE_READONLY:
		return fmt.Errorf("it is read-only: %w", err)
	default:
		return err
	}
}
