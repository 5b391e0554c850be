package maillink

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"strconv"
	"strings"
	"time"
)

// Format is a form of the token, named by the Django that makes it.
type Format string

// The formats.
const (
	// Django22 is that of Django 2.2 and 3.0: days, SHA-1, without the e-mail address.
	Django22 Format = "2.2"
	// Django31SHA1 is that of Django 3.1 and 3.2 with DEFAULT_HASHING_ALGORITHM = 'sha1': seconds, SHA-1.
	Django31SHA1 Format = "3.1-sha1"
	// Django31 is that of Django 3.1 to 5.1: seconds, SHA-256.
	Django31 Format = "3.1"
)

// Formats returns all formats, the newest first.
func Formats() []Format { return []Format{Django31, Django31SHA1, Django22} }

// digest returns the hash of a format.
func (f Format) digest() func() hash.Hash {
	if f == Django31 {
		return sha256.New
	}
	return sha1.New
}

// keySalt is the key_salt of PasswordResetTokenGenerator.
const keySalt = "django.contrib.auth.tokens.PasswordResetTokenGenerator"

// DefaultTimeout is Django's PASSWORD_RESET_TIMEOUT: three days.
const DefaultTimeout = 72 * time.Hour

// day is the unit of timestamps of Django22.
const day = 24 * time.Hour

// maxBase36 is how many digits django/utils/http.py, base36_to_int, takes.
const maxBase36 = 13

// User is what a token depends on.
type User struct {
	ID           int64  // the primary key
	PasswordHash string // as Django encodes it
	Email        string // empty: none
	// Emails are other addresses of the user, for a Generator with AllEmails.
	Emails    []string
	LastLogin time.Time // zero: never; only whole seconds count
}

// Generator makes and checks tokens. It is not changed after its first use, and is then safe for
// concurrent use. It needs a secret.
type Generator struct {
	// Secrets are SECRET_KEY, which makes tokens, and SECRET_KEY_FALLBACKS (Django 4.1), with which
	// they are accepted, too.
	Secrets []string
	// Format is the form of the tokens that are made; empty: Django31.
	Format Format
	// Accepted are the forms that are accepted; nil: all.
	Accepted []Format
	// Timeout is PASSWORD_RESET_TIMEOUT, in seconds, or PASSWORD_RESET_TIMEOUT_DAYS of Django 2.2; 0:
	// DefaultTimeout. A token of Django22 has whole days, and lasts until the end of the last.
	Timeout time.Duration
	// Zone is TIME_ZONE, in which Django reads the clock for timestamps; nil: UTC.
	Zone *time.Location
	// LoginZone is the zone of last_login: UTC (nil) with USE_TZ, or else TIME_ZONE.
	LoginZone *time.Location
	// AllEmails is set for the tokens of django-allauth, which dj-rest-auth uses where that is
	// installed: all addresses of the user follow what Django hashes.
	AllEmails bool
}

// Make returns a token for the user.
func (g *Generator) Make(u User, now time.Time) string {
	f := g.Format
	if f == "" {
		f = Django31
	}
	timestamp := int64(g.sinceEpoch(now) / time.Second)
	if f == Django22 {
		timestamp = g.days(now)
	}
	return g.token(f, g.Secrets[0], u, timestamp)
}

// The errors of Check.
var (
	ErrInvalid = errors.New("the token of the link is not the user's")
	ErrExpired = errors.New("the token of the link has expired")
)

// Check returns nil if the token is good for the user now, or else ErrInvalid or ErrExpired; Django
// makes no difference between them.
func (g *Generator) Check(u User, token string, now time.Time) error {
	digits, _, ok := strings.Cut(token, "-")
	if !ok || len(digits) > maxBase36 {
		return ErrInvalid
	}
	timestamp, err := strconv.ParseInt(digits, base36, 64)
	if err != nil || timestamp < 0 {
		return ErrInvalid
	}
	f, ok := g.match(u, token, timestamp)
	if !ok {
		return ErrInvalid
	}
	timeout := g.Timeout
	if timeout == 0 {
		timeout = DefaultTimeout
	}
	// A timestamp in the future is good, as there: the secret's owner has made it.
	if f == Django22 && g.days(now)-timestamp > int64(timeout/day) || f != Django22 && int64(g.sinceEpoch(now)/time.Second)-timestamp > int64(timeout/time.Second) {
		return ErrExpired
	}
	return nil
}

// match returns the form and secret with which the token is the user's. It compares with all of
// them, so that its time tells nothing of the token.
func (g *Generator) match(u User, token string, timestamp int64) (found Format, ok bool) {
	accepted := g.Accepted
	if accepted == nil {
		accepted = Formats()
	}
	for _, f := range accepted {
		for _, secret := range g.Secrets {
			if hmac.Equal([]byte(g.token(f, secret, u, timestamp)), []byte(token)) {
				found, ok = f, true
			}
		}
	}
	return found, ok
}

// token returns the token of a timestamp.
func (g *Generator) token(f Format, secret string, u User, timestamp int64) string {
	full := hex.EncodeToString(saltedHMAC(f, keySalt, secret, g.hashValue(f, u, timestamp)))
	half := make([]byte, 0, len(full)/2)
	for i := 0; i < len(full); i += 2 {
		half = append(half, full[i])
	}
	return strconv.FormatInt(timestamp, base36) + "-" + string(half)
}

// saltedHMAC is salted_hmac of django/utils/crypto.py.
func saltedHMAC(f Format, salt, secret, value string) []byte {
	key := f.digest()()
	key.Write([]byte(salt + secret))
	mac := hmac.New(f.digest(), key.Sum(nil))
	mac.Write([]byte(value))
	return mac.Sum(nil)
}

// hashValue returns what Django hashes (_make_hash_value).
func (g *Generator) hashValue(f Format, u User, timestamp int64) string {
	login := ""
	if !u.LastLogin.IsZero() {
		login = u.LastLogin.In(orUTC(g.LoginZone)).Format(time.DateTime)
	}
	value := strconv.FormatInt(u.ID, 10) + u.PasswordHash + login + strconv.FormatInt(timestamp, 10)
	if f != Django22 {
		value += u.Email
	}
	if g.AllEmails {
		value += allEmails(u)
	}
	return value
}

// sinceEpoch returns the time by the clock on Django's wall since the beginning of 2001.
func (g *Generator) sinceEpoch(now time.Time) time.Duration {
	now = now.In(orUTC(g.Zone))
	wall := time.Date(now.Year(), now.Month(), now.Day(), now.Hour(), now.Minute(), now.Second(), 0, time.UTC)
	return wall.Sub(time.Date(2001, time.January, 1, 0, 0, 0, 0, time.UTC))
}

// days returns the days since the beginning of 2001.
func (g *Generator) days(now time.Time) int64 { return int64(g.sinceEpoch(now) / day) }

// orUTC returns the zone, or UTC if there is none.
func orUTC(zone *time.Location) *time.Location {
	if zone == nil {
		return time.UTC
	}
	return zone
}
