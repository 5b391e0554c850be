package callers

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// counted is a store that only counts, and may be away.
type counted struct {
	Store
	mu       sync.Mutex
	away     bool
	requests int64
}

func (c *counted) AddCalls(_ context.Context, _ string, calls []Calls) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.away {
		return errors.New("away")
	}
	for _, calls := range calls {
		c.requests += calls.Requests
	}
	return nil
}

type noSecrets struct{}

func (noSecrets) Secrets() []string { return nil }

// TestRun writes each minute, also after the store was away, of which the log tells once.
func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &counted{}
		var log bytes.Buffer
		c := New(store, nil, slog.New(slog.NewTextHandler(&log, nil)))
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { c.Run(ctx) })
		for minute, want := range []int64{1, 2, 2, 2, 5} {
			c.Count(Request{Profile: "p", Endpoint: "login", At: time.Now()}, noSecrets{})
			store.mu.Lock()
			store.away = minute == 2 || minute == 3
			store.mu.Unlock()
			time.Sleep(flushInterval) // in fake time
			synctest.Wait()
			store.mu.Lock()
			if store.requests != want {
				t.Errorf("minute %d: %d requests are written, want %d", minute, store.requests, want)
			}
			store.mu.Unlock()
		}
		cancel()
		running.Wait()
		if text := log.String(); strings.Count(text, "could not be written") != 1 || strings.Count(text, "written again") != 1 {
			t.Errorf("log: %s", text)
		}
	})
}
