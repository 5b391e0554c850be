package tables

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"

	"modernc.org/sqlite"
)

// unshared is a SQLite file in WAL mode that no other program has open, with the state
// of its files at that time. A reader would leave the log's index beside it, or could
// not create it in a read-only directory. So the file is read without locks, for as
// long as nobody writes to it.
type unshared struct{ files, log string }

// URI parameters for reading a file without locks (https://sqlite.org/uri.html):
// without a log, and with one, whose index is then kept in memory
// (https://sqlite.org/wal.html, "Use of WAL Without Shared-Memory").
const (
	withoutLog = "&immutable=1"
	withLog    = "&vfs=unix-none&_pragma=locking_mode(EXCLUSIVE)"
)

// findUnshared returns nil if the file is not in WAL mode, or if its log is not empty and
// has an index: another program may have the file open then.
func findUnshared(path string) *unshared {
	u := &unshared{files: filesOf(path), log: withoutLog}
	if !inWALMode(path) {
		return nil
	}
	if info, err := os.Stat(path + "-wal"); err == nil && info.Size() > 0 {
		if _, err := os.Stat(path + "-shm"); err == nil {
			return nil
		}
		u.log = withLog
	}
	return u
}

// inWALMode reads the header (https://sqlite.org/fileformat.html, offsets 18 and 19).
func inWALMode(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	head := make([]byte, 20)
	if _, err := io.ReadFull(f, head); err != nil {
		return false
	}
	return binary.BigEndian.Uint16(head[18:]) == 0x0202
}

// filesOf describes the file and its log, so that writes to them can be detected.
func filesOf(path string) (all string) {
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if info, err := os.Stat(path + suffix); err == nil {
			all += fmt.Sprintf("%s %d %d;", suffix, info.Size(), info.ModTime().UnixNano())
		}
	}
	return all
}

// open opens the file under a DSN.
func (u *unshared) open(dsn string) *sql.DB { return sql.OpenDB(keepLog(dsn + u.log)) }

// keepLog connects to a DSN, and leaves the log in place when it closes.
type keepLog string

// Connect implements [driver.Connector].
func (k keepLog) Connect(context.Context) (driver.Conn, error) {
	c, err := k.Driver().Open(string(k))
	if err != nil {
		return nil, err
	}
	if file, ok := c.(sqlite.FileControl); ok {
		if _, err := file.FileControlPersistWAL("main", 1); err != nil {
			return nil, errors.Join(err, c.Close())
		}
	}
	return c, nil
}

// Driver implements [driver.Connector].
func (keepLog) Driver() driver.Driver { return &sqlite.Driver{} }

// share switches to reading and writing with locks.
func (s *Database) share() {
	if f, ok := s.dialect.(sqliteFile); ok {
		f.unshared = nil
		s.dialect = f
	}
}

// readUnshared runs do, and again with locks if the file was written to meanwhile.
func (s *Database) readUnshared(ctx context.Context, u *unshared, do func(*sql.Tx) error) error {
	err := s.transaction(ctx, do)
	if filesOf(s.source) == u.files {
		return err
	}
	s.db.Close() // it was only read from
	s.share()
	if s.db, err = s.open(s.source, true); err != nil {
		return err
	}
	return s.transaction(ctx, do)
}
