//go:build linux

// Package process runs the servers that are measured, and observes them through /proc.
package process

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Patience is how long a process may take to answer, or to end.
const Patience = 30 * time.Second

// Server is a server that is measured.
type Server struct {
	Address string // HOST:PORT
	command *exec.Cmd
	said    *bytes.Buffer
	ended   chan struct{}
}

// Start starts a program that will listen at address. It is killed if this
// program ends before it.
func Start(address string, command *exec.Cmd) (*Server, error) {
	p := &Server{Address: address, command: command, said: &bytes.Buffer{}, ended: make(chan struct{})}
	command.Stdout, command.Stderr = p.said, p.said
	if command.SysProcAttr == nil {
		command.SysProcAttr = &syscall.SysProcAttr{}
	}
	command.SysProcAttr.Pdeathsig = syscall.SIGKILL
	if err := command.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = command.Wait() // it is ended by a signal
		close(p.ended)
	}()
	return p, nil
}

// Listening waits until the process accepts connections.
func (p *Server) Listening(ctx context.Context) error {
	for began := time.Now(); time.Since(began) < Patience; {
		conn, err := net.Dial("tcp", p.Address)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-p.ended:
			return fmt.Errorf("%s ended: %s", filepath.Base(p.command.Path), p.said)
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Millisecond):
		}
	}
	return fmt.Errorf("%s does not answer", filepath.Base(p.command.Path))
}

// Stop ends the process in good order.
func (p *Server) Stop() error { return p.StopBy(syscall.SIGTERM) }

// StopBy is Stop by another signal.
func (p *Server) StopBy(signal os.Signal) error {
	if err := p.command.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-p.ended:
		return nil
	case <-time.After(Patience):
		return errors.Join(fmt.Errorf("%s does not end", filepath.Base(p.command.Path)), p.command.Process.Kill())
	}
}

// tick is the unit of times in /proc (proc(5): sysconf(_SC_CLK_TCK), which is
// 100 on every Linux).
const tick = 10 * time.Millisecond

// CPU is the processor time that the process and its children have taken.
func (p *Server) CPU() (time.Duration, error) {
	total := time.Duration(0)
	for _, pid := range family(p.command.Process.Pid) {
		fields, err := stat(pid)
		if err != nil {
			return 0, err
		}
		for _, field := range fields[11:13] { // utime, stime
			n, err := strconv.ParseInt(field, 10, 64)
			if err != nil {
				return 0, err
			}
			total += time.Duration(n) * tick
		}
	}
	return total, nil
}

// stat gives the fields of /proc/PID/stat from the state on.
func stat(pid int) ([]string, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil, err
	}
	// The name before it may hold anything.
	return strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:])), nil
}

// family gives a process and those that it has started, which gunicorn and
// PostgreSQL do.
func family(pid int) []int {
	all := []int{pid}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		return all
	}
	for _, child := range strings.Fields(string(text)) {
		if n, err := strconv.Atoi(child); err == nil {
			all = append(all, family(n)...)
		}
	}
	return all
}

// Memory is the memory of the process and its children in MB of 10^6 bytes: Rss,
// or Pss, which counts what processes share only once.
func (p *Server) Memory(kind string) (float64, error) {
	total := 0
	for _, pid := range family(p.command.Process.Pid) {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
		if err != nil {
			return 0, err
		}
		for row := range strings.Lines(string(text)) {
			fields := strings.Fields(row)
			if fields[0] != kind+":" {
				continue
			}
			n, err := strconv.Atoi(fields[1])
			if err != nil {
				return 0, err
			}
			total += n << 10
		}
	}
	return float64(total) / 1e6, nil
}

// Output runs a program to its end.
func Output(ctx context.Context, name string, arguments ...string) (string, error) {
	command := exec.CommandContext(ctx, name, arguments...)
	out, err := command.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w: %s", filepath.Base(name), arguments[0], err, bytes.TrimSpace(out))
	}
	return string(out), nil
}

// FreeAddress gives an address of loopback at which nobody listens.
func FreeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}
