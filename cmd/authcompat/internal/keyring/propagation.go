package keyring

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// propagationDelay is how long it takes until all servers have the keys of a file that
// was changed.
const propagationDelay = 2 * ReloadInterval

// checkPropagated fails if a server may not have the newest keys of a file yet.
func checkPropagated(path string, now time.Time) error {
	changed, err := lastChange(path)
	if err != nil {
		return fmt.Errorf("sealing keys: %w", err)
	}
	if left := propagationDelay - now.Sub(changed); left > 0 {
		return fmt.Errorf("%s was changed, or put there, a moment ago, and a server may still seal with an old key: remove old keys in %v, or with --force if no server runs, or all have had a SIGHUP since and the logins that were under way then are answered",
			path, left.Round(time.Second))
	}
	return nil
}

// maxLinks is how many symbolic links are followed, as in Linux.
const maxLinks = 40

// lastChange returns when a path began to lead to the content that it leads to: a link on
// the way, as to the newest of several folders, or a folder that was moved, may be younger than
// the file.
func lastChange(path string) (time.Time, error) {
	info, err := os.Stat(path)
	if err != nil {
		return time.Time{}, err
	}
	changed := putThere(info)
	if path, err = filepath.Abs(path); err != nil {
		return time.Time{}, err
	}
	for range maxLinks {
		moved, err := lastMove(filepath.Dir(path))
		if err != nil {
			return time.Time{}, err
		}
		changed = later(changed, moved)
		at, link, err := firstLink(path)
		if err != nil || link == nil {
			return changed, err
		}
		changed = later(changed, putThere(link))
		target, err := os.Readlink(at)
		if err != nil {
			return time.Time{}, err
		}
		if !filepath.IsAbs(target) {
			target = filepath.Join(filepath.Dir(at), target)
		}
		path = target + strings.TrimPrefix(path, at)
	}
	return changed, nil
}

// lastMove returns when one of the folders on a path was put where it is, as far as that can be
// told: the time of its inode's change is later than that of its content then, unless a file
// was made or removed in it since.
func lastMove(folder string) (at time.Time, err error) {
	for {
		info, err := os.Stat(folder)
		if err != nil {
			return time.Time{}, err
		}
		if changed := changeTime(info); changed.After(info.ModTime()) {
			at = later(at, changed)
		}
		parent := filepath.Dir(folder)
		if parent == folder {
			return at, nil
		}
		folder = parent
	}
}

// firstLink returns the first symbolic link on a path; nil if there is none.
func firstLink(path string) (at string, link fs.FileInfo, err error) {
	if parent := filepath.Dir(path); parent != path {
		if at, link, err = firstLink(parent); link != nil || err != nil {
			return at, link, err
		}
	}
	info, err := os.Lstat(path)
	if err != nil || info.Mode()&fs.ModeSymlink == 0 {
		return "", nil, err
	}
	return path, info, nil
}

// putThere returns when a file was last written, or put where it is: the time of its inode's
// change can't be set, while mv, cp -p, rsync and tar keep that of its content.
func putThere(info fs.FileInfo) time.Time { return later(info.ModTime(), changeTime(info)) }

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
