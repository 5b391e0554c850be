package server

import (
	"context"
	"os"
	"sync"
	"time"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/clockwatch"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/keyring"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/wait"
)

// collectInterval is how often expired rows are deleted.
const collectInterval = 10 * time.Minute

// hiddenExpiryRetention is how long expired tokens are kept, for the logs, where clients
// can't tell an expired token from an unknown one.
const hiddenExpiryRetention = 24 * time.Hour

// background starts what a server does beside answering requests, until ctx ends. Each of
// the signals makes it reload.
func (s *server) background(ctx context.Context, signals <-chan os.Signal) *sync.WaitGroup {
	all := new(sync.WaitGroup)
	all.Go(func() {
		for {
			select {
			case <-signals:
				s.notifyReloading()
				status := ""
				if err := s.reload(ctx); err != nil && ctx.Err() == nil {
					s.log.Error("reload failed: all stays as it was", "error", err)
					status = "The last reload failed, and all stays as it was: the log says why"
				}
				if ctx.Err() == nil {
					s.notifyReady(status)
				}
			case <-ctx.Done():
				return
			}
		}
	})
	all.Go(func() { s.feedWatchdog(ctx) })
	all.Go(func() { s.engine.ExpiryWriter.Run(ctx) })
	all.Go(func() { s.warnUnreachable(ctx) })
	all.Go(func() { s.followCutover(ctx) })
	all.Go(func() { s.shadows.run(ctx) })
	all.Go(func() { s.watchAdoptions(ctx) })
	all.Go(func() {
		s.engine.RefreshDummyCosts(ctx, func(err error) { s.log.Warn("formats of passwords not counted", "error", err) })
	})
	all.Go(func() { s.collectGarbage(ctx) })
	if s.callers != nil {
		all.Go(func() { s.callers.Run(ctx) })
	}
	if s.mail != nil {
		all.Go(func() { s.mail.Run(ctx) })
		all.Go(func() { s.metrics.CountWaitingMails(ctx, s.engine.Backend.Mail, s.log) })
	}
	if s.engine.Backend.Admin != nil {
		all.Go(func() { s.metrics.CountActiveTokens(ctx, s.engine.Backend.Admin) })
		all.Go(func() { s.reseal(ctx) })
	}
	if s.tls != nil {
		all.Go(func() { s.tls.Watch(ctx, s.log) })
	}
	return all
}

// collectGarbage deletes expired rows at every collectInterval, until ctx ends. While the
// clock is ahead of itself it deletes nothing; whoever set it because it was wrong before
// restarts the server.
func (s *server) collectGarbage(ctx context.Context) {
	var clock clockwatch.Watch
	leapt := false
	for first := true; first || wait.For(ctx, collectInterval); first = false {
		now, err := s.engine.Now(ctx)
		if err != nil {
			if ctx.Err() == nil {
				s.log.Warn("garbage collection failed: the database's clock could not be read", "error", err)
			}
			continue
		}
		ahead := clock.Observe(now, time.Now())
		if was := leapt; ahead > clockwatch.MaxDrift {
			if leapt = true; !was {
				s.log.Warn("the clock was set forward while the server ran: expired rows are kept until it is set back; if it is right now, restart the server", "by", ahead.Round(time.Second))
			}
			continue
		}
		if leapt {
			leapt = false
			s.log.Info("the clock was set back: expired rows are deleted again")
		}
		if !first {
			s.collect(ctx, now)
		}
	}
}

// collect deletes the rows that have expired at now.
func (s *server) collect(ctx context.Context, now time.Time) {
	for table, remove := range map[string]func(context.Context, time.Time) (int, error){
		"tokens": s.collectTokens, "guesses": s.collectLimits, "audit": s.collectAudit, "callers": s.collectCalls,
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

// collectTokens deletes tokens that have been expired for as long as they are kept.
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

// collectLimits deletes login limits that are no longer in use.
func (s *server) collectLimits(ctx context.Context, now time.Time) (int, error) {
	if s.engine.Backend.RateLimiter == nil {
		return 0, nil
	}
	return s.engine.PruneLimits(ctx, now)
}

// collectAudit deletes audit entries that are older than they are kept.
func (s *server) collectAudit(ctx context.Context, now time.Time) (int, error) {
	keep := time.Duration(s.current().AuditRetention)
	if s.engine.Backend.Auditor == nil || keep == 0 {
		return 0, nil
	}
	return s.engine.PurgeAudit(ctx, now.Add(-keep))
}

// profilesHidingExpiry returns the names of the profiles in whose realm no profile served
// here tells an expired token from an unknown one, so that expired tokens can be deleted
// early.
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

// reseal reloads the sealing keys at every keyring.ReloadInterval, until ctx ends, and
// seals with the newest what is sealed with older ones.
func (s *server) reseal(ctx context.Context) {
	for {
		if sealer, fresh := s.reloadKeys(ctx); fresh {
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
