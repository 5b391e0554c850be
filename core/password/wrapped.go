package password

import (
	"crypto/md5"
	"crypto/sha1"
	"encoding/hex"
)

// wrappedRow is pbkdf2_sha256 over an older digest of the password in lower-case
// hexadecimal digits. With these the recipe in Django's documentation ("Password
// upgrading without requiring a login", topics/auth/passwords) replaces weak
// hashes whose passwords nobody knows. A salted digest has the row's own salt,
// which came from the older row and may be short.
//
// Django's text has the class for salted SHA-1, PBKDF2WrappedSHA1PasswordHasher;
// the others are what sites wrote after its pattern.
type wrappedRow struct {
	pbkdf2Row
}

func decodeWrapped(format Format, encoded string) (row, error) {
	r, err := decodePBKDF2(format, encoded)
	if err != nil {
		return nil, err
	}
	return wrappedRow{r.(pbkdf2Row)}, nil
}

// digest is what the older row had behind its salt, the text that was wrapped.
func (r wrappedRow) digest(password string) string {
	text := []byte(password)
	if r.format == WrappedSHA1 || r.format == WrappedMD5 {
		text = []byte(r.salt + password)
	}
	switch r.format {
	case WrappedMD5, WrappedUnsaltedMD5:
		sum := md5.Sum(text)
		return hex.EncodeToString(sum[:])
	default:
		sum := sha1.Sum(text)
		return hex.EncodeToString(sum[:])
	}
}

func (r wrappedRow) matches(password string) bool {
	return r.pbkdf2Row.matches(r.digest(password))
}

// weaker is true at any number of iterations, as Django makes a password anew
// whose algorithm is not the preferred one (check_password): a wrapped row is
// there until its user logs in, and no longer.
func (r wrappedRow) weaker(int) bool { return true }
