package password

import (
	"crypto/md5"
	"crypto/sha1"
	"encoding/hex"
	"strings"
)

// digestRow is one plain MD5 or SHA-1 of salt and password, in lower-case
// hexadecimal digits (Django 3.2, SHA1PasswordHasher, MD5PasswordHasher,
// UnsaltedSHA1PasswordHasher and UnsaltedMD5PasswordHasher).
type digestRow struct {
	encoded string
	format  Format
	prefix  string // what stands before the hash
	salt    string
}

func decodeDigest(format Format, encoded string) (row, error) {
	r := digestRow{encoded: encoded, format: format}
	switch format {
	case UnsaltedMD5:
		// Both spellings are in use: "md5$$" and the hash, or the hash alone.
		if strings.HasPrefix(encoded, "md5$$") {
			r.prefix = "md5$$"
		}
	case UnsaltedSHA1:
		r.prefix = "sha1$$"
	default:
		fields := strings.SplitN(encoded, "$", 3)
		if len(fields) != 3 {
			return nil, &MalformedError{Format: format, Reason: "fewer than three fields"}
		}
		if fields[1] == "" {
			return nil, &MalformedError{Format: format, Reason: "no salt"}
		}
		r.salt = fields[1]
		r.prefix = string(format) + "$" + r.salt + "$"
	}
	return r, nil
}

func (r digestRow) cost() Cost {
	return Cost{format: r.format}
}

func (r digestRow) encode(password string) string {
	text := []byte(r.salt + password)
	switch r.format {
	case MD5, UnsaltedMD5:
		sum := md5.Sum(text)
		return r.prefix + hex.EncodeToString(sum[:])
	default:
		sum := sha1.Sum(text)
		return r.prefix + hex.EncodeToString(sum[:])
	}
}

func (r digestRow) matches(password string) bool {
	return equal(r.encoded, r.encode(password))
}

func (r digestRow) weaker(int) bool { return true }
