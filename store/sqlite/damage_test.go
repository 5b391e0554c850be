package sqlite

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/internal/dbfile"
)

// TestDamagedWhileOpen damages the second half of a database that is open: calls that come
// upon it fail as unavailable, and so does Ping from then on, until a backup is restored.
func TestDamagedWhileOpen(t *testing.T) {
	for name, damage := range map[string]func(t *testing.T, path string, size int64) error{
		"truncated": func(_ *testing.T, path string, size int64) error { return os.Truncate(path, size/2) },
		"overwritten": func(t *testing.T, path string, size int64) error {
			f, err := os.OpenFile(path, os.O_WRONLY, 0)
			if err != nil {
				return err
			}
			t.Cleanup(func() { f.Close() }) // now, it would end the locks of this process
			_, err = f.WriteAt(bytes.Repeat([]byte{0xee}, int(size/2)), size/2)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			const users = 300
			folder := t.TempDir()
			path, good := filepath.Join(folder, "auth.db"), filepath.Join(folder, "good.db")
			s, err := Open(t.Context(), path, Options{})
			if err != nil {
				t.Fatal(err)
			}
			for i := range users {
				if _, err := s.CreateUser(t.Context(), core.NewUser{Username: fmt.Sprint("user ", i), PasswordHash: strings.Repeat("x", 900)}, nil, nil); err != nil {
					t.Fatal(err)
				}
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			if _, err := Backup(t.Context(), path, good, BackupOptions{NotAudited: func(err error) { t.Error(err) }}); err != nil {
				t.Fatal(err)
			}
			if s, err = Open(t.Context(), path, Options{}); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = s.Close() })
			info, err := os.Stat(path)
			if err == nil {
				err = damage(t, path, info.Size())
			}
			if err != nil {
				t.Fatal(err)
			}
			// look returns how many accounts can't be read.
			look := func() (failed int) {
				for i := range users {
					_, err := s.Account(t.Context(), fmt.Sprint("user ", i))
					if err == nil {
						continue
					}
					failed++
					if !errors.Is(err, core.ErrUnavailable) || !errors.Is(err, dbfile.ErrDamaged) {
						t.Fatal(err)
					}
				}
				return failed
			}
			if look() == 0 {
				t.Fatal("nothing is damaged")
			}
			for range 2 {
				if err := s.Ping(t.Context()); !errors.Is(err, core.ErrUnavailable) || !errors.Is(err, dbfile.ErrDamaged) {
					t.Errorf("ping: %v", err)
				}
			}
			if _, err := Restore(t.Context(), path, good, RestoreOptions{Audit: core.AuditEntry{At: time.Now()}}); err != nil {
				t.Fatal(err)
			}
			if err := s.Ping(t.Context()); err != nil {
				t.Errorf("ping after the restore: %v", err)
			}
			if n := look(); n != 0 {
				t.Errorf("%d accounts can't be read after the restore", n)
			}
		})
	}
}
