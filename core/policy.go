package core

import "time"

// DefaultRealm is the realm of every profile that names no other.
const DefaultRealm = "default"

// Policy is what one API decides about the tokens it issues. A dialect makes it
// from its profile, once.
type Policy struct {
	// Issuer is the profile's name. It keeps apart the tokens that two APIs on
	// one user base show again to the same user.
	Issuer string
	// Realm is the set of tokens that the API honours: each token of the realm,
	// whichever profile issued it.
	Realm string
	// TokenHex is the length of a token in hex digits, at least MinTokenHex.
	TokenHex int
	// TTL is how long a token lives from its login on; 0 is forever.
	TTL time.Duration
	// Sliding makes each authenticated request, and each login that shows the
	// token again, start the TTL anew.
	Sliding bool
	// Reuse shows a user's live token again at each login instead of issuing
	// another one.
	Reuse bool
	// Keep names the older form that is kept of each token beside the engine's
	// own, so that it can be handed back to an older server: a digest of knox's,
	// or with Authtoken the sealed text. Empty: none.
	LegacyFormat LegacyFormat
	// TellThrottled answers a login after too many guesses with KindThrottled
	// instead of the failure of a wrong password.
	TellThrottled bool
	// NormalizeUsername brings a username to Unicode's NFKC form before it is
	// stored (Django 1.10 and later: django/contrib/auth/base_user.py,
	// AbstractBaseUser.normalize_username).
	NormalizeUsername bool
	// NormalizeEmail lower-cases the domain of an address before it is stored
	// (django/contrib/auth/base_user.py, BaseUserManager.normalize_email).
	NormalizeEmail bool
}

// expiry is when a token issued or moved at now ends.
func (p Policy) expiry(now time.Time) time.Time {
	if p.TTL == 0 {
		return time.Time{}
	}
	return now.Add(p.TTL)
}

// sliding is how far each use of a token issued under p moves its end.
func (p Policy) sliding() time.Duration {
	if !p.Sliding {
		return 0
	}
	return p.TTL
}
