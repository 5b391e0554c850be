package main

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// serviceManager is the socket at which systemd listens for what a service tells it.
type serviceManager struct{ *net.UnixConn }

func newServiceManager(t *testing.T) (m serviceManager, socket string) {
	t.Helper()
	// A socket's path has at most 107 bytes, and a test's folder may have more.
	folder, err := os.MkdirTemp("", "notify")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	socket = filepath.Join(folder, "s")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return serviceManager{conn}, socket
}

// next returns the next message, that of a watchdog aside, as its lines.
func (m serviceManager) next(t *testing.T) []string {
	t.Helper()
	buffer := make([]byte, 4096)
	for {
		if err := m.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		n, err := m.Read(buffer)
		if err != nil {
			t.Fatal(err)
		}
		if text := string(buffer[:n]); text != "WATCHDOG=1" {
			return strings.Split(text, "\n")
		}
	}
}

func (m serviceManager) want(t *testing.T, first, second string) {
	t.Helper()
	got := append(m.next(t), "")
	if got[0] != first || !strings.HasPrefix(got[1], second) {
		t.Fatalf("the server says %q, want %s and %s…", got, first, second)
	}
}

// TestServiceManager follows a server through what systemd does with a unit of Type=notify: it starts, is reloaded,
// is reloaded with a file that is wrong, and is told to stop.
func TestServiceManager(t *testing.T) {
	t.Chdir(t.TempDir())
	m, socket := newServiceManager(t)
	settings := map[string]string{"listeners": "[{profile: authtokens}]", "listen": "127.0.0.1:0", "manage": "127.0.0.1:0", "store": database(t), "password_iterations": "100"}
	file(t, settings)
	p, err := launchWith(t, func(cmd *exec.Cmd) {
		cmd.Args = []string{cmd.Args[0], "serve", "--config", "c.yaml"}
		cmd.Env = append(cmd.Env, "NOTIFY_SOCKET="+socket)
	})
	if err != nil {
		t.Fatal(err)
	}
	m.want(t, "READY=1", "STATUS=")

	hangup := func() {
		t.Helper()
		if err := p.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		m.want(t, "RELOADING=1", "MONOTONIC_USEC=")
	}
	hangup()
	m.want(t, "READY=1", "STATUS=")
	file(t, settings, "store", "nonsense")
	hangup()
	m.want(t, "READY=1", "STATUS=The last reload failed")

	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if got := m.next(t); got[0] != "STOPPING=1" {
		t.Errorf("told to stop, the server says %q", got)
	}
	if err := p.Wait(); err != nil {
		t.Errorf("%v\n%s", err, p.log.String())
	}
}

// TestWatchdog: a server feeds the watchdog that it is given, and none that is another process's.
func TestWatchdog(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, environment string
		feeds             bool
	}{
		{"its own", "WATCHDOG_USEC=60000000", true},
		{"another's", "WATCHDOG_USEC=60000000 WATCHDOG_PID=1", false},
		{"none", "", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			m, socket := newServiceManager(t)
			p, err := launchWith(t, func(cmd *exec.Cmd) {
				cmd.Env = append(append(cmd.Env, strings.Fields(test.environment)...), "NOTIFY_SOCKET="+socket)
			}, append([]string{"--profile", "authtokens", "--store", database(t)}, cheap...)...)
			if err != nil {
				t.Fatal(err)
			}
			if err := p.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			if err := p.Wait(); err != nil {
				t.Fatalf("%v\n%s", err, p.log.String())
			}
			// All that it said is in the socket by now.
			fed, buffer := 0, make([]byte, 4096)
			if err := m.SetReadDeadline(time.Now().Add(time.Second)); err != nil {
				t.Fatal(err)
			}
			for n, err := m.Read(buffer); err == nil; n, err = m.Read(buffer) {
				if string(buffer[:n]) == "WATCHDOG=1" {
					fed++
				}
			}
			if (fed > 0) != test.feeds {
				t.Errorf("it said %d times that it runs", fed)
			}
		})
	}
}
