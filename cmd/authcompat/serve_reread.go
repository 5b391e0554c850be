package main

import (
	"slices"

	"github.com/spf13/pflag"
)

// reread gives the settings of a server as they would be if it were started now
// with the flags of f.
func (f *serveFlags) reread() (*serveFlags, []placed, error) {
	now := newServeFlags()
	now.add(pflag.NewFlagSet("", pflag.ContinueOnError))
	var err error
	f.flags.Visit(func(given *pflag.Flag) {
		flag := now.flags.Lookup(given.Name)
		if flag == nil || given.Annotations[fromEnvironment] != nil {
			return
		}
		if e := setFlag(now.flags, given.Name, valuesOf(given)); e != nil {
			err = e
		}
		flag.Changed = true
	})
	if err != nil {
		return nil, nil, err
	}
	all, err := now.settle("")
	return now, all, err
}

// valuesOf gives what setFlag takes.
func valuesOf(f *pflag.Flag) []string {
	if list, ok := f.Value.(pflag.SliceValue); ok {
		return list.GetSlice()
	}
	return []string{f.Value.String()}
}

// keepStarted sets the settings of f back that take a restart and differ from
// those that a server works with now, and gives their keys. The profiles come in
// the order of the addresses, which are where the server listens.
func (f *serveFlags) keepStarted(now *serveFlags, addresses []string, all []placed) (changed []string, ordered []placed, err error) {
	keep := func(x setting) {
		changed = append(changed, x.key)
		if e := setFlag(f.flags, x.flag, valuesOf(now.flags.Lookup(x.flag))); e != nil {
			err = e
		}
	}
	ordered, same := order(all, addresses)
	switched := (now.tlsCertificate == "") != (f.tlsCertificate == "")
	if !same {
		changed = append(changed, f.movedListeners(now)...)
		f.listen, f.profiles = now.listen, now.profiles
		found := &problems{}
		all = f.place(found)
		if err := found.err(); err != nil {
			return nil, nil, err
		}
		ordered, _ = order(all, addresses) // as at the start
	}
	for _, x := range settings() {
		old, fresh := now.flags.Lookup(x.flag).Value.String(), f.flags.Lookup(x.flag).Value.String()
		if old != fresh && (x.takes == takesRestart || x.takes == takesSwitch && switched) {
			keep(x)
		}
	}
	return changed, ordered, err
}

// order brings profiles into the order of their addresses. same is false where an
// address is another one.
func order(all []placed, addresses []string) (ordered []placed, same bool) {
	rest := slices.Clone(all)
	for _, address := range addresses {
		i := slices.IndexFunc(rest, func(p placed) bool { return p.address == address })
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
func (f *serveFlags) movedListeners(old *serveFlags) []string {
	addresses := func(list listenerList) (own []string) {
		for _, l := range list {
			own = append(own, l.address)
		}
		slices.Sort(own)
		return own
	}
	was, is := addresses(old.profiles), addresses(f.profiles)
	var keys []string
	if !slices.Equal(was, is) {
		keys = append(keys, listenersKey)
	}
	if f.listen != old.listen && slices.Contains(append(was, is...), "") {
		keys = append(keys, "listen")
	}
	return keys
}
