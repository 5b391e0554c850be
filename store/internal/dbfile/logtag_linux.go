package dbfile

import (
	"fmt"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// tagAttribute is the extended attribute of a write-ahead log that says whose it is (xattr(7)): the
// inodes of the database and of the log itself, and, since a file that is made anew may have the
// inode of one that is gone, the times at which the two were made.
const tagAttribute = "user.authcompat.database"

// tagLog says, in the log beside the path of a database without links in it, that it belongs to a
// file. Where the file system takes no attributes, nothing says so.
func tagLog(path string, database object) {
	log, ok := objectAt(path + "-wal")
	if !ok || database.inode == 0 {
		return
	}
	value := fmt.Appendf(nil, "%d %d %d %d", database.inode, log.inode, database.born, log.born)
	_ = unix.Setxattr(path+"-wal", tagAttribute, value, 0)
}

// readTag returns what the log beside a database says of both. Earlier versions gave no times.
func readTag(path string) (database, log object, ok bool) {
	value := make([]byte, 128)
	n, err := unix.Getxattr(path+"-wal", tagAttribute, value)
	if err != nil {
		return database, log, false
	}
	read, _ := fmt.Sscanf(string(value[:n]), "%d %d %d %d", &database.inode, &log.inode, &database.born, &log.born)
	return database, log, read == 2 || read == 4
}

// objectAt returns the file that is at a path now.
func objectAt(path string) (object, bool) { return stat(unix.AT_FDCWD, path, 0) }

// objectOf returns the file that a descriptor is of.
func objectOf(f *os.File) (object, bool) {
	defer runtime.KeepAlive(f)
	return stat(int(f.Fd()), "", unix.AT_EMPTY_PATH)
}

func stat(folder int, path string, flags int) (object, bool) {
	var info unix.Statx_t
	if err := unix.Statx(folder, path, flags, unix.STATX_INO|unix.STATX_BTIME, &info); err != nil {
		return object{}, false
	}
	o := object{inode: info.Ino}
	if info.Mask&unix.STATX_BTIME != 0 {
		o.born = info.Btime.Sec*1e9 + int64(info.Btime.Nsec)
	}
	return o, true
}

// isLayered reports whether a file is on overlayfs.
func isLayered(path string) bool {
	var info unix.Statfs_t
	return unix.Statfs(path, &info) == nil && info.Type == unix.OVERLAYFS_SUPER_MAGIC
}

// hold returns a descriptor of a file, by which it is known whatever becomes of its path. To close
// it releases no lock that SQLite has on the file (POSIX locks end with any other close), so that
// the garbage collector may.
func hold(path string) *os.File {
	f, err := os.OpenFile(path, unix.O_PATH, 0)
	if err != nil {
		return nil // opening the database says why
	}
	return f
}
