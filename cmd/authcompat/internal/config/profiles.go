package config

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/config/frontconfig"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/config/section"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/httpserver"
	"github.com/authcompat/authcompat/profiles"
)

// BoundProfile is a profile and the address that it is served at.
type BoundProfile struct {
	Profile *profiles.Profile
	File    string // path of the profile; empty: it is built in
	Address string // HOST:PORT
	TLS     httpserver.TLSOptions
	Front   *frontconfig.Front // nil: there is no application behind it
	FrontAt string             // where that is set: a position with its key, a flag or a variable
}

// loadProfiles loads the profiles. A single one without an address is served at --listen.
func (f *Server) loadProfiles(ctx context.Context, found *section.Problems) []BoundProfile {
	var all []BoundProfile
	if len(f.bindings) == 0 && !found.Refused[listenersFlag] {
		found.Add(f.source(listenersFlag), "which API? Give --profile NAME or FILE; built in are %s", strings.Join(profiles.Builtin(), ", "))
	}
	for _, l := range f.bindings {
		at, address := f.profileAt(l), l.address
		if address == "" {
			if address = f.listen; l.unbound() && len(f.bindings) > 1 {
				found.Add(at, "%s: several profiles need an address each: --profile %[1]s@127.0.0.1:8001", l.profile)
			}
		}
		p, err := profiles.LoadContext(ctx, l.profile)
		var listed *profiles.Problems
		switch {
		case errors.As(err, &listed):
			found.Lines = append(found.Lines, listed.Error()) // each with its place in the profile
		case err != nil && l.profileAt == "" && strings.Contains(l.profile, ",") && !isProfile(l.profile):
			found.Add(at, "%q is no profile: one --profile for each profile (a comma belongs to the name)", l.String())
		case err != nil:
			found.Add(at, "%v", err)
		case slices.ContainsFunc(all, func(o BoundProfile) bool { return o.Profile.Name == p.Name }):
			found.Add(at, "profile %s is given twice: for another address, give a copy of it with another name", p.Name)
		default:
			p.Headers = l.deprecation.headers(p.Headers, found)
			application, frontAt := f.loadFront(ctx, l, p, found)
			l.front.CheckAdopt(p, found)
			file := ""
			if !profiles.Has(l.profile) {
				file = l.profile
			}
			all = append(all, BoundProfile{p, file, address, f.tlsOptions(l), application, frontAt})
		}
	}
	checkRegistrations(all, found)
	return all
}
