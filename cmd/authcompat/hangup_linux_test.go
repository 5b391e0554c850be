package main

import (
	"bufio"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// mustStart starts a command whose standard error is said.
func mustStart(t *testing.T, cmd *exec.Cmd, said *lockedBuffer) {
	t.Helper()
	cmd.Stderr = said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() }) // if it is still there
}

// mustFeed writes a text to the reader of a pipe, for which it waits, after doing something.
func mustFeed(t *testing.T, path, text string, before func()) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	before()
	if _, err := f.WriteString(text); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestHangup closes the terminal of a command: it ends as if it was interrupted, and leaves
// no part of a file.
func TestHangup(t *testing.T) {
	t.Parallel()
	// Where the tests run under nohup, commands would ignore it.
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	folder := t.TempDir()
	in := func(name string) string { return filepath.Join(folder, name) }
	mustMakePipe(t, in("key"))
	dsn := database(t)
	command(t, "", "user", "create", "alice", "--no-password", "--store", dsn)
	var said lockedBuffer
	cmd := programCommand(t, "export", "django", in("dump.json"), "--secret-key-file", in("key"), "--report", in("report.json"), "--store", dsn)
	mustStart(t, cmd, &said)
	writesNothing(t, in("key"))
	if begun, _ := filepath.Glob(in("report.json.*.tmp")); len(begun) != 1 {
		t.Fatalf("begun: %v", begun)
	}
	if err := cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	if code := wantEnd(t, cmd); code != 2 || !strings.HasSuffix(said.String(), "interrupted\n") {
		t.Errorf("exit code %d: %s", code, said.String())
	}
	if left, _ := filepath.Glob(in("*.tmp")); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

// TestHangupIsIgnored runs a command as nohup does: it goes on.
func TestHangupIsIgnored(t *testing.T) {
	t.Parallel()
	pipe := filepath.Join(t.TempDir(), "pipe")
	mustMakePipe(t, pipe)
	text := command(t, "", "profile", "show", "snippit")
	cmd := programCommand(t, "profile", "check", pipe)
	cmd.Path, cmd.Args = "/bin/sh", append([]string{"sh", "-c", `trap "" HUP; exec "$@"`, "sh"}, cmd.Args...)
	var said lockedBuffer
	mustStart(t, cmd, &said)
	mustFeed(t, pipe, text, func() {
		if err := cmd.Process.Signal(syscall.SIGHUP); err != nil {
			t.Error(err)
		}
	})
	if code := wantEnd(t, cmd); code != 0 {
		t.Errorf("exit code %d: %s", code, said.String())
	}
}

// TestHangupOfAStartingServer sends SIGHUP to a server that still reads its configuration.
func TestHangupOfAStartingServer(t *testing.T) {
	t.Parallel()
	pipe := filepath.Join(t.TempDir(), "config")
	mustMakePipe(t, pipe)
	cmd := programCommand(t, "serve", "--config", pipe)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var said lockedBuffer
	mustStart(t, cmd, &said)
	mustFeed(t, pipe, "listeners: [{profile: snippit, address: '127.0.0.1:0'}]\nstore: '"+database(t)+"'\n", func() {
		if err := cmd.Process.Signal(syscall.SIGHUP); err != nil {
			t.Error(err)
		}
	})
	if banner, err := bufio.NewReader(out).ReadString('\n'); err != nil || !strings.HasPrefix(banner, "profile snippit ") {
		t.Errorf("%q, %v: %s", banner, err, said.String())
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code := wantEnd(t, cmd); code != 0 {
		t.Errorf("exit code %d: %s", code, said.String())
	}
}

// TestHelpOnAFullDisk prints help to where nothing can be written.
func TestHelpOnAFullDisk(t *testing.T) {
	t.Parallel()
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	for _, args := range []string{"", "--help", "user", "help user", "serve --help", "user list --help", "--version", "profile list"} {
		cmd := programCommand(t, strings.Fields(args)...)
		var said strings.Builder
		cmd.Stdout, cmd.Stderr = full, &said
		_ = cmd.Run() // its state says how it ended
		if code := cmd.ProcessState.ExitCode(); code != 2 || !strings.HasSuffix(said.String(), "no space left on device\n") {
			t.Errorf("%q: exit code %d: %s", args, code, said.String())
		}
	}
}
