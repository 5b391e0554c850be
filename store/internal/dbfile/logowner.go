package dbfile

import (
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"time"
)

// ErrLogOfAnother is the error of a database beside which there is the write-ahead log of
// another file: SQLite would take what was written to that one for changes of this one.
var ErrLogOfAnother = errors.New("the write-ahead log beside it (the file -wal) belongs to another file, in whose place this one was put: put that file back, start and stop a server, so that what is in the log comes into it, and put this one in its place again; only if that file is lost for good, remove -wal and -shm while no server runs")

// LookInterval is how often a store that is not used looks at its files.
const LookInterval = time.Second

// logWait is for how long a log of another file is waited for: stores that are open notice
// within LookInterval that theirs was replaced, and empty it.
const logWait = LookInterval + LookInterval/2

// object is a file, whatever its path: another one has another inode, or was made at another time.
type object struct {
	inode uint64
	born  int64 // in nanoseconds since 1970; 0: the file system does not tell
}

func (o object) is(other object) bool {
	return o.inode == other.inode && (o.born == other.born || o.born == 0 || other.born == 0)
}

// isOwner reports whether the log at a path says that it belongs to a database; known is false if
// it does not say. One that was copied, with what it says, belongs to whatever it was copied with:
// a folder that was restored is as it was. A file system of layers may give a database another inode
// when it is mounted again (overlayfs, whose layers are on two file systems), but not another time.
func isOwner(path string, database object) (own, known bool) {
	tagged, log, said := readTag(path)
	if now, ok := objectAt(path + "-wal"); !said || !ok || !now.is(log) {
		return false, false
	}
	return database.is(tagged) || database.born != 0 && database.born == tagged.born && isLayered(path), true
}

// ClaimLog says in the log of a database that was opened, which Attach has found, that it is its own,
// unless that is said already. Its files are those that were opened.
func (f *Files) ClaimLog() {
	b := f.beside.Load()
	database, ok := f.object()
	if !ok || b == nil {
		return
	}
	if own, known := isOwner(b.path, database); !own || !known {
		tagLog(b.path, database)
	}
}

// Claim is Attach and ClaimLog for a command, which has a connection open that has read from the
// database: if it is killed, nobody else may have said whose the log is.
func (f *Files) Claim() {
	path := f.database.path
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	f.Attach(path)
	f.ClaimLog()
}

// OwnsLog reports whether what is in the log at the path belongs to the database that was opened:
// nobody writes to it for another file before it is empty. known is false if the log does not say.
func (f *Files) OwnsLog() (own, known bool) {
	path := f.database.path
	if b := f.beside.Load(); b != nil {
		path = b.path
	}
	database, ok := f.object()
	if !ok {
		return false, false
	}
	own, known = isOwner(path, database)
	return own && HasLog(path), known
}

// LogHas reports whether the log that was opened, wherever it is, has a frame with a page of that
// size in bytes and that checksum. Every log has frame 0, which is none.
func (f *Files) LogHas(frame uint32, page int, checksum [2]uint32) bool {
	b := f.beside.Load()
	if b == nil || b.content == nil {
		return false
	}
	if now, err := b.content.Stat(); err != nil || !os.SameFile(now, b.log.info) {
		return false
	}
	if frame == 0 {
		return true
	}
	head := make([]byte, frameHeader)
	_, err := b.content.ReadAt(head, logHeader+int64(frame-1)*(frameHeader+int64(page)))
	return err == nil && [2]uint32{binary.BigEndian.Uint32(head[frameSum:]), binary.BigEndian.Uint32(head[frameSum+4:])} == checksum
}

// object returns the database that was opened, wherever it is.
func (f *Files) object() (object, bool) {
	if f.held == nil {
		return object{}, false
	}
	return objectOf(f.held)
}
