//go:build linux

package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/authcompat/authcompat/cmd/bench/process"
)

// The bounds of an import.
const (
	mostImport = 4   // times as long as the plain copy
	mostAgain  = 0.5 // of the first run, where nothing has changed
)

// movingUsers is how many users the source of an import has, each with one token.
const movingUsers = 200_000

// destination is a kind of database that is imported into.
type destination struct {
	name, what string
	// fresh makes a database of that name with nothing in it.
	fresh  func(ctx context.Context, name string) (dsn string, err error)
	remove func(ctx context.Context, name string) error
	// settle has everything written that earlier turns left to be written, so that
	// it does not fall on the next.
	settle func(ctx context.Context) error
}

// movings measures an import from Django into both kinds of store.
func movings(ctx context.Context, b *bench) error {
	users := movingUsers
	if b.quick {
		users /= 10
	}
	big, err := b.djangoSource(ctx, users)
	if err != nil {
		return err
	}
	small, err := b.djangoSource(ctx, users/10)
	if err != nil {
		return err
	}
	return errors.Join(movingSQLite(ctx, b, small, big), movingPostgres(ctx, b, small, big))
}

func movingSQLite(ctx context.Context, b *bench, small, big djangoSource) (err error) {
	folder, err := os.MkdirTemp(b.folder, "moving-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	path := func(name string) string { return filepath.Join(folder, name) }
	return b.moving(ctx, small, big, destination{
		name: "sqlite", what: "SQLite",
		fresh: func(_ context.Context, name string) (string, error) { return "sqlite:" + path(name), nil },
		remove: func(_ context.Context, name string) error {
			for _, file := range []string{path(name) + "-wal", path(name) + "-shm"} {
				_ = os.Remove(file) // there may be none
			}
			return os.Remove(path(name))
		},
		settle: func(context.Context) error { unix.Sync(); return nil },
	})
}

func movingPostgres(ctx context.Context, b *bench, small, big djangoSource) (err error) {
	server, err := startPostgres(ctx)
	if errors.Is(err, errNoPostgres) {
		b.note("import into PostgreSQL", "not measured: it is not installed")
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.remove()) }()
	db, err := sql.Open("postgres", server.dsn())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	run := func(ctx context.Context, statement string) error {
		_, err := db.ExecContext(ctx, statement)
		return err
	}
	return b.moving(ctx, small, big, destination{
		name: "postgres", what: "PostgreSQL",
		fresh: func(ctx context.Context, name string) (string, error) {
			return server.database(name), run(ctx, `CREATE DATABASE `+name)
		},
		remove: func(ctx context.Context, name string) error { return run(ctx, `DROP DATABASE `+name) },
		settle: func(ctx context.Context) error {
			err := run(ctx, `CHECKPOINT`)
			unix.Sync()
			return err
		},
	})
}

// moved is what a process of this program says about an import or a copy.
type moved struct {
	Took time.Duration
	Peak float64 // of its resident memory in MB
}

// movedRound is what the sides did in one round.
type movedRound struct{ first, again, plain moved }

// moving measures imports into one kind of database, beside plain copies.
func (b *bench) moving(ctx context.Context, small, big djangoSource, to destination) error {
	// Not measured but for its memory: the source gets into the kernel's.
	warm, err := b.movingRound(ctx, small, to, 0)
	if err != nil {
		return err
	}
	rounds := make([]movedRound, b.rounds)
	for i := range rounds {
		if rounds[i], err = b.movingRound(ctx, big, to, i); err != nil {
			return err
		}
		for _, one := range []struct {
			name string
			moved
		}{{"import", rounds[i].first}, {"again", rounds[i].again}, {"copy", rounds[i].plain}} {
			rows := 2 * big.users
			line(fmt.Sprintf("Moving/store=%s/%s", to.name, one.name), rows,
				unit{float64(one.Took.Nanoseconds()) / float64(rows), "ns/op"}, unit{one.Peak * 1e6, "peak-rss-B"})
		}
	}
	each := func(figure func(movedRound) float64) []float64 {
		all := make([]float64, len(rounds))
		for i, r := range rounds {
			all[i] = figure(r)
		}
		return all
	}
	b.atMost(fmt.Sprintf("import of %d users and tokens into %s, time beside a plain copy", big.users, to.what),
		each(func(r movedRound) float64 { return r.first.Took.Seconds() / r.plain.Took.Seconds() }), mostImport)
	b.note("  import, s", spread(each(func(r movedRound) float64 { return r.first.Took.Seconds() }), "%.2f"))
	b.note("  plain copy, s", spread(each(func(r movedRound) float64 { return r.plain.Took.Seconds() }), "%.2f"))
	b.atMost(fmt.Sprintf("second import into %s with nothing changed, time beside the first", to.what),
		each(func(r movedRound) float64 { return r.again.Took.Seconds() / r.first.Took.Seconds() }), mostAgain)
	b.note("  second import, s", spread(each(func(r movedRound) float64 { return r.again.Took.Seconds() }), "%.2f"))
	b.note(fmt.Sprintf("  most memory of an import of %d, MB", small.users), fmt.Sprintf("%.1f", max(warm.first.Peak, warm.again.Peak)))
	b.note(fmt.Sprintf("  most memory of an import of %d, MB", big.users),
		spread(each(func(r movedRound) float64 { return max(r.first.Peak, r.again.Peak) }), "%.1f"))
	return nil
}

// movingRound lets each side have its turn, in an order that changes from round to
// round; the second import always comes straight after the first.
func (b *bench) movingRound(ctx context.Context, from djangoSource, to destination, number int) (r movedRound, err error) {
	imports := func() error {
		return b.onFresh(ctx, to, "moving_import", func(dsn string) (err error) {
			if r.first, err = b.move(ctx, to, "import", from, dsn, "added"); err != nil {
				return err
			}
			r.again, err = b.move(ctx, to, "import", from, dsn, "unchanged")
			return err
		})
	}
	plain := func() error {
		return b.onFresh(ctx, to, "moving_copy", func(dsn string) (err error) {
			r.plain, err = b.move(ctx, to, "copy", from, dsn)
			return err
		})
	}
	if number%2 == 0 {
		err = imports()
	}
	if err == nil {
		err = plain()
	}
	if err == nil && number%2 != 0 {
		err = imports()
	}
	return r, err
}

// onFresh does something with a database that is there for it alone.
func (b *bench) onFresh(ctx context.Context, to destination, name string, do func(dsn string) error) (err error) {
	dsn, err := to.fresh(ctx, name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, to.remove(ctx, name)) }()
	return do(dsn)
}

// move runs an import or a copy in a process of its own, whose memory is that of
// nothing else.
func (b *bench) move(ctx context.Context, to destination, role string, from djangoSource, dsn string, more ...string) (m moved, err error) {
	if err := to.settle(ctx); err != nil {
		return m, err
	}
	said, err := process.Output(ctx, b.self, append([]string{role, from.path, fmt.Sprint(from.users), dsn}, more...)...)
	if err != nil {
		return m, err
	}
	return m, json.Unmarshal([]byte(said), &m)
}
