package main

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store"
)

// secretVariable holds the sealing key itself, in base64.
const secretVariable = "AUTHCOMPAT_SECRET_KEY"

// openSealer finds the key that seals tokens which are shown again: in the
// environment, in the named file, or, for an SQLite database, in a file beside
// it that is made at the first start. Without any of them the sealer has no key.
func openSealer(file, dsn string) (core.Sealer, error) {
	if text, ok := os.LookupEnv(secretVariable); ok {
		return sealerFrom(secretVariable, text)
	}
	if file != "" {
		text, err := os.ReadFile(file)
		if err != nil {
			return core.Sealer{}, fmt.Errorf("--secret-key-file: %w", err)
		}
		return sealerFrom(file, string(text))
	}
	database, ok := store.SQLitePath(dsn)
	if !ok {
		return core.Sealer{}, nil
	}
	return keyBeside(database + ".key")
}

func sealerFrom(source, text string) (core.Sealer, error) {
	keys, err := core.ParseKeys(text)
	if err != nil {
		return core.Sealer{}, fmt.Errorf("%s: %w", source, err)
	}
	return core.NewSealer(keys...)
}

// rereadKeys gives a function that finds the keys anew, where they stand in a
// file: after `secret rotate` a server meets tokens that are sealed with a key
// which came after its start. A file that is the same is not read again.
func rereadKeys(file, dsn string) func() (core.Sealer, error) {
	path, err := keySource(file, dsn)
	if err != nil {
		return nil
	}
	var mu sync.Mutex
	var last fs.FileInfo
	var sealer core.Sealer
	return func() (core.Sealer, error) {
		mu.Lock()
		defer mu.Unlock()
		now, err := os.Stat(path)
		if err != nil {
			return core.Sealer{}, fmt.Errorf("sealing key: %w", err)
		}
		if last == nil || !os.SameFile(last, now) || !last.ModTime().Equal(now.ModTime()) {
			found, err := openSealer(path, dsn)
			if err != nil {
				return core.Sealer{}, err
			}
			last, sealer = now, found
		}
		return sealer, nil
	}
}

// keyBeside reads a key file, or makes it, readable to its owner alone. Two
// processes that make it at once end with one key: the file appears whole.
func keyBeside(path string) (core.Sealer, error) {
	text, err := os.ReadFile(path)
	if err == nil {
		return sealerFrom(path, string(text))
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return core.Sealer{}, fmt.Errorf("sealing key: %w", err)
	}
	key := make([]byte, core.KeySize)
	if _, err := rand.Read(key); err != nil {
		return core.Sealer{}, fmt.Errorf("sealing key: %w", err)
	}
	if err := writeKey(path, base64.StdEncoding.EncodeToString(key)+"\n"); err != nil && !errors.Is(err, fs.ErrExist) {
		return core.Sealer{}, fmt.Errorf("make sealing key: %w", err)
	}
	if text, err = os.ReadFile(path); err != nil {
		return core.Sealer{}, fmt.Errorf("sealing key: %w", err)
	}
	return sealerFrom(path, string(text))
}

// writeKey makes the file with its content in one step, or fails with
// fs.ErrExist. The file is on disk before any token is sealed with its key.
func writeKey(path, text string) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.WriteString(text)
	if err == nil {
		err = f.Sync()
	}
	if closing := f.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil {
		return err
	}
	return syncDirectory(filepath.Dir(path))
}

// syncDirectory makes the names in a directory last.
func syncDirectory(path string) error {
	directory, err := os.Open(path)
	if err != nil {
		return err
	}
	defer directory.Close()
	return directory.Sync()
}
