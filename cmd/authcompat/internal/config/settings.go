package config

import "slices"

// setting is a key of the configuration file, the flag that it stands for, its value in
// a [Config], and what a change of it takes while a server runs.
type setting struct {
	key, flag string
	scope     reloadScope
	equal     func(a, b *Config) bool
	copy      func(to, from *Config)
}

// reloadScope is what a change of a setting takes.
type reloadScope int

const (
	reloadable             reloadScope = iota // SIGHUP
	restartOnly                               // a restart
	restartOnToggle                           // SIGHUP, but a restart where TLS is turned on or off
	restartOnAddressChange                    // as the listeners: a restart where an address changes
)

// settings are the keys of a configuration file, in the order in which they are shown,
// but for the listeners, which are a list of maps.
func settings() []setting {
	return []setting{
		of("listen", "listen", restartOnAddressChange, func(c *Config) *string { return &c.listen }),
		of("manage", "manage", restartOnly, func(c *Config) *string { return &c.Manage }),
		of("store", "store", restartOnly, func(c *Config) *string { return &c.Engine.Store }),
		of("map", "map", restartOnly, func(c *Config) *string { return &c.Engine.Mapping }),
		of("secret_key_file", "secret-key-file", restartOnly, func(c *Config) *string { return &c.KeyFile }),
		of("password_iterations", "password-iterations", restartOnly, func(c *Config) *int { return &c.Engine.Iterations }),
		of("expired_token_retention", "expired-token-retention", reloadable, func(c *Config) *Duration { return &c.ExpiredTokenRetention }),
		of("audit_retention", "audit-retention", reloadable, func(c *Config) *Duration { return &c.AuditRetention }),
		listOf("trusted_proxies", "trusted-proxy", reloadable, func(c *Config) *[]string { return &c.TrustedProxies }),
		of("log.format", "log-format", restartOnly, func(c *Config) *string { return &c.LogFormat.value }),
		of("log.requests", "log-requests", reloadable, func(c *Config) *string { return &c.LogRequests.value }),
		of("login_limits.enabled", "limits", reloadable, func(c *Config) *toggle { return &c.LoginLimits }),
		of("login_limits.per_user", "limit-per-user", reloadable, func(c *Config) *rateLimit { return &c.UserLimit }),
		of("login_limits.per_address", "limit-per-address", reloadable, func(c *Config) *rateLimit { return &c.AddressLimit }),
		of("limits.connections", "max-connections", restartOnly, func(c *Config) *int { return &c.MaxConnections }),
		of("hashing.concurrency", "hash-concurrency", restartOnly, func(c *Config) *int { return &c.HashConcurrency }),
		of("hashing.queue", "hash-queue", restartOnly, func(c *Config) *int { return &c.HashQueue }),
		of("tls.cert_file", "tls-cert", restartOnToggle, func(c *Config) *string { return &c.TLSCertFile }),
		of("tls.key_file", "tls-key", restartOnToggle, func(c *Config) *string { return &c.TLSKeyFile }),
	}
}

// otherSettings are the flags of a server that are no key, or a key with a form of its
// own.
func otherSettings() []setting {
	return []setting{
		listOf(listenersKey, listenersFlag, restartOnAddressChange, func(c *Config) *[]binding { return (*[]binding)(&c.bindings) }),
		of("", configFlag, restartOnly, func(c *Config) *string { return &c.Engine.ConfigFile }),
		of("", "pprof", restartOnly, func(c *Config) *bool { return &c.Pprof }),
	}
}

// of makes a setting of a value.
func of[T comparable](key, flag string, scope reloadScope, field func(*Config) *T) setting {
	return setting{
		key, flag, scope,
		func(a, b *Config) bool { return *field(a) == *field(b) },
		func(to, from *Config) { *field(to) = *field(from) },
	}
}

// listOf makes a setting of a list of values.
func listOf[T comparable](key, flag string, scope reloadScope, field func(*Config) *[]T) setting {
	return setting{
		key, flag, scope,
		func(a, b *Config) bool { return slices.Equal(*field(a), *field(b)) },
		func(to, from *Config) { *field(to) = slices.Clone(*field(from)) },
	}
}
