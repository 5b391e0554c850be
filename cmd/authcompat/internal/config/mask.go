package config

import (
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/authcompat/authcompat/store"
)

// masked is shown instead of a secret.
const masked = "***"

// secretLike matches values that may have a secret in them, as options may.
var secretLike = regexp.MustCompile(`(?i)pass|pwd|secret|private|-----BEGIN`)

// maskDSN hides the secrets in a store's address. Nothing is shown of one that can't be
// parsed, because any part of it may be a password.
func maskDSN(dsn string) string {
	if store.ValidateDSN(dsn) != nil {
		return masked
	}
	scheme, rest, isURL := strings.Cut(dsn, "://")
	if !isURL || strings.Contains(scheme, ":") {
		return dsn // the path of a file
	}
	rest, query, hasQuery := strings.Cut(rest, "?")
	authority, path, hasPath := strings.Cut(rest, "/")
	if at := strings.LastIndexByte(authority, '@'); at >= 0 {
		if user, _, has := strings.Cut(authority[:at], ":"); has {
			authority = user + ":" + masked + authority[at:]
		}
	}
	text := scheme + "://" + authority
	if hasPath {
		text += "/" + path
	}
	if hasQuery {
		text += "?" + maskQuery(query)
	}
	return text
}

// showable lists the parameters whose values may be shown: those of lib/pq without its
// secrets, the store's own, and the usual ones of a server. Any other may be a misspelt
// password.
var showable = strings.Fields(`host hostaddr port dbname user passfile options application_name fallback_application_name
	sslmode sslnegotiation sslcert sslkey sslrootcert sslsni ssl_min_protocol_version ssl_max_protocol_version
	krbsrvname krbspn connect_timeout binary_parameters disable_prepared_binary_result client_encoding datestyle tz geqo
	target_session_attrs load_balance_hosts min_protocol_version max_protocol_version service
	schema wait pool_size
	search_path timezone role statement_timeout lock_timeout deadlock_timeout idle_in_transaction_session_timeout idle_session_timeout
	tcp_user_timeout synchronous_commit default_transaction_isolation work_mem`)

// maskQuery hides the values of parameters that are secrets, or may be.
func maskQuery(query string) string {
	pairs := strings.Split(query, "&")
	for i, pair := range pairs {
		name, value, has := strings.Cut(pair, "=")
		plainName, _ := url.QueryUnescape(name) // store.ValidateDSN has tried it
		plainValue, _ := url.QueryUnescape(value)
		if has && plainName != "passfile" && (!slices.Contains(showable, plainName) || secretLike.MatchString(plainValue)) {
			pairs[i] = name + "=" + masked
		}
	}
	return strings.Join(pairs, "&")
}
