package postgrestest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/authcompat/authcompat/store/internal/daemon"
)

// program finds one of PostgreSQL's programs: in PATH, or in the newest version that
// Debian has installed.
func program(name string) (string, error) {
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + name) // the pattern is valid
	if len(found) == 0 {
		return "", fmt.Errorf("%s is not installed (Debian: apt-get install postgresql)", name)
	}
	return slices.Max(found), nil
}

// servant returns the user to run the server as: it refuses to run as root.
func servant() (*daemon.Servant, error) { return daemon.Find("postgres") }

// ownFolder creates a temporary directory that belongs to the server's user.
func ownFolder() (string, error) {
	who, err := servant()
	if err != nil {
		return "", err
	}
	return who.Folder("postgres")
}

// command returns a program that runs as the server's user and ends with this process,
// however that ends.
func command(path string, arguments ...string) (*exec.Cmd, error) {
	who, err := servant()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(path, arguments...)
	cmd.Dir = "/"
	cmd.SysProcAttr = who.Attributes(syscall.SIGQUIT)
	return cmd, nil
}

// run runs one of PostgreSQL's programs until it exits.
func (c *Cluster) run(name string, arguments ...string) error {
	path, err := program(name)
	if err != nil {
		return err
	}
	cmd, err := command(path, arguments...)
	if err != nil {
		return err
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, out)
	}
	return nil
}

// process is a running server.
type process struct {
	cmd   *exec.Cmd
	ended chan struct{}
}

// spawn starts one of PostgreSQL's programs, whose output goes to the file log.
func (c *Cluster) spawn(name string, arguments ...string) (*process, error) {
	path, err := program(name)
	if err != nil {
		return nil, err
	}
	return spawn(c.folder, path, arguments...)
}

// spawn starts a program whose output goes to the file log in a directory.
func spawn(folder, path string, arguments ...string) (*process, error) {
	cmd, err := command(path, arguments...)
	if err != nil {
		return nil, err
	}
	log, err := os.OpenFile(filepath.Join(folder, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{cmd: cmd, ended: make(chan struct{})}
	go func() {
		_ = cmd.Wait() // it is ended by signals
		close(p.ended)
	}()
	return p, nil
}

// signal sends a signal to the process only.
func (p *process) signal(s syscall.Signal) error { return p.cmd.Process.Signal(s) }

// signalAll sends a signal to the process and to all its children, which it returns.
func (p *process) signalAll(s syscall.Signal) ([]int, error) {
	// While stopped, it starts no more.
	if err := p.signal(daemon.Stop); err != nil {
		return nil, err
	}
	pids := children(p.cmd.Process.Pid)
	for _, pid := range pids {
		_ = daemon.Signal(pid, s) // it may have ended by itself
	}
	return pids, p.signal(s)
}

// awaitEnd waits until the processes have ended, which are no children of the test's: a killed one goes on
// for a moment on a busy machine, attached to shared memory.
func awaitEnd(pids []int) error {
	for began := time.Now(); ; time.Sleep(time.Millisecond) {
		left := slices.DeleteFunc(slices.Clone(pids), func(pid int) bool {
			text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
			return err != nil || strings.Contains(string(text), ") Z ") // a zombie has let go of everything
		})
		if len(left) == 0 {
			return nil
		}
		if time.Since(began) > time.Minute {
			return fmt.Errorf("processes that were killed have not ended: %v", left)
		}
	}
}

// children returns the children of a process.
func children(parent int) (pids []int) {
	files, _ := filepath.Glob("/proc/[0-9]*/stat") // the pattern is valid
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended
		}
		// PID (NAME) STATE PARENT …, where the name may contain anything.
		_, rest, _ := strings.Cut(string(text[strings.LastIndexByte(string(text), ')'):]), " ")
		fields := strings.Fields(rest)
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		if err == nil && len(fields) > 1 && fields[1] == strconv.Itoa(parent) {
			pids = append(pids, pid)
		}
	}
	return pids
}
