package mariadbtest

import (
	"errors"
	"fmt"
	"net"
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

// errMissing says that the machine lacks the software.
var errMissing = errors.New("MariaDB is not installed (Debian: apt-get install mariadb-server)")

// server is a running MariaDB.
type server struct {
	folder string // owned by the user of the server
	port   int
	cmd    *exec.Cmd
	ended  chan struct{}
}

// start makes a server and starts it.
func start() (*server, error) {
	install, err := program("mariadb-install-db")
	if err != nil {
		return nil, err
	}
	daemon, err := program("mariadbd")
	if err != nil {
		return nil, err
	}
	folder, err := ownFolder()
	if err != nil {
		return nil, err
	}
	s := &server{folder: folder}
	if err = s.install(install); err == nil {
		err = s.start(daemon)
	}
	if err != nil {
		s.remove()
		return nil, err
	}
	return s, nil
}

// settings are what both programs are told. No file of the machine's is read, so
// that tests run alike everywhere. Files are small, since writing them is most of
// the time that a new server takes, and nothing waits for the disk: what is lost
// with the machine was of no use to anyone.
func (s *server) settings() []string {
	return []string{
		"--no-defaults", // has to be the first
		"--datadir=" + filepath.Join(s.folder, "data"),
		"--tmpdir=" + s.folder, // TMPDIR may not be for the server's user
		"--skip-name-resolve",
		"--innodb-buffer-pool-size=16M",
		"--innodb-log-file-size=4M",
		"--innodb-flush-method=nosync",
		"--innodb-flush-log-at-trx-commit=0",
		"--innodb-doublewrite=0",
		"--innodb-use-native-aio=0", // what it takes of the kernel is refused in many a container
	}
}

// install makes the data of a new server, whose user root needs no password.
func (s *server) install(path string) error {
	cmd, err := command(path, append(s.settings(), "--auth-root-authentication-method=normal", "--skip-test-db")...)
	if err != nil {
		return err
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w:\n%s", path, err, out)
	}
	return nil
}

// start starts the server and waits until it answers.
func (s *server) start(path string) (err error) {
	if s.port, err = freePort(); err != nil {
		return err
	}
	socket := filepath.Join(s.folder, "socket")
	if err := s.spawn(path, append(s.settings(),
		"--skip-networking=0",
		"--bind-address=127.0.0.1",
		"--port="+strconv.Itoa(s.port),
		"--socket="+socket,
		"--pid-file="+filepath.Join(s.folder, "pid"),
	)...); err != nil {
		return err
	}
	db, err := open(s.url())
	if err != nil {
		return err
	}
	defer db.Close()
	for began := time.Now(); ; {
		// Until it has ended for want of its port, another's may answer there.
		var its string
		if err = db.QueryRow("SELECT @@socket").Scan(&its); err == nil {
			if its != socket {
				return fmt.Errorf("another server listens at port %d", s.port)
			}
			return nil
		}
		select {
		case <-s.ended:
			return fmt.Errorf("the server ended at once:\n%s", s.logged())
		case <-time.After(5 * time.Millisecond):
		}
		if time.Since(began) > time.Minute {
			return fmt.Errorf("the server does not answer: %w:\n%s", err, s.logged())
		}
	}
}

// spawn starts the server. It writes to the file log.
func (s *server) spawn(path string, arguments ...string) error {
	cmd, err := command(path, arguments...)
	if err != nil {
		return err
	}
	log, err := os.OpenFile(filepath.Join(s.folder, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return err
	}
	s.cmd, s.ended = cmd, make(chan struct{})
	go func() {
		_ = cmd.Wait() // it is ended by a signal
		close(s.ended)
	}()
	return nil
}

// url is the URL of the server, without a database.
func (s *server) url() string { return fmt.Sprintf("mysql://root@127.0.0.1:%d", s.port) }

// stop ends the server, if it runs, and waits for that.
func (s *server) stop() {
	if s.cmd != nil {
		_ = s.cmd.Process.Kill() // it may have ended
		<-s.ended
	}
}

// remove ends the server and removes its files.
func (s *server) remove() {
	s.stop()
	_ = os.RemoveAll(s.folder) // a temporary folder
}

// logged is the end of the server's log.
func (s *server) logged() string {
	text, err := os.ReadFile(filepath.Join(s.folder, "log"))
	if err != nil {
		return err.Error()
	}
	const most = 8 << 10
	return strings.TrimSpace(string(text[max(0, len(text)-most):]))
}

// program finds one of MariaDB's programs.
func program(name string) (string, error) {
	// Not every PATH has the folder where Debian has the server.
	for _, path := range []string{name, "/usr/sbin/" + name} {
		if path, err := exec.LookPath(path); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("%s: %w", name, errMissing)
}

// servant is the user whose the server is: it refuses to run as root.
func servant() (*daemon.Servant, error) {
	who, err := daemon.Find("mysql")
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errMissing, err)
	}
	return who, nil
}

// ownFolder makes a temporary folder of the server's user.
func ownFolder() (string, error) {
	who, err := servant()
	if err != nil {
		return "", err
	}
	return who.Folder("mariadb")
}

// command is a program that runs as the server's user and ends with this
// process, however that ends. mariadb-install-db is not told that user with
// --user: it would give it files of the machine's.
func command(path string, arguments ...string) (*exec.Cmd, error) {
	who, err := servant()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(path, arguments...)
	cmd.Dir = "/"
	// The programs take settings from variables too, such as MYSQL_TCP_PORT.
	cmd.Env = slices.DeleteFunc(os.Environ(), func(variable string) bool {
		return strings.HasPrefix(variable, "MYSQL") || strings.HasPrefix(variable, "MARIADB")
	})
	cmd.SysProcAttr = who.Attributes(syscall.SIGKILL)
	return cmd, nil
}

// freePort returns a port of loopback that nobody listens at.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close()
}
