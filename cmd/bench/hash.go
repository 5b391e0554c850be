//go:build linux

package main

import (
	"crypto/pbkdf2"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// hashRole answers each line of its input by hashing for so many milliseconds on
// so many threads, and says how many hashes a second that came to.
//
// Each time it leaves out another of the processors that it may use, if there are
// more than threads. By itself the kernel would leave it where it once was, while
// a server's threads, which come and go, get around: where the processors are not
// equally fast (of a shared machine they are not, for seconds or minutes) the two
// would be measured on different ones.
func hashRole(arguments []string) error {
	threads, err := strconv.Atoi(arguments[0])
	if err != nil {
		return err
	}
	iterations, err := strconv.Atoi(arguments[1])
	if err != nil {
		return err
	}
	usable, err := processors()
	if err != nil {
		return err
	}
	for turn := 0; ; turn++ {
		var milliseconds int
		if _, err := fmt.Fscan(os.Stdin, &milliseconds); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		var set unix.CPUSet
		for i, processor := range usable {
			if i != turn%len(usable) || len(usable) <= threads {
				set.Set(processor)
			}
		}
		rate, err := hashFor(time.Duration(milliseconds)*time.Millisecond, threads, iterations, &set)
		if err != nil {
			return err
		}
		fmt.Println(rate)
	}
}

// processors are those that this process may use.
func processors() (usable []int, err error) {
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		return nil, os.NewSyscallError("sched_getaffinity", err)
	}
	for i := 0; len(usable) < set.Count(); i++ {
		if set.IsSet(i) {
			usable = append(usable, i)
		}
	}
	return usable, nil
}

// hashFor gives how many hashes a second so many threads compute on a set of
// processors. Each finishes the hash that it has begun when the time is over, and
// is measured by itself.
func hashFor(turn time.Duration, threads, iterations int, set *unix.CPUSet) (rate float64, err error) {
	var (
		mu    sync.Mutex
		group sync.WaitGroup
	)
	for range threads {
		group.Go(func() {
			runtime.LockOSThread() // and not unlocked: the thread ends with its set
			refusal := os.NewSyscallError("sched_setaffinity", unix.SchedSetaffinity(0, set))
			began, done := time.Now(), 0
			for ; done == 0 || time.Since(began) < turn; done++ {
				// The lengths are good: there is no other error.
				_, _ = pbkdf2.Key(sha256.New, password, []byte("a salt of 22 letters.."), iterations, sha256.Size)
			}
			own := float64(done) / time.Since(began).Seconds()
			mu.Lock()
			defer mu.Unlock()
			rate += own
			err = errors.Join(err, refusal)
		})
	}
	group.Wait()
	return rate, err
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
	h.command.Stderr = os.Stderr
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
