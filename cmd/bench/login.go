//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"

	encoded "github.com/authcompat/authcompat/core/password"
)

// loginShare is how much of the hash-bound limit logins must reach.
const loginShare = 0.95

// logins measures logins with the default number of iterations, beside the bare
// hash on as many threads as the server hashes with: one processor less than
// there are.
func logins(ctx context.Context, b *bench) (err error) {
	threads := max(1, runtime.GOMAXPROCS(0)-1)
	dsn := "sqlite:" + filepath.Join(b.folder, "login.db")
	if _, err := os.Stat(filepath.Join(b.folder, "login.db")); err != nil {
		if err := b.createUser(dsn, "alice"); err != nil {
			return err
		}
	}
	server, err := b.serve(ctx, dsn, loginProfile)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Stop()) }()
	// Enough clients that one is always waiting for its turn.
	c, err := connect(server.Address, 4*threads, func(int) []byte {
		return post(server.Address, loginProfilePath, "", loginBody("alice"))
	})
	if err != nil {
		return err
	}
	defer c.close()
	hashes, err := b.hashes(threads, encoded.DefaultIterations)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, hashes.stop()) }()

	turn := time.Second
	if b.quick {
		turn /= 2
	}
	var shares, logins, bare []float64
	for range b.rounds {
		rate, err := logInFor(ctx, c, turn, hashes)
		if err != nil {
			return err
		}
		line(fmt.Sprintf("Login/threads=%d/server=authcompat", threads), 1, unit{1e9 / rate.logins, "ns/op"}, unit{rate.logins, "req/s"})
		line(fmt.Sprintf("Login/threads=%d/server=hash", threads), 1, unit{1e9 / rate.hashes, "ns/op"}, unit{rate.hashes, "req/s"})
		shares, logins, bare = append(shares, rate.logins/rate.hashes), append(logins, rate.logins), append(bare, rate.hashes)
	}
	b.atLeast(fmt.Sprintf("logins beside bare hashes, %d thread(s) of %d iterations", threads, encoded.DefaultIterations), shares, loginShare)
	b.note("  logins a second", spread(logins, "%.2f"))
	b.note("  bare hashes a second", spread(bare, "%.2f"))
	return nil
}

// The API whose logins are measured: each gives a new token.
const (
	loginProfile     = "knox-auth"
	loginProfilePath = "/auth/login/"
)

// rates are what one round of logins came to.
type rates struct{ logins, hashes float64 }

// loginTurns is how often each side has its turn in a round. They are many and
// short because the processors of a shared machine become slower and faster by a
// tenth and more within seconds.
const loginTurns = 8

// logInFor lets logins and hashes take turns.
func logInFor(ctx context.Context, c *client, turn time.Duration, h *hasher) (sum rates, err error) {
	for range loginTurns {
		t, err := c.run(ctx, turn)
		if err != nil {
			return sum, err
		}
		if t.failed > 0 {
			return sum, fmt.Errorf("%d of %d logins failed", t.failed, t.failed+t.done)
		}
		sum.logins += float64(t.done) / t.elapsed.Seconds() / loginTurns
		rate, err := h.run(turn)
		if err != nil {
			return sum, err
		}
		sum.hashes += rate / loginTurns
	}
	return sum, nil
}
