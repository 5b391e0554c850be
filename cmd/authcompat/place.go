package main

import (
	"errors"
	"slices"
	"strings"

	"github.com/authcompat/authcompat/profiles"
)

// placed is a profile and the address it is served at.
type placed struct {
	profile *profiles.Profile
	address string
}

// place loads the profiles. A single one without an address is served at --listen.
func (f *serveFlags) place(found *problems) []placed {
	var all []placed
	if len(f.profiles) == 0 && !found.refused[listenersFlag] {
		found.add(f.whence(listenersFlag), "which API? Give --profile NAME or FILE; built in are %s", strings.Join(profiles.Builtin(), ", "))
	}
	for _, l := range f.profiles {
		at, address := f.profileAt(l), l.address
		if address == "" {
			if address = f.listen; l.unplaced() && len(f.profiles) > 1 {
				found.add(at, "%s: several profiles need an address each: --profile %[1]s@127.0.0.1:8001", l.profile)
			}
		}
		p, err := profiles.Load(l.profile)
		var listed *profiles.Problems
		switch {
		case errors.As(err, &listed):
			found.lines = append(found.lines, listed.Error()) // each with its place in the profile
		case err != nil && l.profileAt == "" && strings.Contains(l.profile, ",") && !isProfile(l.profile):
			found.add(at, "%q is no profile: one --profile for each profile (a comma belongs to the name)", l.String())
		case err != nil:
			found.add(at, "%v", err)
		case slices.ContainsFunc(all, func(o placed) bool { return o.profile.Name == p.Name }):
			found.add(at, "profile %s is given twice", p.Name)
		default:
			all = append(all, placed{p, address})
		}
	}
	return all
}
