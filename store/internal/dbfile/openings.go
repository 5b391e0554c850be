package dbfile

import (
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"time"
)

// ErrUsedElsewhere is the error of a database that is in use with other files than those that
// SQLite keeps beside it under this name: nobody would see what the other writes.
var ErrUsedElsewhere = errors.New("it is in use, and not with the WAL-index (-shm) that belongs to this name: it was renamed, or is mounted elsewhere, or that file was removed, while a server has it open: stop that server")

// ErrIndexOfAnother is the error of a database beside which there is the WAL-index of another
// file that is in use.
var ErrIndexOfAnother = errors.New("the WAL-index beside it (-shm) is in use with another file, in whose place this one was put: stop the servers that have that file open")

// ErrLogCut is the error of a database whose log lacks what servers have written to it, and may
// write into the database yet.
var ErrLogCut = errors.New("the write-ahead log (-wal) was removed, replaced or shortened, and servers still have it open: stop them (SIGTERM), so that what was in it comes into the database")

// CheckLog fails, where the system tells that, if what is beside a database belongs to another
// file, or is used with another one: ErrLogOfAnother, ErrIndexOfAnother, ErrUsedElsewhere or ErrLogCut.
// It waits for stores that are about to notice, within LookInterval, that their files were replaced,
// and to close them: 1.5 seconds at most if nobody seems to have any open.
func CheckLog(path string, wait time.Duration) error {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	o := opening{path, newProbe(path), newProbe(path + "-shm")}
	defer o.database.close()
	defer o.index.close()
	for began := time.Now(); ; time.Sleep(lookEvery) {
		used, err := o.problem()
		if waited := time.Since(began); err == nil || waited > wait || !used && waited > logWait {
			return err
		}
	}
}

// TakeLog is CheckLog before a database is opened: from then on, an empty log that is there
// belongs to it.
func TakeLog(path string, wait time.Duration) error {
	if err := CheckLog(path, wait); err != nil {
		return err
	}
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	if database, ok := objectAt(path); ok && !HasLog(path) {
		tagLog(path, database)
	}
	return nil
}

// opening is a look at a database that is about to be opened.
type opening struct {
	path            string // without links
	database, index *probe
}

// problem returns why the database must not be opened now, and whether somebody has it open, or what
// is beside it. SQLite locks the database before the index, and unlocks it after: if one alone is in
// use for long, it is by somebody who uses the other with another file.
func (o opening) problem() (used bool, err error) {
	indexUsed, known := o.index.used()
	databaseUsed, alsoKnown := o.database.used()
	header := o.header()
	known = known && alsoKnown
	switch {
	case known && databaseUsed && !indexUsed && header == inWAL:
		return true, ErrUsedElsewhere
	case known && !databaseUsed && indexUsed:
		return true, ErrIndexOfAnother
	case known && indexUsed && o.isCut():
		return true, ErrLogCut
	}
	database, _ := objectAt(o.path)
	own, said := isOwner(o.path, database)
	if said && !own && known && indexUsed {
		return true, ErrLogOfAnother
	}
	// Before a log is made, the database says that it has one; a backup says that it has none.
	if (said && !own || header == withoutLog) && HasLog(o.path) {
		return false, ErrLogOfAnother
	}
	return false, nil
}

// What the header of a database says of its journal (https://sqlite.org/fileformat.html).
const (
	withoutLog = 1
	inWAL      = 2
)

// header returns which; 0: it can't be read.
func (o opening) header() byte {
	const magic, readVersion = "SQLite format 3\x00", 19
	head := make([]byte, readVersion+1)
	if !o.database.read(head) || string(head[:len(magic)]) != magic {
		return 0
	}
	return head[readVersion]
}

// Sizes in the log, in bytes, and where a frame's header has its checksum (https://sqlite.org/walformat.html).
const (
	logHeader   = 32
	frameHeader = 24
	frameSum    = 16
)

// isCut reports whether the log is missing, or has fewer frames than the index, which is in use, says
// (section 2.1 of the format).
func (o opening) isCut() bool {
	const (
		size                    = 48 // of the header of the index, which is there twice
		pageSize, frames        = 14, 16
		largest, isLargestPages = 65536, 1
	)
	head := make([]byte, 2*size)
	whole := o.index.read(head) && string(head[:size]) == string(head[size:])
	info, err := os.Stat(o.path + "-wal") // after the index: it is shortened after that says so
	switch {
	case errors.Is(err, os.ErrNotExist):
		return true
	case err != nil || !whole:
		return false
	}
	page := int64(binary.NativeEndian.Uint16(head[pageSize:]))
	if page == isLargestPages {
		page = largest
	}
	n := int64(binary.NativeEndian.Uint32(head[frames:]))
	return n > 0 && info.Size() < logHeader+n*(frameHeader+page)
}
