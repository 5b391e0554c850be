package main

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// readsSmallFiles are commands that read a small file, which FILE stands for.
func readsSmallFiles(dsn string) map[string][]string {
	return map[string][]string{
		"config check":        {"config", "check", "FILE"},
		"config print":        {"config", "print", "FILE"},
		"profile check":       {"profile", "check", "FILE"},
		"profile show":        {"profile", "show", "FILE"},
		"inspect --map":       {"inspect", "none.sqlite3", "--map", "FILE"},
		"import --profile":    {"import", "django", "none.sqlite3", "--profile", "FILE"},
		"secret show":         {"secret", "show", "--secret-key-file", "FILE", "--store", dsn},
		"serve --config":      {"serve", "--config", "FILE"},
		"serve --profile":     {"serve", "--profile", "FILE", "--store", dsn},
		"serve --map":         {"serve", "--profile", "snippit", "--map", "FILE", "--store", "django+" + dsn, "--listen", "127.0.0.1:0"},
		"serve --tls-cert":    {"serve", "--profile", "snippit", "--tls-cert", "FILE", "--tls-key", "FILE", "--store", dsn},
		"serve --secret-key":  {"serve", "--profile", "snippit", "--secret-key-file", "FILE", "--store", dsn},
		"conformance run":     {"conformance", "run", "--profile", "FILE"},
		"conformance run -e":  {"conformance", "run", "--profile", "snippit", "--exchanges", "FILE"},
		"conformance check":   {"conformance", "check", "FILE"},
		"user list --config":  {"user", "list", "--map", "FILE", "--store", "django+" + dsn},
		"secret rotate --key": {"secret", "rotate", "--secret-key-file", "FILE", "--store", dsn},
	}
}

// withFile puts a file into the arguments of one of these commands.
func withFile(args []string, path string) (with []string) {
	for _, arg := range args {
		with = append(with, strings.ReplaceAll(arg, "FILE", path))
	}
	return with
}

func mustMakePipe(t *testing.T, path string) {
	t.Helper()
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
}

// writesNothing waits for the reader of a pipe, and is its silent writer from then on.
func writesNothing(t *testing.T, path string) {
	t.Helper()
	eventually(t, "a reader of the pipe", func() bool {
		f, err := os.OpenFile(path, os.O_WRONLY|syscall.O_NONBLOCK, 0)
		if err == nil {
			t.Cleanup(func() { f.Close() })
		} else if !errors.Is(err, syscall.ENXIO) {
			t.Fatal(err)
		}
		return err == nil
	})
}

// TestSilentPipes interrupts commands that read a pipe from which nothing comes.
func TestSilentPipes(t *testing.T) {
	t.Parallel()
	dsn := database(t)
	command(t, "", "user", "create", "alice", "--no-password", "--store", dsn)
	for name, args := range readsSmallFiles(dsn) {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "pipe")
			mustMakePipe(t, path)
			cmd := programCommand(t, withFile(args, path)...)
			var said lockedBuffer
			cmd.Stderr = &said
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = cmd.Process.Kill() }) // if it is still there
			writesNothing(t, path)
			if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
				t.Fatal(err)
			}
			if code := wantEnd(t, cmd); code != 2 || !strings.Contains(said.String(), "interrupted\n") {
				t.Errorf("exit code %d: %s", code, said.String())
			}
		})
	}
}

// TestEndlessFiles gives commands a file that never ends.
func TestEndlessFiles(t *testing.T) {
	t.Parallel()
	dsn := database(t)
	command(t, "", "user", "create", "alice", "--no-password", "--store", dsn)
	for name, args := range readsSmallFiles(dsn) {
		t.Run(name, func(t *testing.T) {
			// Without a limit, it would take all memory.
			cmd := programCommand(t, withFile(args, "/dev/zero")...)
			var said lockedBuffer
			cmd.Stderr = &said
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			code := wantEnd(t, cmd)
			if code < 1 || code > 2 || !strings.Contains(said.String(), "larger than 1") {
				t.Errorf("exit code %d: %s", code, said.String())
			}
		})
	}
}

// TestKeyFileBecomesAPipe reloads a server whose key file is a pipe by then: it goes on, and
// ends when it is told to.
func TestKeyFileBecomesAPipe(t *testing.T) {
	t.Parallel()
	dsn := database(t)
	p := start(t, showsTokens(dsn)...)
	path := keyFileOf(t, dsn)
	if err := os.Rename(path, path+".kept"); err != nil {
		t.Fatal(err)
	}
	mustMakePipe(t, path)
	if err := p.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	writesNothing(t, path)
	p.want(t, http.StatusOK, http.MethodGet, p.manage+"/readyz", "", "")
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code := wantEnd(t, p.Cmd); code != 0 {
		t.Errorf("exit code %d\n%s", code, p.log.String())
	}
}

// TestPipedProfile serves a profile that comes out of a pipe, as with a shell's <(command).
func TestPipedProfile(t *testing.T) {
	t.Parallel()
	text := command(t, "", "profile", "show", "ocd-users")
	path := filepath.Join(t.TempDir(), "pipe")
	mustMakePipe(t, path)
	written := make(chan error, 1)
	go func() { written <- os.WriteFile(path, []byte(text), 0) }()
	p := start(t, "--profile", path, "--listen", "127.0.0.1:0", "--store", database(t))
	p.want(t, http.StatusUnauthorized, http.MethodPost, p.urls["ocd-users"]+"/api/logout/", "", "")
	if err := <-written; err != nil {
		t.Error(err)
	}
}
