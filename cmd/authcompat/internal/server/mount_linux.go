package server

import "golang.org/x/sys/unix"

// isMountPoint reports whether a file is mounted by itself, as containers do with single
// files (statx(2), STATX_ATTR_MOUNT_ROOT, since Linux 5.8).
func isMountPoint(path string) bool {
	var s unix.Statx_t
	err := unix.Statx(unix.AT_FDCWD, path, 0, unix.STATX_TYPE, &s)
	return err == nil && s.Attributes&unix.STATX_ATTR_MOUNT_ROOT != 0
}
