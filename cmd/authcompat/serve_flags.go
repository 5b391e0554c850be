package main

import (
	"github.com/spf13/pflag"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/httpserver"
	"github.com/authcompat/authcompat/core"
)

// defaultListen is where a single profile is served.
const defaultListen = "127.0.0.1:8000"

// serveFlags are the settings of a server.
type serveFlags struct {
	flags       *pflag.FlagSet // these settings as flags
	engine      engineFlags
	profiles    listenerList
	listen      string
	manage      string
	pprof       bool
	keyFile     string
	logFormat   word
	logRequests word

	limits         word
	account        rate
	address        rate
	trusted        []string
	hashThreads    int
	hashQueue      int
	connections    int
	tlsCertificate string
	tlsKey         string
	keepExpired    period
	keepAudit      period
}

// defaultKeepExpired is how long expired tokens are kept.
const defaultKeepExpired = period(90 * day)

func newServeFlags() *serveFlags {
	return &serveFlags{
		logFormat:   oneOf("auto", "text", "json"),
		logRequests: oneOf(string(httpserver.LogFailures), string(httpserver.LogAll), string(httpserver.LogNone)),
		limits:      oneOf("on", "off"),
		account:     rate(core.DefaultAccountLimit()),
		address:     rate(core.DefaultAddressLimit()),
		keepExpired: defaultKeepExpired,
	}
}

func (f *serveFlags) add(flags *pflag.FlagSet) {
	f.flags = flags
	f.engine.add(flags)
	flags.Var(&f.profiles, listenersFlag, "profile to serve: a built-in name or a file, with @ADDRESS for several (repeatable)")
	flags.StringVar(&f.listen, "listen", defaultListen, "address of the API, for one profile")
	flags.StringVar(&f.manage, "manage", "", "address of the management listener (/livez, /readyz, /metrics), for instance 127.0.0.1:8081; none if empty")
	flags.BoolVar(&f.pprof, "pprof", false, "Go's profiles of the running server at /debug/pprof/ of the management listener")
	flags.StringVar(&f.keyFile, "secret-key-file", "", "file with the keys that seal tokens which are shown again, the newest first")
	flags.Var(&f.logFormat, "log-format", "log as text, as json, or auto: text on a terminal, else json")
	flags.Var(&f.logRequests, "log-requests", "requests that are logged: all, failures (the server's own, and refusals) or none")
	flags.Var(&f.limits, "limits", "limits on guesses at passwords: on, or off for replays and load tests")
	flags.Var(&f.account, "limit-account", "guesses at one name, right ones not counted")
	flags.Var(&f.address, "limit-address", "guesses from one address, right ones not counted")
	flags.StringSliceVar(&f.trusted, "trusted-proxy", nil, "network or address whose X-Forwarded-For and X-Request-Id are believed (repeatable)")
	flags.IntVar(&f.hashThreads, "hash-threads", 0, "passwords hashed at a time; 0: one processor less than there are")
	flags.IntVar(&f.hashQueue, "hash-queue", 0, "passwords that wait to be hashed at most, before others are refused; 0: 32 for each thread")
	flags.IntVar(&f.connections, "max-connections", 0, "open connections at each address; 0: as many as the system's limit on open files allows, at most 16384")
	flags.StringVar(&f.tlsCertificate, "tls-cert", "", "file with the certificate chain (PEM): the APIs are served over TLS")
	flags.StringVar(&f.tlsKey, "tls-key", "", "file with the certificate's key (PEM)")
	flags.Var(&f.keepExpired, "keep-expired", "how long expired tokens are kept, so that clients are told that they expired")
	flags.Var(&f.keepAudit, "keep-audit", "how long the audit record is kept, for instance 400d; 0: for ever")
}
