package main

import (
	"context"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"github.com/spf13/pflag"
)

// hangup gives what SIGHUP sends until ctx ends.
func hangup(ctx context.Context) <-chan os.Signal {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGHUP)
	context.AfterFunc(ctx, func() { signal.Stop(signals) })
	return signals
}

// reload takes the settings, profiles, keys and certificates as they are now, all
// of them or none, but for the settings that take a restart: these stay as they
// are, and the log names those that have changed.
func (s *server) reload() error {
	f, all, err := s.started.reread()
	if err != nil {
		return err
	}
	changed, all, err := s.keepStarted(f, all)
	if err != nil {
		return err
	}
	handlers := make([]http.Handler, len(s.apis))
	for i, p := range all {
		if handlers[i], err = s.handler(f, p.profile); err != nil {
			return err
		}
	}
	// From where they stood at the start.
	sealer, fresh, err := s.keys.again(s.started.keyFile)
	if err != nil {
		return err
	}
	if s.tls != nil {
		if err := s.tls.load(f.tlsCertificate, f.tlsKey); err != nil {
			return err
		}
	}
	for i, a := range s.apis {
		a.placed.Store(&all[i])
		a.handler.Store(&handlers[i])
	}
	s.flags.Store(f)
	if fresh {
		s.engine.SealWith(sealer)
	}
	s.limitGuesses(f)
	if len(changed) > 0 {
		s.log.Warn("settings have changed that take a restart: until then they stay as they were", "settings", changed)
	}
	s.warnUnlimited(f)
	s.log.Info("reloaded settings, profiles, keys and certificates")
	return nil
}

// warnUnlimited tells of limits that are off, which nobody should forget.
func (s *server) warnUnlimited(f *serveFlags) {
	if f.limits.value == "off" {
		s.log.Warn("guesses at passwords are not limited (--limits off): for replays and load tests only")
	}
}

// keepStarted sets the settings of f back that take a restart and differ from
// those that the server works with, and gives their keys. The profiles come in the
// order of the server's APIs.
func (s *server) keepStarted(f *serveFlags, all []placed) (changed []string, ordered []placed, err error) {
	now := s.current()
	keep := func(x setting) {
		changed = append(changed, x.key)
		if e := setFlag(f.flags, x.flag, valuesOf(now.flags.Lookup(x.flag))); e != nil {
			err = e
		}
	}
	ordered, same := s.order(all)
	switched := (now.tlsCertificate == "") != (f.tlsCertificate == "")
	if !same {
		changed = append(changed, f.movedListeners(now)...)
		f.listen, f.profiles = now.listen, now.profiles
		found := &problems{}
		all = f.place(found)
		if err := found.err(); err != nil {
			return nil, nil, err
		}
		ordered, _ = s.order(all) // as at the start
	}
	for _, x := range settings() {
		old, fresh := now.flags.Lookup(x.flag).Value.String(), f.flags.Lookup(x.flag).Value.String()
		if old != fresh && (x.takes == takesRestart || x.takes == takesSwitch && switched) {
			keep(x)
		}
	}
	return changed, ordered, err
}

// order brings profiles into the order of the APIs that are at their addresses.
// same is false where an address is another one.
func (s *server) order(all []placed) (ordered []placed, same bool) {
	rest := slices.Clone(all)
	for _, a := range s.apis {
		i := slices.IndexFunc(rest, func(p placed) bool { return p.address == a.address })
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

// reread gives the settings of a server as they would be if it were started now
// with the flags of old.
func (old *serveFlags) reread() (*serveFlags, []placed, error) {
	f := newServeFlags()
	f.add(pflag.NewFlagSet("", pflag.ContinueOnError))
	var err error
	old.flags.Visit(func(given *pflag.Flag) {
		flag := f.flags.Lookup(given.Name)
		if flag == nil || given.Annotations[fromEnvironment] != nil {
			return
		}
		if e := setFlag(f.flags, given.Name, valuesOf(given)); e != nil {
			err = e
		}
		flag.Changed = true
	})
	if err != nil {
		return nil, nil, err
	}
	all, err := f.settle("")
	return f, all, err
}

// valuesOf gives what setFlag takes.
func valuesOf(f *pflag.Flag) []string {
	if list, ok := f.Value.(pflag.SliceValue); ok {
		return list.GetSlice()
	}
	return []string{f.Value.String()}
}
