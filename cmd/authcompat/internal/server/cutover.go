package server

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/config"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/wait"
	"github.com/authcompat/authcompat/core/cutover"
)

// The state of the cutover is read so often that all nodes act on a change within a second.
const (
	cutoverInterval = 250 * time.Millisecond
	cutoverTimeout  = time.Second // of a read
)

// switchboard has the state of the cutover in effect.
type switchboard struct {
	state   atomic.Pointer[cutover.State]
	reading sync.Mutex
	used    atomic.Bool   // something is switched
	woken   chan struct{} // by a reload after which something is
}

func newSwitchboard() *switchboard {
	b := &switchboard{woken: make(chan struct{}, 1)}
	b.state.Store(&cutover.State{})
	return b
}

// switched returns the endpoints that any of the profiles switches.
func switched(all []config.BoundProfile) (endpoints []string) {
	for _, p := range all {
		if p.Front != nil {
			endpoints = append(endpoints, p.Front.Switch...)
		}
	}
	slices.Sort(endpoints)
	return slices.Compact(endpoints)
}

// knows reports whether the state in effect has all of these endpoints.
func (b *switchboard) knows(endpoints []string) bool {
	state := b.state.Load()
	return !slices.ContainsFunc(endpoints, func(name string) bool {
		return !slices.ContainsFunc(state.Rules, func(r cutover.Rule) bool { return r.Endpoint == name })
	})
}

// declareSwitched makes the endpoints that are switched known to operators, and reads where
// they are. A reload that brings none has no need of the store, and may be what an outage
// calls for.
func (s *server) declareSwitched(ctx context.Context, all []config.BoundProfile) error {
	endpoints := switched(all)
	if s.switches.knows(endpoints) {
		return nil
	}
	if s.engine.Backend.Cutover == nil {
		return errors.New("switch: this store keeps no state of a cutover")
	}
	ctx, cancel := context.WithTimeout(ctx, readTime)
	defer cancel()
	if err := s.engine.DeclareEndpoints(ctx, endpoints...); err != nil {
		return fmt.Errorf("switch: %w", err)
	}
	if err := s.readCutover(ctx); err != nil {
		return fmt.Errorf("switch: %w", err)
	}
	return nil
}

// setSwitched is told of the profiles that are served from now on.
func (s *server) setSwitched(all []config.BoundProfile) {
	used := len(switched(all)) > 0
	s.switches.used.Store(used)
	if !used {
		s.metrics.SetCutoverVersion(0)
		return
	}
	s.metrics.SetCutoverVersion(s.switches.state.Load().Version)
	select {
	case s.switches.woken <- struct{}{}:
	default:
	}
}

// followCutover reads the state of the cutover until ctx ends, while something is switched.
// While the store doesn't answer, the last state holds.
func (s *server) followCutover(ctx context.Context) {
	away := false
	for {
		if !s.switches.used.Load() {
			select {
			case <-s.switches.woken:
			case <-ctx.Done():
				return
			}
			continue
		}
		if !wait.For(ctx, cutoverInterval) {
			return
		}
		switch err := s.readCutover(ctx); {
		case ctx.Err() != nil:
			return
		case err != nil && !away:
			away = true
			s.log.Warn("the state of the cutover can't be read: the last one holds", "version", s.switches.state.Load().Version, "error", err)
		case err == nil && away:
			away = false
			s.log.Info("the state of the cutover can be read again", "version", s.switches.state.Load().Version)
		}
	}
}

// readCutover reads the state of the cutover, which takes effect.
func (s *server) readCutover(ctx context.Context) error {
	s.switches.reading.Lock()
	defer s.switches.reading.Unlock()
	ctx, cancel := context.WithTimeout(ctx, cutoverTimeout)
	defer cancel()
	next, err := s.engine.Backend.Cutover.CutoverState(ctx)
	if err != nil {
		return err
	}
	was := s.switches.state.Load()
	if next.Version == was.Version {
		return nil
	}
	s.switches.state.Store(&next)
	s.metrics.SetCutoverVersion(next.Version)
	s.log.Info("another state of the cutover is in effect", "version", next.Version, "was", was.Version, "changed_at", next.ChangedAt)
	return nil
}
