package maillink

import (
	"crypto/hmac"
	"encoding/base64"
	"math"
	"strconv"
	"strings"
	"time"
)

// The keys with which users confirm their addresses are those of django-allauth 0.57
// (allauth/account/models.py, EmailConfirmationHMAC): the primary key of the address, as
// django/core/signing.py, dumps, signs it. They are "payload:timestamp:signature": base64 of the number, the
// seconds since 1970 in base 62, and an HMAC. Nothing is stored: a key is good until the address is
// verified, and so are all others of that address.

// emailKeySalt is allauth's SALT (ACCOUNT_SALT), with what django/core/signing.py, Signer.signature, appends.
const emailKeySalt = "account" + "signer"

// emailKeyTimeout is allauth's EMAIL_CONFIRMATION_EXPIRE_DAYS: how long a key is good.
const emailKeyTimeout = 3 * 24 * time.Hour

// base62 are the digits of django/utils/baseconv.py (4.0: signing.py, b62_encode).
const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// maxEmailKey is longer than any key: 26 bytes of a number, 11 of a timestamp, and 43 of SHA-256.
const maxEmailKey = 128

// MakeEmailKey returns a key that confirms the address with this primary key. Django signs with SHA-256
// since 3.1, and before with SHA-1.
func (g *Generator) MakeEmailKey(addressID int64, now time.Time) string {
	f := g.Format
	if f == "" {
		f = Django31
	}
	value := encode64([]byte(strconv.FormatInt(addressID, 10))) + ":" + encode62(now.Unix())
	return value + ":" + signature(f, g.Secrets[0], value)
}

// CheckEmailKey returns the primary key of the address that a key confirms, or ErrInvalid or ErrExpired;
// allauth makes no difference between them.
func (g *Generator) CheckEmailKey(key string, now time.Time) (addressID int64, err error) {
	if len(key) > maxEmailKey {
		return 0, ErrInvalid
	}
	end := strings.LastIndexByte(key, ':')
	if end < 0 || !g.signed(key[:end], key[end+1:]) {
		return 0, ErrInvalid
	}
	// Whoever has the secret made the rest.
	payload, timestamp, ok := strings.Cut(key[:end], ":")
	made, ok62 := decode62(timestamp)
	text, err := base64.RawURLEncoding.DecodeString(payload)
	if !ok || !ok62 || err != nil {
		return 0, ErrInvalid
	}
	addressID, err = strconv.ParseInt(string(text), 10, 64)
	if err != nil || addressID <= 0 {
		return 0, ErrInvalid
	}
	if now.Sub(time.Unix(made, 0)) > emailKeyTimeout {
		return 0, ErrExpired
	}
	return addressID, nil
}

// signed reports whether a signature is that of a value in one of the forms that are accepted, with one of
// the secrets. It compares with all of them, so that its time tells nothing.
func (g *Generator) signed(value, given string) (ok bool) {
	accepted := g.Accepted
	if accepted == nil {
		accepted = Formats()
	}
	for _, f := range accepted {
		for _, secret := range g.Secrets {
			if hmac.Equal([]byte(signature(f, secret, value)), []byte(given)) {
				ok = true
			}
		}
	}
	return ok
}

// signature is Signer.signature of django/core/signing.py.
func signature(f Format, secret, value string) string {
	return encode64(saltedHMAC(f, emailKeySalt, secret, value))
}

func encode64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// encode62 writes a number that is not negative, or 0.
func encode62(n int64) string {
	digits := ""
	for ; n > 0; n /= int64(len(base62)) {
		digits = string(base62[n%int64(len(base62))]) + digits
	}
	if digits == "" {
		return "0"
	}
	return digits
}

// decode62 reads a number that is not negative.
func decode62(digits string) (n int64, ok bool) {
	for _, digit := range []byte(digits) {
		value := int64(strings.IndexByte(base62, digit))
		if value < 0 || n > (math.MaxInt64-value)/int64(len(base62)) {
			return 0, false
		}
		n = n*int64(len(base62)) + value
	}
	return n, digits != ""
}
