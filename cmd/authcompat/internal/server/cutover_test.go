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

	"github.com/authcompat/authcompat/cmd/authcompat/internal/config"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/config/frontconfig"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/engine"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/metrics"
	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/cutover"
)

// memoryCutover is a core.CutoverStore in memory.
type memoryCutover struct {
	mu    sync.Mutex
	state cutover.State
	err   error
	hangs bool
	reads int
}

func (m *memoryCutover) CutoverState(ctx context.Context) (cutover.State, error) {
	m.mu.Lock()
	hangs := m.hangs
	m.reads++
	m.mu.Unlock()
	if hangs {
		<-ctx.Done()
		return cutover.State{}, ctx.Err()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.state, m.err
}

func (m *memoryCutover) SetCutover(_ context.Context, previous int64, s cutover.State, _ *core.AuditEntry) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil {
		return m.err
	}
	if m.state.Version != previous {
		return core.ErrConflict
	}
	if previous == 0 {
		s.Key = []byte("drawn once")
	}
	s.Version = previous + 1
	m.state = s
	return nil
}

// set replaces rules, as an operator does.
func (m *memoryCutover) set(rules ...cutover.Rule) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.state.Set(rules...)
	m.state.Version++
}

func (m *memoryCutover) fail(err error, hangs bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.err, m.hangs = err, hangs
}

// taken returns how often the state was read since the last call.
func (m *memoryCutover) taken() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := m.reads
	m.reads = 0
	return n
}

// lockedLog is a log that is read while it is written.
type lockedLog struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lockedLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

// count returns how many lines have a text.
func (l *lockedLog) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.buf.String(), text)
}

// switching returns profiles that switch endpoints.
func switching(endpoints ...string) []config.BoundProfile {
	return []config.BoundProfile{{}, {Front: &frontconfig.Front{Switch: endpoints}}}
}

// TestFollowCutover reads the state four times a second while something is switched, and goes by
// the last one while the store is away.
func TestFollowCutover(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, log := &memoryCutover{}, &lockedLog{}
		s := &server{
			log: slog.New(slog.NewTextHandler(log, nil)), metrics: metrics.New(nil), switches: newSwitchboard(),
			engine: &engine.Engine{Backend: core.Backend{Cutover: store}, Service: core.New(core.Config{Backend: core.Backend{Cutover: store}})},
		}
		if err := s.declareSwitched(t.Context(), switching()); err != nil {
			t.Fatal(err)
		}
		s.setSwitched(switching())
		ctx, cancel := context.WithCancel(t.Context())
		var following sync.WaitGroup
		following.Go(func() { s.followCutover(ctx) })
		wait := func(d time.Duration) {
			time.Sleep(d) // in fake time
			synctest.Wait()
		}
		wait(time.Minute)
		if n := store.taken(); n != 0 {
			t.Errorf("%d reads for nothing", n)
		}

		all := switching("login", "/a/", "login")
		if err := s.declareSwitched(t.Context(), all); err != nil {
			t.Fatal(err)
		}
		s.setSwitched(all)
		if got := s.switches.state.Load(); got.Version != 1 || len(got.Rules) != 2 || len(got.Key) == 0 {
			t.Errorf("declared: %+v", got)
		}
		store.taken()
		wait(time.Second)
		if n := store.taken(); n != 4 {
			t.Errorf("%d reads in a second", n)
		}
		if err := s.declareSwitched(t.Context(), all); err != nil || s.switches.state.Load().Version != 1 {
			t.Errorf("declared again: %+v, %v", s.switches.state.Load(), err)
		}
		store.set(cutover.Rule{Endpoint: "login", Share: cutover.All})
		wait(cutoverInterval)
		if got := s.switches.state.Load(); got.Version != 2 || got.Rule("login").Share != cutover.All {
			t.Errorf("after a change: %+v", got)
		}
		wait(time.Second)
		if n := log.count("another state of the cutover is in effect"); n != 2 {
			t.Errorf("two states, and %d lines in the log", n)
		}

		for _, hangs := range []bool{false, true} {
			was := log.count("can't be read")
			store.fail(core.ErrUnavailable, hangs)
			store.set(cutover.Rule{Endpoint: "login"})
			before := s.switches.state.Load()
			wait(10 * time.Second)
			if s.switches.state.Load() != before {
				t.Errorf("hangs %t: the state has changed", hangs)
			}
			if n := log.count("can't be read") - was; n != 1 {
				t.Errorf("hangs %t: %d warnings", hangs, n)
			}
			if err := s.declareSwitched(t.Context(), switching("login", "logout")); err == nil {
				t.Errorf("hangs %t: endpoints are declared without a store", hangs)
			}
			if err := s.declareSwitched(t.Context(), all); err != nil {
				t.Errorf("hangs %t: nothing new is to be declared: %v", hangs, err)
			}
			back := log.count("can be read again")
			store.fail(nil, false)
			wait(2 * time.Second)
			if n := log.count("can be read again") - back; n != 1 || s.switches.state.Load().Version != before.Version+1 {
				t.Errorf("hangs %t: %d lines that it is back, %+v", hangs, n, s.switches.state.Load())
			}
		}

		s.setSwitched(switching())
		wait(time.Second)
		store.taken()
		wait(time.Minute)
		if n := store.taken(); n != 0 {
			t.Errorf("%d reads for nothing, after a reload", n)
		}
		s.setSwitched(all)
		wait(time.Second)
		if n := store.taken(); n == 0 {
			t.Error("no read, after another reload")
		}
		cancel()
		following.Wait()

		s.engine.Backend.Cutover = nil
		if err := s.declareSwitched(t.Context(), switching("login", "logout")); err == nil {
			t.Error("a store without a state of the cutover")
		}
	})
}
