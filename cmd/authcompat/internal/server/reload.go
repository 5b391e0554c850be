package server

import (
	"context"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/config"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/httpserver"
	"github.com/authcompat/authcompat/core/sealing"
	"github.com/authcompat/authcompat/profiles"
)

// Hangups returns a channel that receives SIGHUP until ctx ends.
func Hangups(ctx context.Context) <-chan os.Signal {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGHUP)
	context.AfterFunc(ctx, func() { signal.Stop(signals) })
	return signals
}

// readTime limits how long a running server waits for files that are pipes by now.
const readTime = 10 * time.Second

// refreshKeys reads the keys again for a token whose key is missing.
func (s *server) refreshKeys(ctx context.Context, file string) (sealing.Sealer, error) {
	ctx, cancel := context.WithTimeout(ctx, readTime)
	defer cancel()
	return s.keys.Refresh(ctx, file)
}

// reloadKeys reads the keys again.
func (s *server) reloadKeys(ctx context.Context) (sealer sealing.Sealer, fresh bool) {
	ctx, cancel := context.WithTimeout(ctx, readTime)
	defer cancel()
	sealer, fresh, _ = s.keys.Reload(ctx, s.started.KeyFile) // which logs errors itself, each of them once
	return sealer, fresh
}

// reload applies the settings, profiles, keys and certificates as they are now: all of
// them, or none if there is an error. Settings that take a restart stay as they are, and
// the log names those that have changed.
func (s *server) reload(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readTime)
	defer cancel()
	next, all, err := s.started.ReResolve(ctx)
	if err != nil {
		return err
	}
	var addresses []string
	for _, a := range s.apis {
		addresses = append(addresses, a.address)
	}
	kept, all, err := next.KeepRestartOnly(ctx, s.current(), addresses, all)
	if err != nil {
		return err
	}
	f := &next.Config
	trusted, err := httpserver.ParseProxies(f.TrustedProxies)
	if err != nil {
		return err
	}
	s.divideFiles(f, all)
	handlers := make([]*served, len(s.apis))
	for i, p := range all {
		if handlers[i], err = s.handler(ctx, f, p, trusted); err != nil {
			return err
		}
	}
	if err := s.declareSwitched(ctx, all); err != nil {
		return err
	}
	var askHandler http.Handler
	if f.Ask != "" {
		if askHandler, err = s.askHandler(ctx, next, all, trusted); err != nil {
			return err
		}
	}
	// The location of the keys takes a restart.
	sealer, fresh, err := s.keys.Reload(ctx, s.started.KeyFile)
	if err != nil {
		return err
	}
	if s.tls != nil {
		if err := s.tls.Reload(ctx, f.TLSCertFile, f.TLSKeyFile); err != nil {
			return err
		}
	}
	for i, a := range s.apis {
		a.bound.Store(&all[i])
		a.handler.Swap(handlers[i]).retire()
	}
	for _, server := range s.sharing {
		server.SetMaxConnections(s.connections)
	}
	s.setSwitched(all)
	if askHandler != nil {
		s.asked.handler.Store(&askHandler)
	}
	s.proxies.Store(&trusted)
	s.settings.Store(f)
	if fresh {
		s.engine.SealWith(sealer)
	}
	s.setLoginLimits(f)
	if len(kept) > 0 {
		s.log.Warn("settings have changed that take a restart: until then they stay as they were", "settings", kept)
	}
	s.warnWeak(next)
	s.log.Info("reloaded settings, profiles, keys and certificates")
	return nil
}

// warnWeak warns of settings that take a protection away, so that nobody forgets them, of
// profiles whose users any site can act for, or anybody can keep from logging in or be to an application, and of listeners that accept weak TLS.
func (s *server) warnWeak(f *config.Server) {
	for _, w := range f.Weaknesses() {
		s.log.Warn(w.Text, "setting", w.At)
	}
	var served []*profiles.Profile
	told := f.AskIdentity.On
	for _, a := range s.apis {
		p := a.bound.Load()
		served = append(served, p.Profile)
		told = told || p.Front != nil && p.Front.Identity != nil
		if p.Profile.LetsInUnverified() {
			s.log.Warn("users who have yet to verify their address can't log in to this profile, but are let in by HTTP Basic, as by REST framework: take basic out of its authentication", "profile", p.Profile.Name)
		}
		if p.Profile.OpenToAllSites() {
			s.log.Warn("pages of any site can act as whoever has logged in to this profile by HTTP Basic in the same browser, and read what it answers: give cors.origins a list, or take cors.credentials or basic out of the profile", "profile", p.Profile.Name)
		}
		if weak := p.TLS.Weaknesses(); s.tls != nil && weak != nil {
			s.log.Warn("this address accepts weak TLS, from clients that offer nothing better", "profile", p.Profile.Name, "address", a.address, "weak", weak)
		}
	}
	for _, p := range profiles.SharedEmails(served) {
		s.log.Warn("whoever registers with the address of another, or changes to it, keeps that user from logging in by it, unless the user has verified it: give the profile emails.unique, or emails.verification with mandatory", "profile", p.Name)
	}
	if !told || s.engine.Backend.Plaintext != nil { // where Django's own tables are worked on, users are the same at both
		return
	}
	for _, p := range profiles.ReusedNames(served) {
		s.log.Warn("users of this profile can give up their names, by taking another or with the account, and to an application that finds users by the name in an identity, whoever takes such a name next is the same user: let it find them by id, or take these endpoints out of the profile (docs/identity.md)", "profile", p.Name)
	}
}
