package postgrestest

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/authcompat/authcompat/core/testenv"
	"github.com/authcompat/authcompat/store/internal/daemon"
)

// Options are the settings of a cluster.
type Options struct {
	// Durable keeps fsync on. Without it a cluster is faster; it may lose data if the
	// machine crashes, but not if only its processes end.
	Durable bool
	// Settings are added to the configuration.
	Settings map[string]string
}

// Cluster is a running PostgreSQL cluster.
type Cluster struct {
	folder   string // owned by the user of the server
	port     int
	settings map[string]string
	process  *process
}

// Start starts a cluster that is removed when the test ends.
func Start(tb testing.TB, o Options) *Cluster {
	tb.Helper()
	c, err := start(o)
	if err != nil {
		testenv.Missing(tb, "%v", err)
	}
	tb.Cleanup(func() {
		if tb.Failed() {
			tb.Logf("the end of the log of the server at port %d:\n%s", c.port, c.logged())
		}
		c.remove()
	})
	return c
}

// start creates a cluster and starts it.
func start(o Options) (*Cluster, error) {
	c, err := prepare(o)
	if err != nil {
		return nil, err
	}
	if err := c.run("initdb", "-D", c.data(), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"); err != nil {
		return nil, errors.Join(err, os.RemoveAll(c.folder))
	}
	if err := c.start(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(c.folder))
	}
	return c, nil
}

// prepare creates the directory and finds a port.
func prepare(o Options) (*Cluster, error) {
	if _, err := program("postgres"); err != nil {
		return nil, err
	}
	folder, err := ownFolder()
	if err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	settings := map[string]string{
		"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "max_connections": "200",
		"shared_buffers": "32MB", "log_checkpoints": "off", "restart_after_crash": "on",
		// In the cluster's folder, and gone with it: a killed server leaves those of /dev/shm.
		"dynamic_shared_memory_type": "mmap",
	}
	if !o.Durable {
		maps.Copy(settings, map[string]string{"fsync": "off", "full_page_writes": "off"})
	}
	maps.Copy(settings, o.Settings)
	return &Cluster{folder: folder, port: port, settings: settings}, nil
}

func (c *Cluster) data() string { return filepath.Join(c.folder, "data") }

// Port returns the port on 127.0.0.1 that the server listens on.
func (c *Cluster) Port() int { return c.port }

// DSN returns the URL of the cluster's database, for its superuser.
func (c *Cluster) DSN() string { return dsnAt(c.port) }

// dsnAt returns the URL of the database at a port.
func dsnAt(port int) string {
	return fmt.Sprintf("postgres://postgres@127.0.0.1:%d/postgres?sslmode=disable", port)
}

// Exec runs statements as the superuser, each in its own transaction.
func (c *Cluster) Exec(tb testing.TB, statements ...string) {
	tb.Helper()
	execute(tb, c.DSN(), statements...)
}

// Get scans the only row of a query.
func (c *Cluster) Get(tb testing.TB, into any, query string, arguments ...any) {
	tb.Helper()
	db, err := sqlx.Open("postgres", c.DSN())
	if err != nil {
		tb.Fatal(err)
	}
	defer db.Close()
	if err := db.Get(into, query, arguments...); err != nil {
		tb.Fatal(fmt.Errorf("%s: %w", query, err))
	}
}

// Authenticate makes the server require a password of every role but the superuser.
func (c *Cluster) Authenticate(tb testing.TB, method string) {
	tb.Helper()
	rules := "host all postgres 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 " + method + "\n"
	if err := c.write(filepath.Join(c.data(), "pg_hba.conf"), []byte(rules)); err != nil {
		tb.Fatal(err)
	}
	c.Exec(tb, `SELECT pg_reload_conf()`)
}

// start starts the server and waits until it answers.
func (c *Cluster) start() error {
	arguments := []string{"-D", c.data(), "-p", fmt.Sprint(c.port)}
	for _, name := range slices.Sorted(maps.Keys(c.settings)) {
		arguments = append(arguments, "-c", name+"="+c.settings[name])
	}
	var err error
	if c.process, err = c.spawn("postgres", arguments...); err != nil {
		return err
	}
	db, err := sqlx.Open("postgres", c.DSN()+"&connect_timeout=5")
	if err != nil {
		return err
	}
	defer db.Close()
	for began := time.Now(); ; {
		if _, err = db.Exec(`SELECT 1`); err == nil {
			return nil
		}
		select {
		case <-c.process.ended:
			return fmt.Errorf("the server ended at once:\n%s", c.logged())
		case <-time.After(5 * time.Millisecond):
		}
		if time.Since(began) > time.Minute {
			return fmt.Errorf("the server does not answer: %w:\n%s", err, c.logged())
		}
	}
}

// StartAgain starts the server after it was stopped or killed, and returns when it
// answers.
func (c *Cluster) StartAgain(tb testing.TB) {
	tb.Helper()
	if err := c.start(); err != nil {
		tb.Fatal(err)
	}
}

// Stop shuts the server down, disconnecting its clients, and waits until it has ended.
func (c *Cluster) Stop(tb testing.TB) {
	tb.Helper()
	c.end(tb, syscall.SIGINT)
}

// Crash ends the server without a clean shutdown.
func (c *Cluster) Crash(tb testing.TB) {
	tb.Helper()
	c.end(tb, syscall.SIGQUIT)
}

func (c *Cluster) end(tb testing.TB, s syscall.Signal) {
	tb.Helper()
	if err := c.process.signal(s); err != nil {
		tb.Fatal(err)
	}
	<-c.process.ended
}

// Kill kills all processes of the server at once, like a power failure.
func (c *Cluster) Kill(tb testing.TB) {
	tb.Helper()
	pids, err := c.process.signalAll(syscall.SIGKILL)
	if err != nil {
		tb.Fatal(err)
	}
	<-c.process.ended
	if err := awaitEnd(pids); err != nil {
		tb.Fatal(err)
	}
}

// Freeze stops all processes of the server: its connections stay open, and nothing
// answers.
func (c *Cluster) Freeze(tb testing.TB) {
	tb.Helper()
	if _, err := c.process.signalAll(daemon.Stop); err != nil {
		tb.Fatal(err)
	}
}

// Thaw continues the processes.
func (c *Cluster) Thaw(tb testing.TB) {
	tb.Helper()
	if _, err := c.process.signalAll(daemon.Continue); err != nil {
		tb.Fatal(err)
	}
}

// remove ends the server and deletes its files.
func (c *Cluster) remove() {
	if c.process != nil {
		_, _ = c.process.signalAll(syscall.SIGKILL) // it may have ended already
		<-c.process.ended
	}
	c.removeSegment()
	_ = os.RemoveAll(c.folder) // a temporary directory
}

// removeSegment removes the System V shared memory segment by which servers notice others in
// the same folder. A killed one leaves it until the machine restarts, and there can't be
// many.
func (c *Cluster) removeSegment() {
	if id, err := c.segment(); err == nil {
		daemon.RemoveSegment(id)
	}
}

// segment returns the id of the server's System V shared memory segment.
func (c *Cluster) segment() (int, error) {
	// https://www.postgresql.org/docs/current/storage-file-layout.html; the seventh line has
	// the key and the id.
	text, err := os.ReadFile(filepath.Join(c.data(), "postmaster.pid"))
	if err != nil {
		return 0, err
	}
	const line = 6
	lines := strings.Split(string(text), "\n")
	if len(lines) <= line {
		return 0, errors.New("postmaster.pid has no shared memory yet")
	}
	fields := strings.Fields(lines[line])
	if len(fields) < 2 {
		return 0, errors.New("the server has no such shared memory")
	}
	return strconv.Atoi(fields[1])
}

// logged returns the end of the server's log.
func (c *Cluster) logged() string {
	f, err := os.Open(filepath.Join(c.folder, "log"))
	if err != nil {
		return err.Error()
	}
	defer f.Close()
	const most = 8 << 10
	if size, err := f.Seek(0, io.SeekEnd); err == nil && size > most {
		_, _ = f.Seek(-most, io.SeekEnd)
	} else {
		_, _ = f.Seek(0, io.SeekStart)
	}
	text, _ := io.ReadAll(f)
	return strings.TrimSpace(string(text))
}

// freePort returns an unused port on loopback.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close()
}
