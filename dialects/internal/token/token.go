// Package token reads the Authorization header, and translates what a profile says
// about tokens into the engine's policy.
package token

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/profiles"
)

// ParseResult says what an Authorization header holds.
type ParseResult int

// The results of Parse.
const (
	// Absent is no header, an empty one, or another scheme: the request is
	// anonymous.
	Absent ParseResult = iota
	// Empty is the scheme alone.
	Empty
	// HasSpaces is more than one word after the scheme.
	HasSpaces
	// NotUTF8 is a token that is not UTF-8.
	NotUTF8
	// NotBase64 are credentials of HTTP Basic that are none.
	NotBase64
	// Found is a token to look up, or a name and a password.
	Found
)

// Parse reads a header as TokenAuthentication.authenticate does
// (rest_framework/authentication.py; knox/auth.py is the same): split at ASCII
// white space, the scheme compared without case.
func Parse(header, scheme string) (ParseResult, string) {
	first, rest := word(header)
	if first == "" || !equalASCII(first, scheme) {
		return Absent, ""
	}
	key, rest := word(rest)
	if key == "" {
		return Empty, ""
	}
	if more, _ := word(rest); more != "" {
		return HasSpaces, ""
	}
	if !utf8.ValidString(key) {
		return NotUTF8, ""
	}
	return Found, key
}

// word cuts the first word off s; it is empty where there is none.
func word(s string) (first, rest string) {
	start := 0
	for start < len(s) && isSpace(s[start]) {
		start++
	}
	end := start
	for end < len(s) && !isSpace(s[end]) {
		end++
	}
	return s[start:end], s[end:]
}

// isSpace is bytes.isspace: ASCII alone.
func isSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

// equalASCII compares without regard to the case of ASCII letters, as bytes.lower
// does. (strings.EqualFold would take the Kelvin sign for a k.)
func equalASCII(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// knoxPrefix is how much of a token django-rest-knox up to 4.2 looks up as text
// (knox/settings.py, CONSTANTS.TOKEN_KEY_LENGTH). It reads the rest as hex.
const knoxPrefix = 8

// Presented gives what the engine looks up for the token in a header.
func Presented(text string, m profiles.Match) core.Presented {
	if m == profiles.MatchKnox42 && len(text) > knoxPrefix {
		for i := knoxPrefix; i < len(text); i++ {
			if c := text[i]; c >= 'A' && c <= 'F' {
				return core.Presented(text[:knoxPrefix] + strings.ToLower(text[knoxPrefix:]))
			}
		}
	}
	return core.Presented(text)
}

// interval gives the engine's interval, of which 0 is the default.
func interval(t profiles.Tokens) time.Duration {
	if t.Sliding && t.Interval == 0 {
		return -1
	}
	return t.Interval
}

// loginBy is what users name themselves by, where a login does not say it.
func loginBy(p *profiles.Profile) core.Identifier {
	roles := p.LogsInBy()
	username, email := slices.Contains(roles, profiles.RoleUsername), slices.Contains(roles, profiles.RoleEmail)
	switch {
	case slices.Contains(roles, profiles.RoleUsernameOrEmail), username && email:
		return core.ByUsernameOrEmail
	case email:
		return core.ByEmail
	}
	return core.ByUsername
}

// verification is what becomes of whether users have verified their address.
func verification(p *profiles.Profile) core.EmailVerification {
	switch p.Emails.Verification {
	case profiles.VerificationOptional:
		return core.EmailVerificationOptional
	case profiles.VerificationMandatory:
		return core.EmailVerificationMandatory
	}
	return core.EmailVerificationNone
}

// Policy gives the engine's policy for a profile.
func Policy(p *profiles.Profile) core.Policy {
	return core.Policy{
		Issuer:            p.Name,
		Realm:             p.Tokens.Realm,
		TokenHex:          p.Tokens.Hex,
		TTL:               p.Tokens.TTL,
		Sliding:           p.Tokens.Sliding,
		RefreshInterval:   interval(p.Tokens),
		MaxTTL:            p.Tokens.Max,
		Limit:             p.Tokens.Limit,
		Prefix:            p.Tokens.Prefix,
		Reuse:             p.Tokens.PerUser == profiles.OnePerUser,
		LegacyFormat:      core.LegacyFormat(p.Tokens.LegacyFormat),
		TellThrottled:     p.Throttling == profiles.Revealed,
		LoginBy:           loginBy(p),
		UsernameCaseBlind: p.Usernames.Case == profiles.CaseInsensitive,
		EmailCaseBlind:    p.Emails.Case == profiles.CaseInsensitive,
		UniqueEmail:       p.Emails.Unique,
		EmailVerification: verification(p),
		UpdateLastLogin:   slices.ContainsFunc(p.Endpoints, func(e profiles.Endpoint) bool { return e.UpdateLastLogin }),
		EmailIsUsername:   p.Usernames.Email,
		MaxUsername:       p.MaxUsername(),
		NormalizeUsername: p.Rules.NormalizeUsername == profiles.NormalizeUsernameNFKC,
		NormalizeEmail:    p.Rules.NormalizeEmail == profiles.NormalizeEmailDomain,
	}
}
