package config

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/config/flagvalue"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/httpserver"
	"github.com/authcompat/authcompat/core"
)

// Weakness is a setting that is valid, and takes a protection away.
type Weakness struct {
	At   string // its position with its key, its flag or its variable
	Text string // what an operator should know, without secrets
}

// From here on a setting is weak.
const (
	// weakFactor is how many times the default a limit may allow. For one username that is
	// 100 guesses, as many as NIST SP 800-63B allows (5.2.2).
	weakFactor = 10
	// minStrongIterations is a sixth of the default: below it, whoever has a copy of the
	// database tries passwords too fast.
	minStrongIterations = 100_000
	// Networks of trusted proxies with shorter prefixes are taken for everybody.
	minTrusted4, minTrusted6 = 8, 16
)

// Weaknesses returns the settings by which a server protects less than it should: what is
// weak, but not wrong. They are resolved. Weak TLS is that of a listener, and not among
// them ([httpserver.TLSOptions.Weaknesses]).
func (f *Server) Weaknesses() []Weakness {
	var all []Weakness
	add := func(at, format string, args ...any) { all = append(all, Weakness{at, fmt.Sprintf(format, args...)}) }
	if !f.LoginLimits {
		add(f.source("limits"), "guesses at passwords are not limited (--limits off): for replays and load tests only")
	} else {
		f.weakLimits(add)
	}
	if n := f.Engine.Iterations; n < minStrongIterations {
		add(f.source("password-iterations"), "new passwords are hashed with %d iterations only, so that a copy of the database gives them away: at least %d are advised", n, minStrongIterations)
	}
	for i, value := range f.TrustedProxies {
		if network, err := httpserver.ParseProxy(value); err == nil && everybody(network) {
			add(source(f.flags.Lookup("trusted-proxy"), i), "%s trusts the X-Forwarded-For of nearly everybody: a client can name any address as its own, and no limit by address holds", value)
		}
	}
	if keep := f.AuditRetention; keep > 0 && time.Duration(keep) < flagvalue.Day {
		add(f.source("audit-retention"), "the audit record is kept for %s only, and what happened before is gone (m are minutes): at least some weeks are advised", keep.String())
	}
	if openToAll(f.Manage) {
		add(f.source("manage"), "the management listener at %s asks for no password, and is open to all who can reach this machine: listen at 127.0.0.1 or a private address, or keep others out with a firewall", f.Manage)
	}
	if bool(f.Console.On) && !flagvalue.OnLoopback(f.Manage) {
		add(f.source(consoleFlag), "the console at %s can be reached from other machines, and has no TLS: who listens in between learns the key, and sees what the console shows; listen at 127.0.0.1 and come by ssh -L or a proxy with TLS", f.Manage)
	}
	if openToAll(f.Ask) {
		lacks := ""
		if !f.AskTLS {
			lacks = "has no TLS, and "
		}
		add(f.source(askFlag), "the listener for proxies and services at %s %sis open to all who can reach this machine, who may try tokens there: listen at 127.0.0.1 or a private address, or keep others out with a firewall", f.Ask, lacks)
	}
	return all
}

// weakLimits adds the limits that allow far more than the defaults.
func (f *Server) weakLimits(add func(at, format string, args ...any)) {
	for _, l := range []struct {
		flag, what    string
		value, normal core.Limit
	}{
		{"limit-per-user", "guesses at one user's password", core.Limit(f.UserLimit), core.DefaultUserLimit()},
		{"limit-per-address", "guesses from one address", core.Limit(f.AddressLimit), core.DefaultAddressLimit()},
		{"limit-registrations", "registrations from one address", core.Limit(f.RegistrationLimit), core.DefaultRegistrationLimit()},
		{mailUserFlag, "mails to one user", core.Limit(f.Mail.UserLimit), core.DefaultUserMailLimit()},
		{mailRecipientFlag, "mails to one address", core.Limit(f.Mail.RecipientLimit), core.DefaultRecipientMailLimit()},
		{mailAddressFlag, "mails asked for from one address", core.Limit(f.Mail.AddressLimit), core.DefaultAddressMailLimit()},
	} {
		most := float64(weakFactor * l.normal.Burst)
		rate := float64(l.value.Burst) / l.value.Window.Seconds()
		if burst := float64(l.value.Burst); burst > most || rate > most/l.normal.Window.Seconds() {
			value, normal := flagvalue.RateLimit(l.value), flagvalue.RateLimit(l.normal)
			add(f.source(l.flag), "%s are hardly limited (%s): that is more than %d times the default, %s", l.what, value.String(), weakFactor, normal.String())
		}
	}
}

// everybody reports whether a network has so many public addresses that strangers have
// some of them.
func everybody(network netip.Prefix) bool {
	bits, address := network.Bits(), network.Addr()
	if address.Is4() {
		return bits < minTrusted4
	}
	private := netip.MustParsePrefix("fc00::/7")
	return bits < minTrusted6 && !(bits >= private.Bits() && private.Contains(address))
}

// openToAll reports whether an address to listen on is all of this machine's, or a public
// one.
func openToAll(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false // there is no such listener
	}
	ip, err := netip.ParseAddr(strings.ToLower(host))
	if err != nil {
		return host == "" // of a name it is not known
	}
	ip = ip.Unmap()
	return ip.IsUnspecified() || ip.IsGlobalUnicast() && !ip.IsPrivate()
}
