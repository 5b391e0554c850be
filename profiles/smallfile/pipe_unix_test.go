//go:build unix

package smallfile

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func mustMakePipe(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestReadPipe reads what is written in parts, by a writer that opens the pipe as shells do.
func TestReadPipe(t *testing.T) {
	for name, parts := range map[string][]string{"short": {"some ", "text"}, "empty at first": {"", "text"}, "too large": {strings.Repeat("x", MaxSize), "y", "z"}} {
		t.Run(name, func(t *testing.T) {
			path := mustMakePipe(t)
			written := make(chan error, 1)
			go func() {
				f, err := os.OpenFile(path, os.O_WRONLY, 0) // waits for a reader
				for _, part := range parts {
					if err == nil {
						_, err = f.WriteString(part)
					}
				}
				written <- errors.Join(err, f.Close())
			}()
			data, err := Read(t.Context(), path)
			want, tooLarge := strings.Join(parts, ""), name == "too large"
			if tooLarge != errors.Is(err, ErrTooLarge) || !tooLarge && (err != nil || string(data) != want) {
				t.Errorf("%d bytes, %v", len(data), err)
			}
			if err := <-written; err != nil && !errors.Is(err, syscall.EPIPE) {
				t.Error(err)
			}
		})
	}
}

// TestReadPipeEnds reads pipes from which nothing comes: with a silent writer until the
// context ends, without one for some seconds.
func TestReadPipeEnds(t *testing.T) {
	path := mustMakePipe(t)
	if _, err := Read(t.Context(), path); err == nil || err.Error() != "read "+path+": nobody writes to this pipe" {
		t.Errorf("no writer: %v", err)
	}
	silent, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	ctx, cancel := context.WithTimeout(t.Context(), writerTime/100)
	defer cancel()
	if _, err := Read(ctx, path); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a silent writer: %v", err)
	}
	if _, err := silent.WriteString("half a file"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel = context.WithCancel(t.Context())
	cancel()
	if _, err := Read(ctx, path); !errors.Is(err, context.Canceled) {
		t.Errorf("a writer that falls silent: %v", err)
	}
}

// TestReadDevice reads what never ends, and what is empty.
func TestReadDevice(t *testing.T) {
	if _, err := Read(t.Context(), "/dev/zero"); !errors.Is(err, ErrTooLarge) {
		t.Errorf("zero: %v", err)
	}
	if data, err := Read(t.Context(), os.DevNull); len(data) > 0 || err != nil {
		t.Errorf("null: %d bytes, %v", len(data), err)
	}
}
