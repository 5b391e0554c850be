package keyring

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
	"unicode"

	"github.com/authcompat/authcompat/core/sealing"
	"github.com/authcompat/authcompat/profiles/smallfile"
)

// keyRing is the content of a key file: the newest key first.
type keyRing struct {
	words  []string
	sealer sealing.Sealer
}

// readKeys reads a key file. The error is fs.ErrNotExist if there is none.
func readKeys(ctx context.Context, path string) (keyRing, error) {
	text, err := smallfile.Read(ctx, path)
	// One that was made since it was missing is no link.
	if info, missing := os.Lstat(path); errors.Is(err, fs.ErrNotExist) && missing == nil && info.Mode()&fs.ModeSymlink != 0 {
		return keyRing{}, fmt.Errorf("sealing keys: %s is a link to a file that is not there", path)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return keyRing{}, fmt.Errorf("the file of the sealing keys is missing: %w", err)
	}
	if err != nil {
		return keyRing{}, fmt.Errorf("sealing keys: %w", err)
	}
	keys, err := sealing.ParseKeys(string(text))
	if err != nil {
		return keyRing{}, fmt.Errorf("%s: %w", path, err)
	}
	sealer, err := sealing.NewSealer(keys...)
	return keyRing{keyWords(string(text)), sealer}, err
}

// keyWords splits a text as sealing.ParseKeys does.
func keyWords(text string) []string {
	return strings.FieldsFunc(text, func(c rune) bool { return c == ',' || unicode.IsSpace(c) })
}

// newKey returns a new random key, as it stands in key files.
func newKey() (string, error) {
	key := make([]byte, sealing.KeySize)
	if _, err := rand.Read(key); err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(key), nil
}

// createKeys creates a key file with a first key, which only its owner can read. The file
// is created atomically; if it exists the error is fs.ErrExist. One that root creates belongs
// to whom the database does, or its server could not read it. The caller holds the lock.
func createKeys(path, database string) error {
	key, err := newKey()
	if err != nil {
		return err
	}
	f, err := openUnfinished(path)
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	if err := giveToOwner(f, database); err != nil {
		return errors.Join(err, f.Close())
	}
	err = writeKeys(f, []string{key})
	if err == nil {
		err = os.Link(f.Name(), path)
	}
	if err == nil {
		err = syncDirectory(filepath.Dir(path))
	}
	return err
}

// errMounted is the error of a key file that can't be replaced, because it is mounted by itself.
var errMounted = errors.New("nothing is changed: the file is mounted by itself, and such a one can't be replaced: mount the folder that has it; or run this where it is mounted from, and restart at once what has it mounted, so that it is mounted anew: until then that has the old keys")

// replaceKeys replaces the keys of a file atomically: at any moment the file on disk has
// the old keys or the new ones. Whoever could read the file still can; if that can't be
// done, nothing is changed. A symbolic link stays one. The caller holds the lock.
func replaceKeys(ctx context.Context, path string, change func(keyRing) ([]string, error)) error {
	ring, err := readKeys(ctx, path)
	if err != nil {
		return err
	}
	if path, err = filepath.EvalSymlinks(path); err != nil {
		return fmt.Errorf("sealing keys: %w", err)
	}
	was, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("sealing keys: %w", err)
	}
	f, err := openUnfinished(path)
	if err != nil {
		return fmt.Errorf("sealing keys: %w", err)
	}
	defer os.Remove(f.Name())
	if err := keepOwner(f, was); err != nil {
		return errors.Join(fmt.Errorf("nothing is changed: a new %s would not belong to whom the old one does, and servers might not read it: run this as root or as its owner: %w", path, err), f.Close())
	}
	words, err := change(ring)
	if err != nil {
		return errors.Join(fmt.Errorf("sealing keys: %w", err), f.Close())
	}
	err = writeKeys(f, words)
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if errors.Is(err, syscall.EBUSY) {
		err = fmt.Errorf("%w: %w", err, errMounted)
	}
	if err == nil {
		err = syncDirectory(filepath.Dir(path))
	}
	if err != nil {
		return fmt.Errorf("sealing keys: %w", err)
	}
	return nil
}

// unfinishedPath returns where the new content of a key file is written before it takes the
// file's place. It is the same each time, so that what a killed process has left there is
// found: it has keys in it.
func unfinishedPath(path string) string {
	folder, name := filepath.Split(path)
	return folder + "." + name + ".authcompat-unfinished" // a name that nobody gives to a file of his
}

// openUnfinished creates the file for new content, which only its owner can read, in place
// of one that a killed process has left. The caller holds the lock.
func openUnfinished(path string) (*os.File, error) {
	if err := os.Remove(unfinishedPath(path)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return os.OpenFile(unfinishedPath(path), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
}

// removeUnfinished removes the files that a process has left which was killed while it
// changed the keys, or kept those that it removed.
func removeUnfinished(ctx context.Context, path string) error {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	unfinished := []string{unfinishedPath(path), unfinishedPath(removedPath(path))}
	if !slices.ContainsFunc(unfinished, func(file string) bool {
		_, err := os.Lstat(file)
		return !errors.Is(err, fs.ErrNotExist)
	}) {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, removalTime)
	defer cancel()
	err := lock(ctx, path, func(string) {}, func() error {
		for _, file := range unfinished {
			if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
		return syncDirectory(filepath.Dir(path))
	})
	if errors.Is(err, context.DeadlineExceeded) {
		return nil // a rotation is under way, which has written the file, or replaces it
	}
	return err
}

// removalTime is how long a start waits for a rotation that is under way, which may take
// minutes.
const removalTime = time.Second

// writeKeys writes, syncs and closes a file: keys have to be on disk before any token is
// sealed with them.
func writeKeys(f *os.File, words []string) error {
	_, err := f.WriteString(strings.Join(words, "\n") + "\n")
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}
