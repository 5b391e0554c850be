package main

import (
	"context"
	"crypto/pbkdf2"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"time"

	encoded "github.com/authcompat/authcompat/core/password"
)

// loginShare is how much of the hash-bound limit logins must reach.
const loginShare = 0.95

// hashRole answers each line of its input by hashing for so many milliseconds on
// so many threads, and says how many hashes a second that came to.
func hashRole(arguments []string) error {
	threads, err := strconv.Atoi(arguments[0])
	if err != nil {
		return err
	}
	iterations, err := strconv.Atoi(arguments[1])
	if err != nil {
		return err
	}
	for {
		var milliseconds int
		if _, err := fmt.Fscan(os.Stdin, &milliseconds); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		fmt.Println(hashFor(time.Duration(milliseconds)*time.Millisecond, threads, iterations))
	}
}

// hashFor gives how many hashes a second so many threads compute. Each finishes
// the hash that it has begun when the time is over, and is measured by itself.
func hashFor(turn time.Duration, threads, iterations int) float64 {
	var (
		mu    sync.Mutex
		rate  float64
		group sync.WaitGroup
	)
	for range threads {
		group.Go(func() {
			began, done := time.Now(), 0
			for ; done == 0 || time.Since(began) < turn; done++ {
				// The lengths are good: there is no other error.
				_, _ = pbkdf2.Key(sha256.New, password, []byte("a salt of 22 letters.."), iterations, sha256.Size)
			}
			mu.Lock()
			defer mu.Unlock()
			rate += float64(done) / time.Since(began).Seconds()
		})
	}
	group.Wait()
	return rate
}

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
	defer func() { err = errors.Join(err, server.stop()) }()
	// Enough clients that one is always waiting for its turn.
	c, err := connect(server.address, 4*threads, http.StatusOK, func(int) []byte {
		return post(server.address, loginProfilePath, "", loginBody("alice"))
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

	turn := 4 * time.Second
	if b.quick {
		turn = time.Second
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

// loginTurns is how often each side has its turn in a round.
const loginTurns = 2

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

// hasher is a process that does nothing but hash.
type hasher struct {
	command *exec.Cmd
	orders  io.WriteCloser
	answers io.Reader
}

func (b *bench) hashes(threads, iterations int) (h *hasher, err error) {
	h = &hasher{command: exec.Command(b.self, "hash", strconv.Itoa(threads), strconv.Itoa(iterations))}
	if h.orders, err = h.command.StdinPipe(); err != nil {
		return nil, err
	}
	if h.answers, err = h.command.StdoutPipe(); err != nil {
		return nil, err
	}
	return h, h.command.Start()
}

// run lets it hash for a while.
func (h *hasher) run(turn time.Duration) (rate float64, err error) {
	if _, err := fmt.Fprintln(h.orders, turn.Milliseconds()); err != nil {
		return 0, err
	}
	_, err = fmt.Fscan(h.answers, &rate)
	return rate, err
}

// stop ends it.
func (h *hasher) stop() error { return errors.Join(h.orders.Close(), h.command.Wait()) }
