package server

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/config"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/shadowing"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/wait"
	"github.com/authcompat/authcompat/conformance/shadow"
	"github.com/authcompat/authcompat/dialects"
	"github.com/authcompat/authcompat/dialects/front"
)

// shadows are the journals of a process, and the work on what is written to them.
type shadows struct {
	group *shadowing.Group
	// Those of shadowing.Options; 0: the defaults. Tests have slow machines and old servers that
	// are fast.
	maxDelay, hashTime time.Duration

	mu       sync.Mutex
	journals map[string]*shadow.Journal // by path; a reload goes on with those there are
}

func newShadows() *shadows {
	return &shadows{group: shadowing.NewGroup(), journals: make(map[string]*shadow.Journal)}
}

// journal returns the journal at a path.
func (s *shadows) journal(path string, onError func(error)) (*shadow.Journal, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if j := s.journals[path]; j != nil {
		return j, nil
	}
	j, err := shadow.Open(path, onError)
	if err == nil {
		s.journals[path] = j
	}
	return j, err
}

// paths returns the files of the journals.
func (s *shadows) paths() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.journals))
}

// run writes journals at every FlushInterval, until ctx ends.
func (s *shadows) run(ctx context.Context) {
	for wait.For(ctx, shadow.FlushInterval) {
		s.flush()
	}
}

func (s *shadows) flush() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, j := range s.journals {
		j.Flush()
	}
}

// closeShadows ends what is being compared, and writes what came of it.
func (s *server) closeShadows() {
	s.shadows.group.Close()
	s.shadows.mu.Lock()
	defer s.shadows.mu.Unlock()
	for path, j := range s.shadows.journals {
		if err := j.Close(); err != nil {
			s.log.Warn("the journal of a shadow could not be closed", "file", path, "error", err)
		}
	}
	clear(s.shadows.journals)
}

// shadow returns what compares our answers with those of a profile's old server; nil: nothing
// does.
func (s *server) shadow(f *config.Config, p config.BoundProfile) (front.Shadow, error) {
	settings := p.Front.Shadow
	if settings == nil {
		return nil, nil
	}
	engine := s.engine.Shadow()
	if s.mail != nil {
		engine.OnMail(func() {}) // it asks for mails, of which none is sent
	}
	api, err := dialects.New(p.Profile, engine, s.dialectOptions(f)...)
	if err != nil {
		return nil, err
	}
	journal, err := s.shadows.journal(settings.Journal, func(err error) {
		s.log.Warn("results of a shadow are not in its journal", "file", settings.Journal, "error", err)
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", settings.At, err)
	}
	shadow, err := shadowing.New(shadowing.Options{
		Profile: p.Profile, Endpoints: settings.Endpoints, Sample: settings.Sample, Learn: settings.Learn,
		API: api, MaxDelay: s.shadows.maxDelay, HashTime: s.shadows.hashTime, CheckPassword: s.engine.CheckIdle, Pseudonym: s.engine.Pseudonym, Journal: journal,
		Count: s.metrics.ShadowCounter(p.Profile.Name, settings.Endpoints, shadowing.Results()), Log: s.log,
	}, s.shadows.group)
	if err != nil {
		return nil, err
	}
	shadow.Start()
	return shadow, nil
}

// shadowPolicy has the shadow know the policy of a profile, also of one that is not compared: its
// tokens are good at those that are.
func (s *server) shadowPolicy(p config.BoundProfile) error {
	if engine := s.engine.Shadow(); engine != nil {
		return engine.AddPolicy(dialects.Policy(p.Profile))
	}
	return nil
}
