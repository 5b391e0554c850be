//go:build !(linux || openbsd || darwin || freebsd || netbsd || windows)

package keyring

import (
	"io/fs"
	"time"
)

// changeTime returns the zero time: the system does not tell when the file's inode was changed.
func changeTime(fs.FileInfo) time.Time { return time.Time{} }
