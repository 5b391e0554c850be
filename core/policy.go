package core

import "time"

// DefaultRealm is the realm of every profile that names no other.
const DefaultRealm = "default"

// Policy says how one API treats the tokens that it issues. A dialect makes it from its
// profile.
type Policy struct {
	// Issuer is the name of the profile. It separates the tokens that two APIs on one user
	// base show again to the same user.
	Issuer string
	// Realm is the set of tokens that the API accepts: every token of the realm, whichever
	// profile issued it.
	Realm string
	// TokenHex is the length of a token in hex digits, at least MinTokenHex.
	TokenHex int
	// TTL is how long a token lives after the login; 0 means forever.
	TTL time.Duration
	// Sliding restarts the TTL at each authenticated request, and at each login that shows
	// the token again.
	Sliding bool
	// Reuse shows a user's live token again at each login instead of issuing another one.
	Reuse bool
	// LegacyFormat is the form of an older server that is kept of each token besides the
	// engine's own, so that tokens can be exported to it: a digest of knox, or for
	// Authtoken the sealed text. Empty: none.
	LegacyFormat LegacyFormat
	// TellThrottled answers a login that exceeds a rate limit with KindThrottled instead
	// of the failure of a wrong password.
	TellThrottled bool
	// NormalizeUsername brings a username to Unicode's NFKC form before it is
	// stored (Django 1.10 and later: django/contrib/auth/base_user.py,
	// AbstractBaseUser.normalize_username).
	NormalizeUsername bool
	// NormalizeEmail lower-cases the domain of an address before it is stored
	// (django/contrib/auth/base_user.py, BaseUserManager.normalize_email).
	NormalizeEmail bool
}

// expiry is when a token expires that was issued or extended at now.
func (p Policy) expiry(now time.Time) time.Time {
	if p.TTL == 0 {
		return time.Time{}
	}
	return now.Add(p.TTL)
}

// sliding is how far each use of a token issued under p extends its expiry.
func (p Policy) sliding() time.Duration {
	if !p.Sliding {
		return 0
	}
	return p.TTL
}
