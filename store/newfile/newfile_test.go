package newfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// content returns the names and texts of the files of a directory.
func content(t *testing.T, folder string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string]string)
	for _, entry := range entries {
		text, err := os.ReadFile(filepath.Join(folder, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		all[entry.Name()] = string(text)
	}
	return all
}

func TestPlace(t *testing.T) {
	for name, tt := range map[string]struct {
		replace bool
		prepare func(path string) error // after Create
		err     error
		want    map[string]string
	}{
		"new":          {want: map[string]string{"a": "new"}},
		"there is one": {prepare: func(path string) error { return os.WriteFile(path, []byte("old"), 0o600) }, err: ErrExists, want: map[string]string{"a": "old"}},
		"replaces":     {replace: true, prepare: func(path string) error { return os.WriteFile(path, []byte("old"), 0o644) }, want: map[string]string{"a": "new"}},
		"a link": {prepare: func(path string) error {
			return errors.Join(os.Symlink("b", path), os.WriteFile(filepath.Join(filepath.Dir(path), "b"), []byte("old"), 0o600))
		}, err: ErrExists, want: map[string]string{"a": "old", "b": "old"}},
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			path := filepath.Join(folder, "a")
			f, err := Create(path)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Discard()
			if _, err := f.WriteString("new"); err != nil {
				t.Fatal(err)
			}
			if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("it has its name before it is complete: %v", err)
			}
			if tt.prepare != nil {
				if err := tt.prepare(path); err != nil {
					t.Fatal(err)
				}
			}
			if err := f.Place(tt.replace); !errors.Is(err, tt.err) {
				t.Errorf("%v, want %v", err, tt.err)
			}
			if diff := cmp.Diff(tt.want, content(t, folder)); diff != "" {
				t.Error(diff)
			}
			if info, err := os.Stat(path); tt.err == nil && (err != nil || info.Mode() != 0o600) {
				t.Errorf("%v, mode %v", err, info.Mode())
			}
		})
	}
}

func TestDiscard(t *testing.T) {
	folder := t.TempDir()
	f, err := Create(filepath.Join(folder, "a"))
	if err != nil {
		t.Fatal(err)
	}
	f.Discard()
	if left := content(t, folder); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
	if _, err := Create(filepath.Join(folder, "none", "a")); err == nil || !strings.HasSuffix(err.Error(), `none" does not exist`) {
		t.Errorf("no directory: %v", err)
	}
}
