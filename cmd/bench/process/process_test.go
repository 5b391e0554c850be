//go:build linux

package process_test

import (
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/authcompat/authcompat/cmd/bench/process"
)

// TestServer observes a program, and ends it by either signal.
func TestServer(t *testing.T) {
	for _, end := range []func(*process.Server) error{(*process.Server).Stop, func(s *process.Server) error { return s.StopBy(syscall.SIGINT) }} {
		s, err := process.Start("127.0.0.1:1", exec.Command("sleep", "60"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.CPU(); err != nil {
			t.Error(err)
		}
		if mb, err := s.Memory("Rss"); err != nil || mb <= 0 {
			t.Errorf("%f MB, %v", mb, err)
		}
		if err := end(s); err != nil {
			t.Error(err)
		}
		if _, err := s.CPU(); err == nil {
			t.Error("it still runs")
		}
		if err := end(s); err != nil {
			t.Errorf("once more: %v", err)
		}
	}
}

// TestServerThatEnds does not wait for a program that has ended, and says what it has said.
func TestServerThatEnds(t *testing.T) {
	address, err := process.FreeAddress()
	if err != nil {
		t.Fatal(err)
	}
	s, err := process.Start(address, exec.Command("sh", "-c", "echo no port; exit 1"))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Listening(t.Context()); err == nil || !strings.Contains(err.Error(), "sh ended: no port") {
		t.Error(err)
	}
}
