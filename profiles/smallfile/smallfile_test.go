package smallfile

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRead(t *testing.T) {
	folder := t.TempDir()
	text := strings.Repeat("x", MaxSize)
	for name, content := range map[string]string{"empty": "", "largest": text, "larger": text + "y"} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]error{"empty": nil, "largest": nil, "larger": ErrTooLarge, "none": fs.ErrNotExist, "": errors.ErrUnsupported} {
		data, err := Read(t.Context(), filepath.Join(folder, name))
		var named *fs.PathError
		switch {
		case want == nil && (err != nil || len(data) != map[string]int{"largest": MaxSize}[name]):
			t.Errorf("%q: %d bytes, %v", name, len(data), err)
		case want != nil && (!errors.As(err, &named) || named.Path != filepath.Join(folder, name)):
			t.Errorf("%q: %v", name, err)
		case want != nil && name != "" && !errors.Is(err, want): // of a directory, its system's own
			t.Errorf("%q: %v, want %v", name, err, want)
		}
	}
}

// TestReadOfRegularFileIgnoresContext: a command that is interrupted finishes what it has
// begun to change.
func TestReadOfRegularFileIgnoresContext(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a")
	if err := os.WriteFile(path, []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if data, err := Read(ctx, path); string(data) != "text" || err != nil {
		t.Errorf("%q, %v", data, err)
	}
}
