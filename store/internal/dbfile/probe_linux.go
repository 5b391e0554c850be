package dbfile

import (
	"errors"
	"io/fs"

	"golang.org/x/sys/unix"
)

// probe looks at a file that others, and this process, may have open in SQLite.
//
// As long as a database in write-ahead mode is open, SQLite has a lock on it, and another one on
// its index (sqlite/src/os_unix.c, "DMS"). They belong to files, not to paths, and tell across
// containers. The locks of open file descriptions conflict with those of all processes, this one
// included, so that asking for one tells of all (fcntl(2), F_OFD_GETLK).
type probe struct {
	path   string
	file   int // a descriptor; -1: none
	inode  uint64
	device uint64
	locked bool // by somebody, when used was last called
}

func newProbe(path string) *probe { return &probe{path: path, file: -1} }

// used reports whether anybody has the file open. known is false if the system does not tell.
func (p *probe) used() (used, known bool) {
	var info unix.Stat_t
	if err := unix.Stat(p.path, &info); errors.Is(err, fs.ErrNotExist) {
		p.close()
		return false, true
	} else if err != nil {
		return false, false
	}
	if p.file < 0 || info.Ino != p.inode || info.Dev != p.device {
		p.close()
		file, err := unix.Open(p.path, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
		if err != nil {
			return false, errors.Is(err, fs.ErrNotExist)
		}
		p.file, p.inode, p.device = file, info.Ino, info.Dev
	}
	lock := unix.Flock_t{Type: unix.F_WRLCK}
	p.locked = true // unless it is known not to be
	if err := unix.FcntlFlock(uintptr(p.file), unix.F_OFD_GETLK, &lock); err != nil {
		return false, false
	}
	p.locked = lock.Type != unix.F_UNLCK
	return p.locked, true
}

// read reads from the beginning of the file that used has found.
func (p *probe) read(b []byte) bool {
	n, err := unix.Pread(p.file, b, 0)
	return err == nil && n == len(b)
}

// close ends the look. If the file is in use, perhaps by this process, its descriptor stays open
// until the process ends: to close it would release the locks that SQLite holds on the file for
// other connections of this process (POSIX locks end with any close).
func (p *probe) close() {
	if p.file >= 0 && !p.locked {
		_ = unix.Close(p.file)
	}
	p.file = -1
}
