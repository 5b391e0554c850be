package keyring

import (
	"io/fs"
	"syscall"
	"time"
)

// changeTime returns when the file was copied to where it is. Windows does not tell when one
// was moved there.
func changeTime(info fs.FileInfo) time.Time {
	if d, ok := info.Sys().(*syscall.Win32FileAttributeData); ok {
		return time.Unix(0, d.CreationTime.Nanoseconds())
	}
	return time.Time{}
}
