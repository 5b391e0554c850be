package server

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// setClock is a database's clock that somebody sets.
type setClock struct {
	mu    sync.Mutex
	ahead time.Duration
}

func (c *setClock) set(ahead time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead = ahead
}

func (c *setClock) DatabaseTime(context.Context) (time.Time, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.ahead).Round(0), nil
}

// TestCollectionWhileTheClockIsAhead checks that nothing is deleted because a clock was
// set forward, and that the collection goes on when it is right again.
func TestCollectionWhileTheClockIsAhead(t *testing.T) {
	t.Chdir(t.TempDir())
	synctest.Test(t, func(t *testing.T) {
		writeSettings(t, "expired_token_retention: 3d\naudit_retention: 3d\n")
		s := unheard(t)
		var log bytes.Buffer
		s.log = slog.New(slog.NewTextHandler(&log, nil))
		clock := new(setClock)
		s.engine.Backend.DatabaseClock = clock
		s.age(t, time.Now().Add(-48*time.Hour))
		ctx, cancel := context.WithCancel(t.Context())
		var collecting sync.WaitGroup
		collecting.Go(func() { s.collectGarbage(ctx) })
		synctest.Wait()
		expect := func(when string, tokens, entries int) {
			t.Helper()
			time.Sleep(2 * collectInterval)
			synctest.Wait()
			if gotTokens, gotEntries := s.left(t); gotTokens != tokens || gotEntries != entries {
				t.Errorf("%s: %d tokens and %d entries are left, want %d and %d", when, gotTokens, gotEntries, tokens, entries)
			}
		}
		clock.set(365 * 24 * time.Hour)
		expect("a year ahead", 1, 1)
		clock.set(0)
		expect("set back", 1, 1)
		time.Sleep(24 * time.Hour)
		expect("a day later", 0, 0)
		cancel()
		collecting.Wait()
		if n := strings.Count(log.String(), "set forward"); n != 1 || !strings.Contains(log.String(), "set back") {
			t.Errorf("the log says %d times that the clock is ahead:\n%s", n, &log)
		}
		if err := s.engine.Close(); err != nil {
			t.Error(err)
		}
	})
}
