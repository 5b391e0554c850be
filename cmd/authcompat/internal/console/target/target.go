// Package target has the servers that a console's views send requests to: the listeners of explore, and
// those that were named at the start.
package target

import (
	"crypto/tls"
	"time"

	"github.com/authcompat/authcompat/conformance"
	"github.com/authcompat/authcompat/profiles"
)

// A Target is a server that speaks an API.
type Target struct {
	Name string // unique, as in ?target=NAME
	// URL is its address, http or https, with the path under which the API's own paths begin.
	URL string
	// TLS is the configuration for an https URL; nil: the default one, by which a certificate has to be one that
	// this machine trusts, and of the name in the URL.
	TLS *tls.Config
	// Profile is the API; nil: only the exchange file is known.
	Profile *profiles.Profile
	// Exchanges are the documented exchanges of the API; nil: there is no file of them.
	Exchanges *conformance.File
	// Own says that it is a listener of this process, on a store that is thrown away: nothing that is
	// done to it matters to anybody.
	Own bool
	// Launcher starts servers of the same API for the suite, each on a store and with a clock of its own; nil: the suite is
	// run at the URL, where it makes users.
	Launcher conformance.Launcher
	// State reaches behind its API; nil: there is no other way in.
	State conformance.State
	// Users are the example users that it has from the start.
	Users []conformance.User
}

// A Clock is the clock of a console's own targets, which can be moved.
type Clock interface {
	// Now returns the time.
	Now() time.Time
	// Advance moves the clock forward, by d > 0.
	Advance(d time.Duration)
}

// Find returns the target of a name.
func Find(all []Target, name string) (Target, bool) {
	for _, t := range all {
		if t.Name == name {
			return t, true
		}
	}
	return Target{}, false
}
