// Package reference runs reference servers of the old APIs: a small Django project with Debian's
// Django 3.2, Django REST framework 3.14 and djoser 2.1, served by gunicorn on loopback. Exchange
// files and other servers are compared with them.
//
// Debian has no package of django-rest-knox; the project's app tokens stands in for it, with the
// token model and the header rules that knox 4.2 documents. Everything else of those APIs (views,
// serializers, negotiation, rendering, texts) comes from the REST framework. Where the genuine knox
// lies in a folder (see Peers), the APIs that are knox's own are its own.
package reference

import (
	"bufio"
	"context"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

//go:embed project/*.py project/apis/*.py project/templated_mail/*.py project/tokens/*.py
var project embed.FS

// APIs returns the names of the APIs, those of profiles, that a reference server can speak with
// Debian's packages alone.
func APIs() []string {
	return []string{"ocd-users", "knox-auth", "form-auth", "djoser", "drf-authtoken"}
}

// Peers is the environment variable that names the folder with the sources of packages that Debian
// does not have, as conformance/peers/README.md lays it out.
const Peers = "PEERS"

// source is a package that Debian does not have.
type source struct{ name, folder, file string } // the folder under that of Peers, and a file there

// sources returns the packages that an API needs besides Debian's.
func sources(api string) []source {
	knox := func(folder string) []source { return []source{{"django-rest-knox", folder, "knox/views.py"}} }
	return map[string][]source{
		"knox": knox("src/knox"), "knox-5": knox("src/knox5"),
		"dj-rest-auth": {{"dj-rest-auth", "src/djra5", "dj_rest_auth/views.py"}, {"django-allauth", "lib", "allauth/account/models.py"}},
	}[api]
}

// Packages returns the folders with the packages that the API needs besides Debian's; none if it needs
// none. The error says what to do if one is not there.
func Packages(api string) (folders []string, err error) {
	for _, s := range sources(api) {
		wanted := fmt.Sprintf("Debian has no package of %s: %s=FOLDER, with its sources in FOLDER/%s (conformance/peers/README.md)", s.name, Peers, s.folder)
		if os.Getenv(Peers) == "" {
			return nil, errors.New(wanted)
		}
		folder, err := filepath.Abs(filepath.Join(os.Getenv(Peers), s.folder))
		if err == nil {
			_, err = os.Stat(filepath.Join(folder, s.file))
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", wanted, err)
		}
		folders = append(folders, folder)
	}
	return folders, nil
}

// DebianPackages are the Debian packages that reference servers need.
func DebianPackages() []string {
	return []string{"python3-django", "python3-djangorestframework", "python3-djoser", "gunicorn"}
}

// python is Debian's interpreter. Another one, even if it comes first in PATH, does not have the
// packages.
const python = "/usr/bin/python3"

// Versions returns the versions that reference servers run, as in "Django 3.2.25, Django REST framework
// 3.14.0, …". The error says which packages to install if they are missing.
func Versions(ctx context.Context) (string, error) {
	const code = `import sys, django, djoser, gunicorn, rest_framework
from importlib.metadata import version
print("Python %d.%d.%d, Django %s, Django REST framework %s, djoser %s, gunicorn %s" % (
    *sys.version_info[:3], django.__version__, rest_framework.VERSION, version("djoser"), gunicorn.__version__))`
	out, err := exec.CommandContext(ctx, python, "-c", code).Output()
	if err != nil {
		return "", fmt.Errorf("packages are missing: apt-get install -y %s: %w", strings.Join(DebianPackages(), " "), err)
	}
	return strings.TrimSpace(string(out)), nil
}

// A Server is a running reference server with a database of its own. Of one that its Command has started, the
// URL is enough to make users; the command stops it, not Close.
type Server struct {
	URL string // http://127.0.0.1:PORT

	command *exec.Cmd
	logged  chan struct{} // closed when all of its output is in the log
}

// stopTimeout is how long a server may take to stop before it is killed.
const stopTimeout = 5 * time.Second

// Start starts the reference server of an API and returns when it is ready. Its program and its
// database are written to the folder, which has to be empty. The server runs until Close or the end of
// the context.
func Start(ctx context.Context, api, folder string) (*Server, error) {
	return StartWithMails(ctx, api, folder, 0)
}

// StartWithMails is Start for a server whose mails go to an SMTP server on loopback, at a port; 0: they are
// dropped. It answers a request when it has sent the mails that the request asks for.
func StartWithMails(ctx context.Context, api, folder string, port int) (*Server, error) {
	// One worker handles one request at a time, so that a response depends only on the requests
	// before. With --preload the server is ready when it logs its address.
	command, err := Command(ctx, api, folder, port, "--preload", "--workers", "1", "--bind", "127.0.0.1:0", "--timeout", "120")
	if err != nil {
		return nil, err
	}
	said, err := command.StderrPipe()
	if err != nil {
		return nil, err
	}
	log, err := os.Create(filepath.Join(folder, LogFile))
	if err != nil {
		return nil, err
	}
	if err := command.Start(); err != nil {
		return nil, errors.Join(err, log.Close())
	}
	s := &Server{command: command, logged: make(chan struct{})}
	if s.URL, err = address(said); err != nil {
		err = fmt.Errorf("reference server %s did not start: %w", api, err)
	}
	go func() {
		defer close(s.logged)
		defer log.Close()
		_, _ = io.Copy(log, said) // the server works without its log
	}()
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func smtpPort(port int) string {
	if port == 0 {
		return ""
	}
	return strconv.Itoa(port)
}

// Command writes the program of the reference server of an API to the folder, which has none yet, and returns
// the command that serves it, with the arguments for gunicorn: Start is for those who need no others. Mails go to port, as
// StartWithMails has it. The end of the context stops the command, as SIGTERM does.
func Command(ctx context.Context, api, folder string, port int, arguments ...string) (*exec.Cmd, error) {
	besides, err := Packages(api)
	if err != nil {
		return nil, err
	}
	if err := extract(folder); err != nil {
		return nil, fmt.Errorf("write the project: %w", err)
	}
	command := exec.CommandContext(ctx, python, slices.Concat([]string{"-m", "gunicorn"}, arguments, []string{"wsgi:application"})...)
	command.Dir = folder
	command.Env = append(os.Environ(),
		"REFERENCE_API="+api, "REFERENCE_DATABASE="+filepath.Join(folder, "db.sqlite3"), "REFERENCE_PACKAGE="+strings.Join(besides, string(os.PathListSeparator)), "REFERENCE_SMTP_PORT="+smtpPort(port),
		// The REST framework iterates over sets of strings, in an order that depends on the seed.
		"PYTHONHASHSEED=0", "PYTHONDONTWRITEBYTECODE=1")
	command.Cancel = func() error { return command.Process.Signal(syscall.SIGTERM) }
	command.WaitDelay = stopTimeout
	return command, nil
}

// LogFile is the name of the log in the folder of a server. It has the traces of crashes.
const LogFile = "server.log"

// extract writes the project's files.
func extract(folder string) error {
	files, err := fs.Sub(project, "project")
	if err != nil {
		return err
	}
	return os.CopyFS(folder, files)
}

// address reads gunicorn's log up to the line with the address that it listens at.
func address(log io.Reader) (string, error) {
	pattern := regexp.MustCompile(`Listening at: (http://127\.0\.0\.1:[0-9]+) `)
	var lines []string
	for scanner := bufio.NewScanner(log); scanner.Scan(); {
		if m := pattern.FindStringSubmatch(scanner.Text()); m != nil {
			return m[1], nil
		}
		lines = append(lines, scanner.Text())
	}
	return "", fmt.Errorf("its log: %s", strings.Join(lines, "\n"))
}

// Close stops the server.
func (s *Server) Close() error {
	if err := s.command.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	<-s.logged
	var exit *exec.ExitError
	if err := s.command.Wait(); err != nil && !errors.As(err, &exit) {
		return err
	}
	return nil
}
