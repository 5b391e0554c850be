// Package config has the settings of servers and other commands: from flags, environment
// variables and a YAML file. It knows where each value comes from, and reports all problems
// at once.
package config

import (
	"io"

	"github.com/spf13/pflag"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/config/flagvalue"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/httpserver"
	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/dialects/ask"
)

// defaultListen is where a single profile is served.
const defaultListen = "127.0.0.1:8000"

// Where listeners without a default are in help texts and messages.
const (
	exampleManage = "127.0.0.1:8081"
	exampleAsk    = "127.0.0.1:8082"
)

// Config are the values of a server's settings.
type Config struct {
	Engine      Engine
	bindings    bindings
	listen      string
	Front       string           // URL of the application behind a single profile; empty: none, or the listener's
	Manage      string           // address of the management listener; empty: none
	Ask         string           // address that reverse proxies and services ask at; empty: none
	AskTLS      flagvalue.Toggle // whether that listener has the APIs' certificate
	CallersFile string           // of the services that may introspect tokens; empty: none may
	Callers     *ask.Callers     // in it, once it is resolved
	AskIdentity AskIdentity      // whether proxies are told whose token they ask about
	Console     Console          // the operator's, at the management listener
	Pprof       bool             // Go's own profiles at the management listener
	KeyFile     string           // of the sealing keys; empty: none is named
	LogFormat   flagvalue.Enum   // auto, text or json
	LogRequests flagvalue.Enum   // an httpserver.RequestLog

	Mail Mail // mails, and the links in them

	CommonPasswords CommonPasswords

	LoginLimits           flagvalue.Toggle // whether failed logins are limited
	UserLimit             flagvalue.RateLimit
	AddressLimit          flagvalue.RateLimit
	RegistrationLimit     flagvalue.RateLimit
	TrustedProxies        []string           // networks and addresses
	HashConcurrency       int                // 0: one processor less than there are
	HashQueue             int                // 0: 32 for each thread
	MaxConnections        int                // at each address; 0: as many as the system allows
	MaxHeaderBytes        int                // of a request line and header
	MaxHeaderFields       int                // of a request
	TLSCertFile           string             // PEM file; empty: no TLS
	TLSKeyFile            string             // PEM file
	TLSMinVersion         flagvalue.Enum     // 1.0 to 1.3, of listeners without one of their own
	TLSLegacyCiphers      flagvalue.Toggle   // likewise
	ExpiredTokenRetention flagvalue.Duration // of tokens, after they expired
	AuditRetention        flagvalue.Duration // of audit entries; 0: for ever
	CountCallers          flagvalue.Enum     // auto, on or off: whether it is kept who calls
	CallersRetention      flagvalue.Duration // of that; 0: nothing is kept
}

// DefaultExpiredTokenRetention is how long expired tokens are kept unless a setting says
// otherwise.
const DefaultExpiredTokenRetention = flagvalue.Duration(90 * flagvalue.Day)

// defaultCallersRetention is how long it is kept who called: longer than a quarter of a year, after
// which a client that nobody knew of has shown itself.
const defaultCallersRetention = flagvalue.Duration(90 * flagvalue.Day)

// CountsCallers reports whether it is kept who calls. By default it is, but not in the database of
// another program (onDjango): who owns that decides what names and addresses are in it.
func (c *Config) CountsCallers(onDjango bool) bool {
	return c.CallersRetention > 0 && (c.CountCallers.Value == "on" || c.CountCallers.Value == "auto" && !onDjango)
}

// Server are the settings of a server, and where each of them comes from.
type Server struct {
	Config
	// Unknown are the environment variables that no command reads.
	Unknown []UnknownVariable
	// Input is read where a configuration file that is an argument is called -; nil: there is none.
	Input io.Reader
	flags *pflag.FlagSet // bound to the values, and marked with their sources
}

// NewServer returns the default settings of a server.
func NewServer() *Server {
	return &Server{Config: Config{
		LogFormat:             flagvalue.NewEnum("auto", "text", "json"),
		LogRequests:           flagvalue.NewEnum(httpserver.LogFailures, httpserver.LogAll, httpserver.LogNone),
		LoginLimits:           true,
		UserLimit:             flagvalue.RateLimit(core.DefaultUserLimit()),
		AddressLimit:          flagvalue.RateLimit(core.DefaultAddressLimit()),
		RegistrationLimit:     flagvalue.RateLimit(core.DefaultRegistrationLimit()),
		MaxHeaderBytes:        httpserver.DefaultMaxHeaderBytes,
		MaxHeaderFields:       httpserver.DefaultMaxHeaderFields,
		TLSMinVersion:         newMinVersion(),
		ExpiredTokenRetention: DefaultExpiredTokenRetention,
		CountCallers:          flagvalue.NewEnum("auto", "on", "off"),
		CallersRetention:      defaultCallersRetention,
		Mail:                  newMail(),
	}}
}

// AddFlags adds the settings to the flags of a command, which then set their values.
func (f *Server) AddFlags(flags *pflag.FlagSet) {
	f.flags = flags
	f.Engine.AddHashingFlags(flags)
	flags.Var(&f.bindings, listenersFlag, "profile to serve: a built-in name or a file, with @ADDRESS for several (repeatable)")
	flags.StringVar(&f.listen, "listen", defaultListen, "address of the API, for one profile")
	flags.StringVar(&f.Front, frontFlag, "", "URL of the application that gets all paths which a single profile doesn't have, as http://127.0.0.1:9000; rules are in a listener's section front")
	flags.StringVar(&f.Manage, "manage", "", "address of the management listener (/livez, /readyz, /metrics), for instance "+exampleManage+"; none if empty")
	f.Console.addFlags(flags)
	flags.StringVar(&f.Ask, askFlag, "", "address at which reverse proxies and services ask whether a token is good, for instance "+exampleAsk+"; none if empty")
	flags.Var(&f.AskTLS, askTLSFlag, "TLS for those who ask, with the certificate of the APIs: on or off")
	flags.StringVar(&f.CallersFile, callersFlag, "", "file with the services that may introspect tokens, and the digests of their secrets")
	flags.Var(&f.AskIdentity, askIdentityFlag, "tell proxies that ask whose token it is, in a signed header: on, with the keys beside an SQLite database, off, or the file with the keys")
	flags.BoolVar(&f.Pprof, "pprof", false, "Go's profiles of the running server at /debug/pprof/ of the management listener")
	flags.StringVar(&f.KeyFile, "secret-key-file", "", "file with the keys that seal tokens which are shown again, the newest first")
	flags.Var(&f.LogFormat, "log-format", "log as text, as json, or auto: text on a terminal, else json")
	flags.Var(&f.LogRequests, "log-requests", "requests that are logged: all, failures (the server's own, and refusals) or none")
	flags.Var(&f.LoginLimits, "limits", "limits on failed logins, registrations and mails: on, or off for replays and load tests")
	flags.Var(&f.UserLimit, "limit-per-user", "failed logins of one username")
	flags.Var(&f.AddressLimit, "limit-per-address", "failed logins from one address")
	flags.Var(&f.RegistrationLimit, "limit-registrations", "registrations from one address")
	flags.StringSliceVar(&f.TrustedProxies, "trusted-proxy", nil, "network or address whose X-Forwarded-For and X-Request-Id are believed (repeatable)")
	flags.IntVar(&f.HashConcurrency, "hash-concurrency", 0, "passwords hashed at a time; 0: one processor less than there are")
	flags.IntVar(&f.HashQueue, "hash-queue", 0, "passwords that wait to be hashed at most, before others are refused; 0: 32 for each thread")
	flags.IntVar(&f.MaxConnections, "max-connections", 0, "open connections at each address; 0: as many as its share of the system's limit on open files allows, at most 16384")
	flags.IntVar(&f.MaxHeaderBytes, "max-header-bytes", httpserver.DefaultMaxHeaderBytes, "bytes of a request line and header, of which more are refused")
	flags.IntVar(&f.MaxHeaderFields, "max-header-fields", httpserver.DefaultMaxHeaderFields, "header fields of a request, of which more are refused")
	flags.StringVar(&f.TLSCertFile, "tls-cert", "", "file with the certificate chain (PEM): the APIs are served over TLS")
	flags.StringVar(&f.TLSKeyFile, "tls-key", "", "file with the certificate's key (PEM)")
	flags.Var(&f.TLSMinVersion, "tls-min-version", "oldest version of TLS: 1.0, 1.1, 1.2 or 1.3; below 1.2 for clients that can't be changed")
	flags.Var(&f.TLSLegacyCiphers, "tls-legacy-ciphers", "RSA key exchange and 3DES, for clients that can't be changed: on or off")
	flags.Var(&f.ExpiredTokenRetention, "expired-token-retention", "how long expired tokens are kept, so that clients are told that they expired")
	flags.Var(&f.AuditRetention, "audit-retention", "how long the audit record is kept, for instance 400d; 0: for ever")
	flags.Var(&f.CountCallers, callersCountFlag, "keep who calls the APIs, for authcompat callers: on, off, or auto: on, but off in a Django database that is worked on")
	flags.Var(&f.CallersRetention, callersRetentionFlag, "how long it is kept who called; 0: not at all")
	f.Mail.addFlags(flags)
	f.CommonPasswords.AddFlags(flags)
}

// The flags of who calls.
const (
	callersCountFlag     = "callers"
	callersRetentionFlag = "callers-retention"
)
