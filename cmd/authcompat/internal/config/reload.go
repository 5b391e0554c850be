package config

import (
	"slices"

	"github.com/spf13/pflag"
)

// ReResolve gives the settings of a server, and the profiles to serve, as they would be
// if it were started now with the flags of f. The error has all problems, one a line.
func (f *Server) ReResolve() (*Server, []BoundProfile, error) {
	now := NewServer()
	now.AddFlags(pflag.NewFlagSet("", pflag.ContinueOnError))
	var err error
	f.flags.Visit(func(given *pflag.Flag) {
		flag := now.flags.Lookup(given.Name)
		if flag == nil || given.Annotations[fromEnvironment] != nil {
			return
		}
		if e := setFlag(now.flags, given.Name, flagValues(given)); e != nil {
			err = e
		}
		flag.Changed = true
	})
	if err != nil {
		return nil, nil, err
	}
	all, err := now.Resolve("")
	return now, all, err
}

// flagValues gives what setFlag takes.
func flagValues(f *pflag.Flag) []string {
	if list, ok := f.Value.(pflag.SliceValue); ok {
		return list.GetSlice()
	}
	return []string{f.Value.String()}
}

// KeepRestartOnly sets the settings of f back that take a restart and differ from those
// that a server works with now, and gives their keys in the configuration file.
// addresses are where the server listens; the profiles of all come in their order, or,
// where an address is another one, those of now.
func (f *Server) KeepRestartOnly(now *Server, addresses []string, all []BoundProfile) (changed []string, ordered []BoundProfile, err error) {
	keep := func(x setting) {
		changed = append(changed, x.key)
		if e := setFlag(f.flags, x.flag, flagValues(now.flags.Lookup(x.flag))); e != nil {
			err = e
		}
	}
	ordered, same := order(all, addresses)
	switched := (now.TLSCertFile == "") != (f.TLSCertFile == "")
	if !same {
		changed = append(changed, f.movedListeners(now)...)
		f.listen, f.bindings = now.listen, now.bindings
		found := &problems{}
		all = f.loadProfiles(found)
		if err := found.err(); err != nil {
			return nil, nil, err
		}
		ordered, _ = order(all, addresses) // as at the start
	}
	for _, x := range settings() {
		old, fresh := now.flags.Lookup(x.flag).Value.String(), f.flags.Lookup(x.flag).Value.String()
		if old != fresh && (x.scope == restartOnly || x.scope == restartOnToggle && switched) {
			keep(x)
		}
	}
	return changed, ordered, err
}

// order brings profiles into the order of their addresses. same is false where an
// address is another one.
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

// movedListeners gives the keys by which the listeners of f are elsewhere than
// those of old.
func (f *Server) movedListeners(old *Server) []string {
	addresses := func(list bindings) (own []string) {
		for _, l := range list {
			own = append(own, l.address)
		}
		slices.Sort(own)
		return own
	}
	was, is := addresses(old.bindings), addresses(f.bindings)
	var keys []string
	if !slices.Equal(was, is) {
		keys = append(keys, listenersKey)
	}
	if f.listen != old.listen && slices.Contains(append(was, is...), "") {
		keys = append(keys, "listen")
	}
	return keys
}
