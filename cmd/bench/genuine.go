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
	"time"

	"github.com/authcompat/authcompat/cmd/bench/process"
	"github.com/authcompat/authcompat/conformance"
	"github.com/authcompat/authcompat/conformance/reference"
)

// leastTimes is how many times as many checks as genuine Django authcompat must
// answer.
const leastTimes = 60

// project is what the genuine server has beside conformance/reference/project.
//
//go:embed genuine
var project embed.FS

// genuine measures the same check on Django, Django REST framework and a token
// model as django-rest-knox has it, served by gunicorn.
func genuine(ctx context.Context, b *bench) (err error) {
	versions, err := reference.Versions(ctx)
	if err != nil {
		b.note("token check beside genuine Django", "not measured: "+err.Error())
		return nil
	}
	folder := filepath.Join(b.folder, "genuine")
	if err := os.RemoveAll(folder); err != nil {
		return err
	}
	address, err := process.FreeAddress()
	if err != nil {
		return err
	}
	command, err := gunicorn(ctx, folder, address)
	if err != nil {
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
	original, err := process.Start(address, command)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, original.Stop()) }()
	if err := original.Listening(ctx); err != nil {
		return err
	}
	there := reference.Server{URL: "http://" + address}
	if err := there.CreateUser(ctx, conformance.User{Username: "alice", Password: password, Email: "alice@example.com"}); err != nil {
		return err
	}
	return b.besideGenuine(ctx, versions, server, original)
}

// gunicorn writes the genuine server's program, that of conformance/reference with the files of this package, and
// returns what serves it: as many workers as gunicorn's documentation recommends, of the kind that keeps connections
// open, because the client does.
func gunicorn(ctx context.Context, folder, address string) (*exec.Cmd, error) {
	workers := 2*runtime.NumCPU() + 1
	command, err := reference.Command(ctx, "ocd-users", folder, 0, "--preload", "--workers", fmt.Sprint(workers),
		"--worker-class", "gthread", "--threads", "4", "--keep-alive", "60", "--bind", address)
	if err != nil {
		return nil, err
	}
	command.Env = append(command.Env, "DJANGO_SETTINGS_MODULE=measured", "PYTHONPATH="+filepath.Join(folder, "genuine"))
	return command, os.CopyFS(folder, project)
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
