package main

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// mustPipe returns the two ends of a pipe, which the test closes.
func mustPipe(t *testing.T) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(); w.Close() })
	return r, w
}

// TestNobodyReadsTheLog ends the reader of a server's log: the server goes on, without one.
func TestNobodyReadsTheLog(t *testing.T) {
	t.Parallel()
	reader, log := mustPipe(t)
	p := startWith(t, func(c *exec.Cmd) { c.Stderr = log }, "--profile", "ocd-users", "--listen", "127.0.0.1:0", "--store", database(t), "--log-requests", "all")
	p.want(t, http.StatusOK, http.MethodGet, p.manage+"/livez", "", "")
	reader.Close()
	log.Close() // that of the test
	for range 3 {
		p.want(t, http.StatusUnauthorized, http.MethodPost, p.urls["ocd-users"]+"/api/logout/", "", "")
	}
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := p.Wait(); err != nil {
		t.Errorf("server: %v", err)
	}
}

// TestNobodyReadsTheBanner starts a server whose output nobody reads.
func TestNobodyReadsTheBanner(t *testing.T) {
	t.Parallel()
	reader, out := mustPipe(t)
	reader.Close()
	var log lockedBuffer
	cmd := programCommand(t, "serve", "--profile", "ocd-users", "--listen", "127.0.0.1:0", "--store", database(t))
	cmd.Stdout, cmd.Stderr = out, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() }) // if it is still there
	eventually(t, "it has started", func() bool { return strings.Contains(log.String(), "can't be written to standard output") })
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("server: %v\n%s", err, log.String())
	}
}

// TestNobodyReadsTheOutput has a command print to a pipe without a reader: it ends quietly.
func TestNobodyReadsTheOutput(t *testing.T) {
	t.Parallel()
	reader, out := mustPipe(t)
	reader.Close()
	var said strings.Builder
	cmd := programCommand(t, "profile", "list")
	cmd.Stdout, cmd.Stderr = out, &said
	_ = cmd.Run() // its state says how it ended
	if status := fmt.Sprint(cmd.ProcessState); status != "signal: broken pipe" || said.Len() > 0 {
		t.Errorf("%s: %s", status, said.String())
	}
}
