package server

import (
	"context"
	"net/http"
	"time"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/config"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/wait"
	"github.com/authcompat/authcompat/dialects/adopt"
	"github.com/authcompat/authcompat/dialects/front"
)

// oldServer returns the old server whose users a profile adopts; nil: there is none. There is
// one also after its time: registrations are its own as long as the settings name it.
func (s *server) oldServer(p config.BoundProfile, o front.Options) *adopt.Old {
	settings := p.Front.Adopt
	if settings == nil {
		return nil
	}
	var abouts, results []string
	for _, a := range adopt.Abouts() {
		abouts = append(abouts, string(a))
	}
	for _, r := range adopt.Results() {
		results = append(results, string(r))
	}
	count := s.metrics.QuestionCounter(p.Profile.Name, abouts, results)
	var former *adopt.Old
	for _, a := range s.apis {
		if a.bound.Load().Profile.Name == p.Profile.Name {
			former = a.handler.Load().old
		}
	}
	return adopt.New(adopt.Options{
		Former:  former,
		ProbeAt: settings.ProbeAt, Log: s.log,
		Profile: p.Profile, Engine: s.engine.Service, Login: settings.Login, Probe: settings.Probe, Host: settings.Host, Until: settings.Until, Front: o,
		Count: func(about adopt.About, result adopt.Result) { count(string(about), string(result)) },
	})
}

// adopting returns the handler of an API behind a front, whose users are adopted.
func adopting(old *adopt.Old, api http.Handler, f *front.Front) http.Handler {
	return old.Before(api, http.HandlerFunc(f.Pass))
}

// How often the end of a time to adopt users is looked at, when it is near, and how often it
// is warned of then.
const (
	adoptInterval = time.Minute
	adoptNear     = 7 * 24 * time.Hour
	adoptWarning  = 24 * time.Hour
)

// watchAdoptions warns of times to adopt users that are over, or nearly, until ctx ends.
func (s *server) watchAdoptions(ctx context.Context) {
	said := make(map[string]time.Time) // by profile and date, when it was last warned of; the zero time: of its end
	for first := true; first || wait.For(ctx, adoptInterval); first = false {
		s.warnAdoptions(time.Now(), said)
		s.checkProbes(ctx)
	}
}

// checkProbes has probes looked at before somebody needs them: the log says of which nothing can be
// learned.
func (s *server) checkProbes(ctx context.Context) {
	for _, a := range s.apis {
		if old := a.handler.Load().old; old != nil {
			_, _ = old.CheckProbe(ctx) // whoever needs it is told
		}
	}
}

// warnAdoptions warns of what is due at now, and notes that in said.
func (s *server) warnAdoptions(now time.Time, said map[string]time.Time) {
	for _, a := range s.apis {
		p := a.bound.Load()
		if p.Front == nil || p.Front.Adopt == nil {
			continue
		}
		until := p.Front.Adopt.Until
		key := p.Profile.Name + " " + until.String()
		last, warned := said[key]
		attrs := []any{"profile", p.Profile.Name, "setting", p.Front.Adopt.At, "until", until}
		switch {
		case p.Front.Adopt.Over(now):
			if !warned || !last.IsZero() {
				s.log.Warn("the time to adopt users is over: the old server is not asked any more, and whoever has not logged in until then is unknown here. Registrations are still passed on; without the section adopt, anybody could register the names of those users here: see docs/adopt.md for what to do first", attrs...)
			}
			said[key] = time.Time{}
		case until.Sub(now) <= adoptNear && (!warned || now.Sub(last) >= adoptWarning):
			s.log.Warn("the time to adopt users is nearly over: whoever does not log in until then will be unknown here. Leave the section adopt then: without it, anybody could register their names here", attrs...)
			said[key] = now
		}
	}
}
