package keyring

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"
)

// TestPruneWaitsForTheServers checks that no key is removed before all servers have read
// the newest one.
func TestPruneWaitsForTheServers(t *testing.T) {
	w := newWorld(t)
	if _, err := w.rotate(t, Rotation{NewKey: true}); err != nil {
		t.Fatal(err)
	}
	if r, err := w.rotate(t, Rotation{Drop: true}); err == nil || r.Dropped > 0 {
		t.Errorf("at once: %+v, %v", r, err)
	}
	changed, err := lastChange(w.file)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		age time.Duration
		ok  bool
	}{{0, false}, {propagationDelay - time.Minute/2, false}, {2*ReloadInterval + time.Second, true}} {
		if err := checkPropagated(w.file, changed.Add(test.age)); (err == nil) != test.ok {
			t.Errorf("%v after a change: %v", test.age, err)
		}
	}
}

// TestPruneWaitsForFilesPutThere puts key files in place that were written long ago: servers
// have not read them for longer than they have been there.
func TestPruneWaitsForFilesPutThere(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("it does not tell when a file was moved")
	}
	longAgo := time.Now().Add(-time.Hour)
	write := func(t *testing.T, path string) {
		t.Helper()
		key, err := newKey()
		if err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(key), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, longAgo, longAgo); err != nil {
			t.Fatal(err)
		}
	}
	for name, put := range map[string]func(t *testing.T, folder, path string) error{
		"moved there": func(t *testing.T, folder, path string) error {
			write(t, filepath.Join(folder, "new"))
			return os.Rename(filepath.Join(folder, "new"), path)
		},
		"copied with its time": func(t *testing.T, _, path string) error {
			write(t, path)
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			path := filepath.Join(folder, "keys")
			if err := put(t, folder, path); err != nil {
				t.Fatal(err)
			}
			if err := checkPropagated(path, time.Now()); err == nil {
				t.Error("keys are removed at once")
			}
			if err := checkPropagated(path, time.Now().Add(propagationDelay+time.Minute)); err != nil {
				t.Errorf("later: %v", err)
			}
		})
	}
}

// TestLastChangeOfLinks checks that a link on the way counts: it may have been turned to
// another file just now.
func TestLastChangeOfLinks(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "versions", "1", "keys")
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	own, err := lastChange(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, link := range map[string]struct{ at, target, keys string }{
		"to the file":        {"keys", path, "keys"},
		"relative":           {"beside", filepath.Join("versions", "1", "keys"), "beside"},
		"of a folder":        {"current", filepath.Join("versions", "1"), filepath.Join("current", "keys")},
		"to a link":          {"first", "keys2", "first"},
		"to itself, at last": {"loop", "loop", "loop"},
	} {
		t.Run(name, func(t *testing.T) {
			if link.target == "keys2" {
				if err := os.Symlink(path, filepath.Join(folder, link.target)); err != nil {
					t.Fatal(err)
				}
			}
			at := filepath.Join(folder, link.at)
			if err := os.Symlink(link.target, at); err != nil {
				t.Fatal(err)
			}
			info, err := os.Lstat(at)
			if err != nil {
				t.Fatal(err)
			}
			got, err := lastChange(filepath.Join(folder, link.keys))
			if link.target == link.at {
				if err == nil {
					t.Error("a link to itself has a time")
				}
				return
			}
			if want := later(own, putThere(info)); err != nil || got.Before(want) {
				t.Errorf("changed at %v, %v; want %v", got, err, want)
			}
		})
	}
}

// TestLastChangeOfFolders checks that a folder counts that was moved with the file in it, as far
// up as it may be.
func TestLastChangeOfFolders(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("it does not tell when a folder was moved")
	}
	folder := t.TempDir()
	path := filepath.Join(folder, "prepared", "keys", "file")
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	before, err := lastChange(path)
	if err != nil {
		t.Fatal(err)
	}
	moved := func(from, to string) time.Time {
		time.Sleep(100 * time.Millisecond) // the clock of a file system may tick that rarely
		if err := os.Rename(filepath.Join(folder, from), filepath.Join(folder, to)); err != nil {
			t.Fatal(err)
		}
		at, err := lastChange(filepath.Join(folder, to, "keys", "file"))
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	first := moved("prepared", "current")
	if !first.After(before) {
		t.Errorf("a folder that was moved: %v, and before %v", first, before)
	}
	if second := moved("current", "next"); !second.After(first) {
		t.Errorf("moved again: %v, and before %v", second, first)
	}
}
