//go:build linux || openbsd

package keyring

import (
	"io/fs"
	"syscall"
	"time"
)

// changeTime returns when the file's inode was changed.
func changeTime(info fs.FileInfo) time.Time {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return time.Unix(s.Ctim.Unix())
	}
	return time.Time{}
}
