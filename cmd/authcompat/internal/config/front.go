package config

import (
	"context"
	"slices"
	"time"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/config/frontconfig"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/config/section"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/httpserver"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/keyring"
	"github.com/authcompat/authcompat/dialects/front"
	"github.com/authcompat/authcompat/profiles"
)

// frontKey is the key of a listener, and frontFlag the flag, that name the application
// behind an API.
const (
	frontKey  = "front"
	frontFlag = "front"
)

// FrontOptions returns the options of the front of a profile that has one, as far as they are
// settings. They are resolved.
func (c *Config) FrontOptions(p BoundProfile) (front.Options, error) {
	trusted, err := httpserver.ParseProxies(c.TrustedProxies)
	o := p.Front.Options()
	o.Trusted = trusted.Trusted
	if c.TLSCertFile != "" {
		o.Scheme = "https"
	}
	return o, err
}

// frontOf returns the section of a listener, or what --front stands for; nil: neither.
func (f *Server) frontOf(l binding) *frontconfig.Section {
	if l.front != nil || f.Front == "" {
		return l.front
	}
	return frontconfig.NewSection(f.Front, f.source(frontFlag))
}

// checkFront checks the flag.
func (f *Server) checkFront(found *section.Problems) {
	if f.Front == "" {
		return
	}
	if len(f.bindings) > 1 {
		found.Add(f.source(frontFlag), "is for a single profile: give each of the listeners a section front in a configuration file")
	}
	for _, l := range f.bindings {
		if l.front != nil {
			found.Add(f.source(frontFlag), "the listener has an application already (%s): give one or the other", l.front.At)
		}
	}
}

// loadFront checks what is behind a listener, and returns it with its position; nil: nothing
// is, or it is wrong.
func (f *Server) loadFront(ctx context.Context, l binding, p *profiles.Profile, found *section.Problems) (loaded *frontconfig.Front, at string) {
	server := frontconfig.Server{Store: f.Engine.Store, KeyFile: f.KeyFile, Listeners: f.spots()}
	return f.frontOf(l).Load(ctx, server, p, found)
}

// IdentityFile returns where the keys are that sign the identities for an application.
func (c *Config) IdentityFile(i *frontconfig.Identity) keyring.IdentityFile {
	return i.File(c.Engine.Store)
}

// checkRegistrations refuses profiles at which anybody could take the name of a user of an old
// server, and so the account, before the user logs in, or who never did: a date that is over
// changes nothing of whose names they are.
func checkRegistrations(all []BoundProfile, found *section.Problems) {
	adopts := func(p BoundProfile) bool { return p.Front != nil && p.Front.Adopt != nil }
	i := slices.IndexFunc(all, adopts)
	if i < 0 {
		return
	}
	for _, p := range all {
		if _, registers := p.Profile.Endpoint(profiles.Register); registers && !adopts(p) {
			found.Add(all[i].Front.Adopt.At, "users of profile %s are adopted, and profile %s lets anybody register in the same store, under the name of one who has not logged in yet: adopt its users too, or serve it without register", all[i].Profile.Name, p.Profile.Name)
		}
	}
}

// OverAdoptions returns what is wrong with the fronts whose time to adopt users is over at
// now: with it, the section only passes registrations on. The error has one line for each; nil: there is none.
func OverAdoptions(all []BoundProfile, now time.Time) error {
	found := &section.Problems{}
	for _, p := range all {
		if p.Front != nil && p.Front.Adopt != nil && p.Front.Adopt.Over(now) {
			found.Add(p.Front.Adopt.At, "%s is over, and no users are adopted any more, but registrations are still passed on: name a later date, or take the section adopt away, which lets anybody register the names of those who were not adopted (docs/adopt.md says what to do first)", p.Front.Adopt.Until.Format(time.RFC3339))
		}
	}
	return found.Err()
}
