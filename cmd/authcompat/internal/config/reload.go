package config

import (
	"cmp"
	"context"
	"slices"

	"github.com/spf13/pflag"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/config/section"
)

// ReResolve returns the settings of a server, and the profiles to serve, as they would be
// if it were started now with the same command line. The error has all problems, one a
// line.
func (f *Server) ReResolve(ctx context.Context) (*Server, []BoundProfile, error) {
	next := NewServer()
	next.AddFlags(pflag.NewFlagSet("", pflag.ContinueOnError))
	for _, s := range slices.Concat(settings(), otherSettings()) {
		if flag := f.flags.Lookup(s.flag); flag.Changed && flag.Annotations[fromEnvironment] == nil {
			s.copy(&next.Config, &f.Config)
			next.flags.Lookup(s.flag).Changed = true
		}
	}
	all, err := next.Resolve(ctx, "")
	return next, all, err
}

// Change is a setting that differs between two configurations.
type Change struct {
	Key     string // in the configuration file
	Restart bool   // whether it takes a restart
	setting setting
}

// Diff returns the settings that differ from those of old, in the order of the
// configuration file. It leaves out listeners and their addresses.
func (c *Config) Diff(old *Config) []Change {
	var changes []Change
	toggled := (old.TLSCertFile == "") != (c.TLSCertFile == "")
	for _, s := range settings() {
		if s.scope != restartOnAddressChange && !s.equal(c, old) {
			changes = append(changes, Change{s.key, s.scope == restartOnly || s.scope == restartOnToggle && toggled, s})
		}
	}
	return changes
}

// KeepRestartOnly resets the settings that take a restart to those that a server is running
// with, and returns the keys of those that differ. addresses are where the server listens;
// the profiles are returned in their order. If an address has changed, all listeners stay
// as they are.
func (f *Server) KeepRestartOnly(ctx context.Context, running *Config, addresses []string, all []BoundProfile) (kept []string, ordered []BoundProfile, err error) {
	changes := f.Diff(running)
	ordered, same := order(all, addresses)
	if !same {
		kept = f.movedListeners(running)
		f.listen, f.bindings = running.listen, running.bindings
		found := &section.Problems{}
		all = f.loadProfiles(ctx, found)
		if err := cmp.Or(ctx.Err(), found.Err()); err != nil {
			return nil, nil, err
		}
		ordered, _ = order(all, addresses) // as at the start
	}
	for _, change := range changes {
		if change.Restart {
			kept = append(kept, change.Key)
			change.setting.copy(&f.Config, running)
		}
	}
	f.Mail.Server, f.Mail.Templates, f.Mail.Links = running.Mail.Server, running.Mail.Templates, running.Mail.Links
	return kept, ordered, nil
}

// order returns the profiles in the order of the addresses. same is false if their
// addresses are not these.
func order(all []BoundProfile, addresses []string) (ordered []BoundProfile, same bool) {
	rest := slices.Clone(all)
	for _, address := range addresses {
		i := slices.IndexFunc(rest, func(p BoundProfile) bool { return p.Address == address })
		if i < 0 {
			return nil, false
		}
		ordered = append(ordered, rest[i])
		rest = slices.Delete(rest, i, i+1)
	}
	return ordered, len(rest) == 0
}

// movedListeners returns the keys that give the listeners of c other addresses than those
// of old.
func (c *Config) movedListeners(old *Config) []string {
	addresses := func(list bindings) (own []string) {
		for _, l := range list {
			own = append(own, l.address)
		}
		slices.Sort(own)
		return own
	}
	was, is := addresses(old.bindings), addresses(c.bindings)
	var keys []string
	if !slices.Equal(was, is) {
		keys = append(keys, listenersKey)
	}
	if c.listen != old.listen && slices.Contains(append(was, is...), "") {
		keys = append(keys, "listen")
	}
	return keys
}
