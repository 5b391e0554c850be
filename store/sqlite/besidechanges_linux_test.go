package sqlite

import (
	"context"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/authcompat/authcompat/core"
)

// ofThread returns the processor time that this thread has taken.
func ofThread(b *testing.B) time.Duration {
	var usage unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_THREAD, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// BenchmarkCheckBesideChanges measures look-ups of any of 100 000 tokens while 500 others are logged out a second, and while as
// many as these are extended each minute, by a store that forgets single tokens beside one that forgets all at each change. They
// take turns of a fifth of a second; an operation is a turn of each. Times are of the processor, of the thread that looks up.
func BenchmarkCheckBesideChanges(b *testing.B) {
	const tokens, perUser, turn = 100_000, 10, 200 * time.Millisecond
	path := filepath.Join(b.TempDir(), "x.db")
	open := func() *Store {
		s, err := Open(b.Context(), path, Options{Unsynced: true})
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { s.Close() })
		return s
	}
	single, all, other := open(), open(), open()
	if single.cache.Index() == nil {
		b.Skip("the system has no index")
	}
	all.cache.DropAll = true
	presented := func(i int) core.Presented { return core.Presented(fmt.Sprint("token ", i)) }
	add := func(from, to int) {
		tx := other.writer.MustBegin()
		for i := from; i < to; i++ {
			user, digest := i/perUser+1, sha256.Sum256([]byte(presented(i)))
			if i%perUser == 0 {
				tx.MustExec(`INSERT INTO users (id, username, email, password_hash, active, created_at) VALUES (?1, 'user' || ?1, 'user' || ?1 || '@example.com', '!', 1, 1)`, user)
			}
			tx.MustExec(`INSERT INTO tokens (digest, user_id, realm, issuer, created_at, expires_at, sliding, reusable, seal_key) VALUES (?, ?, ?, 'x', 1, ?, 1, 0, '')`, digest[:], user, core.DefaultRealm, time.Now().Add(time.Hour).UnixMicro())
		}
		if err := tx.Commit(); err != nil {
			b.Fatal(err)
		}
	}
	add(0, tokens)
	find := func(s *Store, i int) {
		if _, _, err := s.FindToken(b.Context(), core.DefaultRealm, presented(i)); err != nil {
			b.Fatal(err)
		}
	}
	// compare has look-ups go on while the other store makes changes at such an interval.
	compare := func(b *testing.B, every time.Duration, change func(i int) error) {
		for _, s := range []*Store{single, all} {
			for i := range 2 * tokens { // the first of them are packed the second time
				find(s, i%tokens)
			}
		}
		changing, stop := context.WithCancel(b.Context())
		var group sync.WaitGroup
		group.Go(func() {
			ticker := time.NewTicker(every)
			defer ticker.Stop()
			for i := 0; ; i++ {
				select {
				case <-changing.Done():
					return
				case <-ticker.C:
				}
				if err := change(i); err != nil {
					b.Error(err)
					return
				}
			}
		})
		random := rand.New(rand.NewPCG(1, 1))
		var done [2]int
		var took [2]time.Duration
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		for b.Loop() {
			for side, s := range []*Store{single, all} {
				took[side] -= ofThread(b)
				for began := time.Now(); time.Since(began) < turn; {
					for range 20 {
						find(s, random.IntN(tokens))
					}
					done[side] += 20
				}
				took[side] += ofThread(b)
			}
		}
		stop()
		group.Wait()
		cost := func(side int) float64 { return float64(took[side].Nanoseconds()) / float64(done[side]) }
		b.ReportMetric(cost(0), "ns/check")
		b.ReportMetric(cost(1), "ns/check-forgetting-all")
		b.ReportMetric(cost(1)/cost(0), "times-as-long")
	}
	b.Run("logouts", func(b *testing.B) {
		add(tokens, tokens+30_000)
		compare(b, time.Second/500, func(i int) error {
			return other.DeleteToken(b.Context(), core.Presented(presented(tokens+i)).SHA256(), nil)
		})
		other.writer.MustExec(`DELETE FROM tokens WHERE user_id > ?; DELETE FROM users WHERE id > ?`, tokens/perUser, tokens/perUser)
	})
	b.Run("extended", func(b *testing.B) {
		const batch = 512 // as the server writes them
		now := time.Now()
		compare(b, time.Minute*batch/tokens, func(i int) error {
			updates := make([]core.ExpiryUpdate, batch)
			for j := range updates {
				updates[j] = core.ExpiryUpdate{Digest: presented((i*batch + j) % tokens).SHA256(), To: now.Add(time.Duration(i+2) * time.Hour)}
			}
			return other.ExtendExpiries(b.Context(), updates, now)
		})
	})
}
