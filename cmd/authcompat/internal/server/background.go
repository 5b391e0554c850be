package server

import (
	"context"
	"os"
	"sync"
	"time"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/keyring"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/wait"
)

// collectInterval is how often it is looked for what is over.
const collectInterval = 10 * time.Minute

// hiddenExpiryRetention is how long expired tokens are kept where no client is told that
// they expired: for the logs.
const hiddenExpiryRetention = 24 * time.Hour

// background starts what a server does beside answering, until ctx ends. signals
// are what sighup gives.
func (s *server) background(ctx context.Context, signals <-chan os.Signal) *sync.WaitGroup {
	all := new(sync.WaitGroup)
	all.Go(func() {
		for {
			select {
			case <-signals:
				if err := s.reload(); err != nil {
					s.log.Error("reload failed: all stays as it was", "error", err)
				}
			case <-ctx.Done():
				return
			}
		}
	})
	all.Go(func() { s.engine.ExpiryWriter.Run(ctx) })
	all.Go(func() {
		s.engine.RefreshDummyCosts(ctx, func(err error) { s.log.Warn("formats of passwords not counted", "error", err) })
	})
	all.Go(func() { s.collectGarbage(ctx) })
	if s.engine.Backend.Admin != nil {
		all.Go(func() { s.metrics.CountActiveTokens(ctx, s.engine.Backend.Admin) })
		all.Go(func() { s.reseal(ctx) })
	}
	if s.tls != nil {
		all.Go(func() { s.tls.Watch(ctx, s.log) })
	}
	return all
}

// collectGarbage removes what is over, now and then, until ctx ends.
func (s *server) collectGarbage(ctx context.Context) {
	for wait.For(ctx, collectInterval) {
		now := time.Now()
		for table, remove := range map[string]func(context.Context, time.Time) (int, error){
			"tokens": s.collectTokens, "guesses": s.collectGuesses, "audit": s.collectAudit,
		} {
			n, err := remove(ctx, now)
			s.metrics.CountDeletedRows(table, n)
			if err != nil && ctx.Err() == nil {
				s.log.Warn("garbage collection failed", "table", table, "error", err)
			}
			if n > 0 && table != "guesses" {
				s.log.Info("garbage collected", "table", table, "rows", n)
			}
		}
	}
}

// collectTokens removes the tokens whose end no client has to be told any more.
func (s *server) collectTokens(ctx context.Context, now time.Time) (int, error) {
	if s.engine.Backend.Admin == nil {
		return 0, nil
	}
	keep := time.Duration(s.current().ExpiredTokenRetention)
	n, err := s.engine.PurgeTokens(ctx, now.Add(-keep), nil)
	issuers := s.profilesHidingExpiry()
	if err != nil || len(issuers) == 0 {
		return n, err
	}
	more, err := s.engine.PurgeTokens(ctx, now.Add(-min(keep, hiddenExpiryRetention)), issuers)
	return n + more, err
}

// collectGuesses forgets guesses that count no more.
func (s *server) collectGuesses(ctx context.Context, now time.Time) (int, error) {
	if s.engine.Backend.RateLimiter == nil {
		return 0, nil
	}
	return s.engine.PurgeGuesses(ctx, now)
}

// collectAudit removes the part of the record that is not kept.
func (s *server) collectAudit(ctx context.Context, now time.Time) (int, error) {
	keep := time.Duration(s.current().AuditRetention)
	if s.engine.Backend.Auditor == nil || keep == 0 {
		return 0, nil
	}
	return s.engine.PurgeAudit(ctx, now.Add(-keep))
}

// profilesHidingExpiry names the profiles served here whose tokens may go soon after they
// expired: nobody in their realm tells an expired token from an unknown one.
func (s *server) profilesHidingExpiry() []string {
	revealed := make(map[string]bool)
	for _, a := range s.apis {
		p := a.bound.Load().Profile
		revealed[p.Tokens.Realm] = revealed[p.Tokens.Realm] || p.Messages["token_expired"] != p.Messages["token_invalid"]
	}
	var names []string
	for _, a := range s.apis {
		if p := a.bound.Load().Profile; !revealed[p.Tokens.Realm] {
			names = append(names, p.Name)
		}
	}
	return names
}

// reseal takes the sealing keys as they are now and seals with the newest what
// is sealed with older ones, now and then, until ctx ends.
func (s *server) reseal(ctx context.Context) {
	for {
		// What is wrong with the keys is logged there already, and once.
		if sealer, fresh, _ := s.keys.Reload(s.started.KeyFile); fresh {
			s.engine.SealWith(sealer)
			done, _, err := s.engine.Reseal(ctx, s.engine.Backend.Admin)
			if err != nil && ctx.Err() == nil {
				s.log.Warn("tokens not sealed with the newest key", "error", err)
			}
			if done > 0 {
				s.log.Info("tokens sealed with the newest key", "tokens", done, "key", sealer.KeyID())
			}
		}
		if !wait.For(ctx, keyring.ReloadInterval) {
			return
		}
	}
}
