//go:build linux

package main

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/authcompat/authcompat/cmd/bench/process"
)

// leastTimes is how many times as many checks as genuine Django authcompat must
// answer.
const leastTimes = 60

// project is what the genuine server has beside conformance/reference/project.
//
//go:embed genuine
var project embed.FS

// python is Debian's interpreter. Another one that comes first in PATH does not
// see Debian's packages.
const python = "/usr/bin/python3"

// genuine measures the same check on Django, Django REST framework and a token
// model as django-rest-knox has it, served by gunicorn.
func genuine(ctx context.Context, b *bench) (err error) {
	const modules = "import django, rest_framework, djoser, gunicorn; print('Django %s, REST framework %s, gunicorn %s' % (django.__version__, rest_framework.VERSION, gunicorn.__version__))"
	versions, err := process.Output(ctx, python, "-c", modules)
	if err != nil {
		b.note("token check beside genuine Django", "not measured: apt-get install python3-django python3-djangorestframework python3-djoser gunicorn")
		return nil
	}
	folder := filepath.Join(b.folder, "genuine")
	if err := os.RemoveAll(folder); err != nil {
		return err
	}
	if err := extract(ctx, folder); err != nil {
		return err
	}
	dsn := "sqlite:" + filepath.Join(folder, "authcompat.db")
	if err := b.createUser(dsn, "alice", "--email", "alice@example.com"); err != nil {
		return err
	}
	server, err := b.serve(ctx, dsn, filepath.Join(folder, "genuine", "profile.yaml"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Stop()) }()
	original, err := gunicorn(ctx, folder)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, original.Stop()) }()
	return b.besideGenuine(ctx, strings.TrimSpace(versions), server, original)
}

// extract writes the genuine server's program: that of conformance/reference
// with the files of this package.
func extract(ctx context.Context, folder string) error {
	root, err := process.Output(ctx, "go", "list", "-m", "-f", "{{.Dir}}")
	if err != nil {
		return err
	}
	if err := os.CopyFS(folder, os.DirFS(filepath.Join(strings.TrimSpace(root), "conformance", "reference", "project"))); err != nil {
		return err
	}
	return os.CopyFS(folder, project)
}

// gunicorn starts the genuine server: as many workers as gunicorn's
// documentation recommends, of the kind that keeps connections open, because the
// client does.
func gunicorn(ctx context.Context, folder string) (*process.Server, error) {
	address, err := process.FreeAddress()
	if err != nil {
		return nil, err
	}
	workers := 2*runtime.NumCPU() + 1
	command := exec.Command(python, "-m", "gunicorn", "--preload", "--workers", fmt.Sprint(workers),
		"--worker-class", "gthread", "--threads", "4", "--keep-alive", "60", "--bind", address, "wsgi:application")
	command.Dir = folder
	command.Env = append(os.Environ(),
		"REFERENCE_API=ocd-users", "REFERENCE_SMTP_PORT=", "REFERENCE_DATABASE="+filepath.Join(folder, "genuine.sqlite3"),
		"DJANGO_SETTINGS_MODULE=measured", "PYTHONPATH="+filepath.Join(folder, "genuine"))
	p, err := process.Start(address, command)
	if err != nil {
		return nil, err
	}
	if err := p.Listening(ctx); err != nil {
		return nil, errors.Join(err, p.Stop())
	}
	user := fmt.Sprintf(`{"username": "alice", "password": %q, "email": "alice@example.com", "active": true, "staff": false}`, password)
	raw, err := exchange(address, post(address, "/-reference-/user", "", user))
	if err == nil && status(raw) != "200" {
		err = fmt.Errorf("create user: status %s", status(raw))
	}
	if err != nil {
		return nil, errors.Join(err, p.Stop())
	}
	return p, nil
}

// besideGenuine compares the two under the same client.
func (b *bench) besideGenuine(ctx context.Context, versions string, server, original *process.Server) error {
	sides := []side{{name: "server=authcompat", server: server}, {name: "server=django", server: original}}
	for i, s := range sides {
		token, err := login(s.server.Address, "/api/login/", "token", "alice")
		if err != nil {
			return err
		}
		request := get(s.server.Address, "/api/account/alice/", token)
		if sides[i].client, err = connect(s.server.Address, b.connections, func(int) []byte { return request }); err != nil {
			return err
		}
	}
	// Django answers so few requests that short turns would count none.
	turn := max(b.turn(), 300*time.Millisecond)
	rounds, err := b.compare(ctx, "Genuine", turn, sides...)
	if err != nil {
		return err
	}
	memory, err := original.Memory("Pss")
	if err != nil {
		return err
	}
	b.atLeast("token check beside genuine Django, times as many", ratios(rounds, sample.rate, 0, 1), leastTimes)
	b.note("  "+versions+": requests a second", spread(figures(rounds, sample.rate, 1), "%.0f"))
	b.note("  its processor time for a check, µs", spread(figures(rounds, sample.cost, 1), "%.0f"))
	b.note("  its memory, MB", fmt.Sprintf("%.0f", memory))
	return nil
}
