//go:build unix

package server

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestRisksOfFiles checks what is said of a file by its rights, its owner and its folder.
func TestRisksOfFiles(t *testing.T) {
	t.Parallel()
	me := os.Geteuid()
	for name, test := range map[string]struct {
		mode, folder fs.FileMode
		secret       bool
		uid          int
		want         []string // how each risk begins
	}{
		"its owner's alone":           {mode: 0o600, folder: 0o700, secret: true, uid: me},
		"keys of a group":             {mode: 0o640, folder: 0o750, secret: true, uid: me},
		"keys that all may read":      {mode: 0o644, folder: 0o755, secret: true, uid: me, want: []string{"others may read the file of the thing: chmod o-r"}},
		"no keys":                     {mode: 0o644, folder: 0o755, uid: me},
		"all may write":               {mode: 0o666, folder: 0o755, uid: me, want: []string{"others may write the file of the thing: chmod go-w"}},
		"a folder that all may write": {mode: 0o600, folder: 0o777, uid: me, want: []string{"others may replace the file of the thing"}},
		"a folder of a group":         {mode: 0o600, folder: 0o770, uid: me, want: []string{"others may replace the file of the thing"}},
		"a sticky folder":             {mode: 0o600, folder: 0o777 | fs.ModeSticky, uid: me},
		"all of it": {mode: 0o666, folder: 0o777, secret: true, uid: me, want: []string{
			"others may write the file", "others may read the file", "others may replace the file"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := filepath.Join(t.TempDir(), "folder")
			path := filepath.Join(folder, "below", "file")
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			for path, mode := range map[string]fs.FileMode{path: test.mode, folder: test.folder} { // whatever the umask
				if err := os.Chmod(path, mode); err != nil {
					t.Fatal(err)
				}
			}
			wantRisks(t, file{what: "thing", path: path, secret: test.secret}.risks(test.uid), test.want)
			// Who may write the folder of the target may replace it, too.
			link := filepath.Join(t.TempDir(), "link")
			if err := os.Symlink(path, link); err != nil {
				t.Fatal(err)
			}
			wantRisks(t, file{what: "thing", path: link, secret: test.secret}.risks(test.uid), test.want)
		})
	}
}

// TestFolderOfLogs checks that a server is told where others may put a log beside its database: in a folder with the sticky bit,
// in which they may not replace it.
func TestFolderOfLogs(t *testing.T) {
	t.Parallel()
	const beside = "others may put a log (-wal, -journal) beside the file of the thing"
	for name, test := range map[string]struct {
		mode   fs.FileMode
		logged bool
		want   []string
	}{
		"all may write":            {mode: 0o777 | fs.ModeSticky, logged: true, want: []string{beside}},
		"a group may write":        {mode: 0o770 | fs.ModeSticky, logged: true, want: []string{beside}},
		"its owner alone":          {mode: 0o755 | fs.ModeSticky, logged: true},
		"a file without a log":     {mode: 0o777 | fs.ModeSticky},
		"without the sticky bit":   {mode: 0o777, logged: true, want: []string{"others may replace the file of the thing"}},
		"nobody else may write it": {mode: 0o700, logged: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := filepath.Join(t.TempDir(), "folder")
			path, link := filepath.Join(folder, "file"), filepath.Join(t.TempDir(), "link")
			if err := os.Mkdir(folder, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(folder, test.mode); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(path, link); err != nil {
				t.Fatal(err)
			}
			for _, p := range []string{path, link} {
				wantRisks(t, file{what: "thing", path: p, logged: test.logged}.risks(os.Geteuid()), test.want)
			}
			// A link there leads to a database whose log is elsewhere.
			other := filepath.Join(t.TempDir(), "file")
			if err := os.WriteFile(other, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(other, filepath.Join(folder, "link")); err != nil {
				t.Fatal(err)
			}
			if test.mode&fs.ModeSticky != 0 {
				wantRisks(t, file{what: "thing", path: filepath.Join(folder, "link"), logged: test.logged}.risks(os.Geteuid()), nil)
			}
		})
	}
}

func wantRisks(t *testing.T, got []risk, want []string) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%q, want %q", got, want)
		return
	}
	for i, r := range got {
		if !strings.HasPrefix(r.text, want[i]) || r.path == "" || r.value == "" {
			t.Errorf("%q, want %q", r, want[i])
		}
	}
}

// TestFileOfAnotherUser checks that a server is told of a file that another user owns, unless
// that is root.
func TestFileOfAnotherUser(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() != 0 {
		wantRisks(t, file{what: "thing", path: path}.risks(os.Geteuid()+1), []string{"the file of the thing belongs to another user"})
		return
	}
	wantRisks(t, file{what: "thing", path: path}.risks(1), nil)
	if err := os.Chown(path, 2, -1); err != nil {
		t.Fatal(err)
	}
	wantRisks(t, file{what: "thing", path: path}.risks(2), nil)
	wantRisks(t, file{what: "thing", path: path}.risks(1), []string{"the file of the thing belongs to another user"})
}
