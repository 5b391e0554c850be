package core

import (
	"iter"
	"time"
	"unicode/utf8"
)

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
	// TokenHex is how many hex digits a token has, at least MinTokenHex.
	TokenHex int
	// Prefix comes before the hex digits of a token, whose digest is of the whole text
	// (django-rest-knox 5, TOKEN_PREFIX, where it has at most 10 characters).
	Prefix string
	// Limit is how many tokens of a user in the realm may be live at once, whichever
	// profile issued them; 0: any number. A login beyond it fails with KindTokenLimit. Only
	// tokens that expire are counted, as in django-rest-knox 4.2 to 5.0.2 (knox/views.py,
	// TOKEN_LIMIT_PER_USER). Not with Reuse.
	Limit int
	// TTL is how long a token lives after the login; 0 means forever.
	TTL time.Duration
	// Sliding restarts the TTL at each authenticated request, and at each login that shows
	// the token again.
	Sliding bool
	// RefreshInterval is how much later the expiry of a sliding token must become for it to be
	// written: more than that (django-rest-knox, MIN_REFRESH_INTERVAL). 0 stands for
	// DefaultRefreshInterval; a negative one means that any later expiry is written.
	RefreshInterval time.Duration
	// MaxTTL is how long after its creation a sliding token ends at the latest; 0: it may go on
	// for ever (django-rest-knox 5.0.2, AUTO_REFRESH_MAX_TTL). Not with Reuse.
	MaxTTL time.Duration
	// Reuse shows a user's live token again at each login instead of issuing another one.
	Reuse bool
	// LegacyFormat is the form of an older server that is kept of each token besides the
	// engine's own, so that tokens can be exported to it: a digest of knox, or for
	// Authtoken the sealed text. Empty: none.
	LegacyFormat LegacyFormat
	// TellThrottled answers a login that exceeds a rate limit with KindThrottled instead
	// of the failure of a wrong password.
	TellThrottled bool
	// LoginBy is what users name themselves by at login, and with HTTP Basic.
	LoginBy Identifier
	// UsernameCaseBlind takes usernames that differ in the case of the letters A to Z alone for
	// one, at login and at registration. Of users who have such names already, each logs in by
	// the exact one.
	UsernameCaseBlind bool
	// EmailCaseBlind finds users by their address whatever the case of these letters.
	EmailCaseBlind bool
	// UniqueEmail refuses the address of another user, whatever the case of these letters, with
	// KindEmailTaken.
	UniqueEmail bool
	// EmailVerification says what becomes of whether users have verified their address.
	EmailVerification EmailVerification
	// UpdateLastLogin is set where the old server's login sends the signal user_logged_in, which
	// updates last_login (django/contrib/auth/models.py, update_last_login): knox's LoginView and
	// djoser's token/login/, not DRF's ObtainAuthToken. Links that were sent before such a login end.
	UpdateLastLogin bool
	// EmailIsUsername is set where users have no other name than their address, as in models with
	// USERNAME_FIELD = "email": whoever gets a username gets it as the address, too. It is normalized as one.
	EmailIsUsername bool
	// MaxUsername is how many code points a new username has at most, as it is stored; 0:
	// MaxUsername. Longer ones that users have stay.
	MaxUsername int
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

// refreshInterval is RefreshInterval with its default.
func (p Policy) refreshInterval() time.Duration {
	switch {
	case p.RefreshInterval == 0:
		return DefaultRefreshInterval
	case p.RefreshInterval < 0:
		return 0
	}
	return p.RefreshInterval
}

// renewed is the later expiry that a token gets by a use at now; ok is false if it keeps the
// one that it has. issuer is the policy under which it was issued, as far as that is known.
//
// How far a token slides belongs to its row, which an older server's does not say: there the
// policy through which it is used decides, as in django-rest-knox (knox/auth.py, renew_token).
func (t Token) renewed(issuer Policy, now time.Time) (to time.Time, ok bool) {
	extent := t.Sliding
	if t.Issuer == "" && extent == 0 {
		extent = issuer.sliding()
	}
	if extent == 0 || t.ExpiresAt.IsZero() {
		return to, false
	}
	to = now.Add(extent)
	if latest := t.CreatedAt.Add(issuer.MaxTTL); issuer.MaxTTL > 0 && to.After(latest) {
		to = latest
	}
	return to, to.Sub(t.ExpiresAt) > issuer.refreshInterval()
}

// checkUsername fails with KindInvalidUser if a new username is longer than the API has them.
func (p Policy) checkUsername(username string) error {
	if p.MaxUsername > 0 && utf8.RuneCountInString(username) > p.MaxUsername {
		return &Error{Kind: KindInvalidUser}
	}
	return nil
}

// distinct is what no two users may have in common: what the policy says and, of addresses, that of another API on the same
// users ([Service.AddPolicy]). In Django, it is the user model that says it, for all views: whoever had an address in common with
// another through an API that does not mind would keep that user from logging in by it at one that does. Of names that differ in case alone
// each logs in by the exact one.
func (s *Service) distinct(p Policy) Distinct {
	d := Distinct{Username: p.UsernameCaseBlind, Email: p.UniqueEmail}
	for o := range s.policies() {
		d.Email = d.Email || o.UniqueEmail
	}
	return d
}

// loginByEither reports whether users of the policy, or of another API on the same users, log in by a username or an
// address, and whether the case of the letters A to Z makes no difference in one of them.
func (s *Service) loginByEither(p Policy) (either, caseBlind bool) {
	add := func(p Policy) {
		if p.LoginBy == ByUsernameOrEmail {
			either, caseBlind = true, caseBlind || p.EmailCaseBlind || p.UsernameCaseBlind
		}
	}
	add(p)
	for o := range s.policies() {
		add(o)
	}
	return either, caseBlind
}

// policies are those of the APIs that the engine knows.
func (s *Service) policies() iter.Seq[Policy] {
	return func(yield func(Policy) bool) {
		s.issuers.Range(func(_, p any) bool { return yield(p.(Policy)) })
	}
}

// EmailVerification says what an API makes of whether users have shown that mails to their address reach
// them (ACCOUNT_EMAIL_VERIFICATION of django-allauth).
type EmailVerification int

// The values of EmailVerification.
const (
	EmailVerificationNone      EmailVerification = iota // it does not ask
	EmailVerificationOptional                           // whoever registers gets a key, and logs in without
	EmailVerificationMandatory                          // nobody logs in before
)
