package keyring

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/authcompat/authcompat/core/sealing"
	"github.com/authcompat/authcompat/profiles/smallfile"
)

// removedPath returns where the keys that were removed from a key file are kept.
func removedPath(path string) string { return path + ".old" }

// RemovedFile returns the file that has keys which were removed from a key file; empty: there
// is none.
func RemovedFile(path string) string {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	if _, err := os.Lstat(removedPath(path)); err != nil {
		return ""
	}
	return removedPath(path)
}

// keepRemoved adds keys to those that were removed from a key file before, in a file that
// only the owner of the key file can read, and returns its path, and how to undo that. It has
// the form of a key file, with the newest first. The caller holds the lock.
func keepRemoved(ctx context.Context, path string, words []string) (to string, undo func() error, err error) {
	if path, err = filepath.EvalSymlinks(path); err != nil {
		return "", nil, err
	}
	to = removedPath(path)
	before, err := smallfile.Read(ctx, to)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", nil, fmt.Errorf("nothing is removed: what was removed before can't be read: %w", err)
	}
	if _, err := sealing.ParseKeys(string(before)); err != nil && len(before) > 0 {
		return "", nil, fmt.Errorf("nothing is removed: %s, where removed keys are kept, has something else in it: move it away: %w", to, err)
	}
	earlier := keyWords(string(before))
	undo = func() error { return writeRemoved(path, earlier) }
	if len(earlier) == 0 {
		undo = func() error { return os.Remove(to) }
	}
	others := slices.DeleteFunc(slices.Clone(earlier), func(word string) bool { return slices.Contains(words, word) })
	return to, undo, writeRemoved(path, slices.Concat(words, others))
}

// writeRemoved replaces the file of keys that were removed from a key file.
func writeRemoved(path string, words []string) error {
	to := removedPath(path)
	keys, err := os.Stat(path)
	if err != nil {
		return err
	}
	f, err := openUnfinished(to)
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	if err := errors.Join(keepOwner(f, keys), f.Chmod(0o600)); err != nil {
		return errors.Join(err, f.Close())
	}
	err = writeKeys(f, words)
	if err == nil {
		err = os.Rename(f.Name(), to)
	}
	if err == nil {
		err = syncDirectory(filepath.Dir(to))
	}
	return err
}
