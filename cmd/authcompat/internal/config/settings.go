package config

import (
	"slices"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/config/flagvalue"
)

// setting is a key of the configuration file with its flag, its value in a [Config], and
// what it takes to change it while a server runs.
type setting struct {
	key, flag string
	scope     reloadScope
	equal     func(a, b *Config) bool
	copy      func(to, from *Config)
}

// reloadScope is what it takes to change a setting.
type reloadScope int

const (
	reloadable             reloadScope = iota // SIGHUP
	restartOnly                               // a restart
	restartOnToggle                           // SIGHUP, but a restart if TLS is turned on or off
	restartOnAddressChange                    // SIGHUP, but a restart if an address changes
)

// settings returns the keys of the configuration file in the order in which they are
// printed, without the listeners, which are a list of maps.
func settings() []setting {
	return slices.Concat([]setting{
		of("listen", "listen", restartOnAddressChange, func(c *Config) *string { return &c.listen }),
		of("manage", "manage", restartOnly, func(c *Config) *string { return &c.Manage }),
		of("ask.address", askFlag, restartOnly, func(c *Config) *string { return &c.Ask }),
		of("ask.tls", askTLSFlag, restartOnly, func(c *Config) *flagvalue.Toggle { return &c.AskTLS }),
		of("ask.callers_file", callersFlag, reloadable, func(c *Config) *string { return &c.CallersFile }),
		of(askIdentityKey, askIdentityFlag, reloadable, func(c *Config) *AskIdentity { return &c.AskIdentity }),
		of("store", "store", restartOnly, func(c *Config) *string { return &c.Engine.Store }),
		of("map", "map", restartOnly, func(c *Config) *string { return &c.Engine.Mapping }),
		of("secret_key_file", "secret-key-file", restartOnly, func(c *Config) *string { return &c.KeyFile }),
		of("password_iterations", "password-iterations", restartOnly, func(c *Config) *int { return &c.Engine.Iterations }),
		of("expired_token_retention", "expired-token-retention", reloadable, func(c *Config) *flagvalue.Duration { return &c.ExpiredTokenRetention }),
		of("audit_retention", "audit-retention", reloadable, func(c *Config) *flagvalue.Duration { return &c.AuditRetention }),
		of("callers.enabled", callersCountFlag, reloadable, func(c *Config) *string { return &c.CountCallers.Value }),
		of("callers.retention", callersRetentionFlag, reloadable, func(c *Config) *flagvalue.Duration { return &c.CallersRetention }),
		listOf("trusted_proxies", "trusted-proxy", reloadable, func(c *Config) *[]string { return &c.TrustedProxies }),
		of("log.format", "log-format", restartOnly, func(c *Config) *string { return &c.LogFormat.Value }),
		of("log.requests", "log-requests", reloadable, func(c *Config) *string { return &c.LogRequests.Value }),
		of("login_limits.enabled", "limits", reloadable, func(c *Config) *flagvalue.Toggle { return &c.LoginLimits }),
		of("login_limits.per_user", "limit-per-user", reloadable, func(c *Config) *flagvalue.RateLimit { return &c.UserLimit }),
		of("login_limits.per_address", "limit-per-address", reloadable, func(c *Config) *flagvalue.RateLimit { return &c.AddressLimit }),
		of("login_limits.registrations", "limit-registrations", reloadable, func(c *Config) *flagvalue.RateLimit { return &c.RegistrationLimit }),
		of("limits.connections", "max-connections", restartOnly, func(c *Config) *int { return &c.MaxConnections }),
		of("limits.header_bytes", "max-header-bytes", restartOnly, func(c *Config) *int { return &c.MaxHeaderBytes }),
		of("limits.header_fields", "max-header-fields", restartOnly, func(c *Config) *int { return &c.MaxHeaderFields }),
		of("hashing.concurrency", "hash-concurrency", restartOnly, func(c *Config) *int { return &c.HashConcurrency }),
		of("hashing.queue", "hash-queue", restartOnly, func(c *Config) *int { return &c.HashQueue }),
		of("tls.cert_file", "tls-cert", restartOnToggle, func(c *Config) *string { return &c.TLSCertFile }),
		of("tls.key_file", "tls-key", restartOnToggle, func(c *Config) *string { return &c.TLSKeyFile }),
		of("tls.min_version", "tls-min-version", reloadable, func(c *Config) *string { return &c.TLSMinVersion.Value }),
		of("tls.legacy_ciphers", "tls-legacy-ciphers", reloadable, func(c *Config) *flagvalue.Toggle { return &c.TLSLegacyCiphers }),
	}, mailSettings(), consoleSettings())
}

// otherSettings returns the listeners, and the flags that are not in the configuration
// file.
func otherSettings() []setting {
	return []setting{
		listOf(listenersKey, listenersFlag, restartOnAddressChange, func(c *Config) *[]binding { return (*[]binding)(&c.bindings) }),
		of("", configFlag, restartOnly, func(c *Config) *string { return &c.Engine.ConfigFile }),
		of("", frontFlag, reloadable, func(c *Config) *string { return &c.Front }),
		of("", "pprof", restartOnly, func(c *Config) *bool { return &c.Pprof }),
	}
}

// flagOf returns the flag that a key of the configuration file stands for; empty if there
// is no such key.
func flagOf(key string) string {
	for _, s := range settings() {
		if s.key == key {
			return s.flag
		}
	}
	return ""
}

// of returns a setting that has a single value.
func of[T comparable](key, flag string, scope reloadScope, field func(*Config) *T) setting {
	return setting{
		key, flag, scope,
		func(a, b *Config) bool { return *field(a) == *field(b) },
		func(to, from *Config) { *field(to) = *field(from) },
	}
}

// listOf returns a setting that is a list of values.
func listOf[T comparable](key, flag string, scope reloadScope, field func(*Config) *[]T) setting {
	return setting{
		key, flag, scope,
		func(a, b *Config) bool { return slices.Equal(*field(a), *field(b)) },
		func(to, from *Config) { *field(to) = slices.Clone(*field(from)) },
	}
}
