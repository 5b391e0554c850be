package password

import (
	"crypto/md5"
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"fmt"
)

// wrappedRow is pbkdf2_sha256 over an older digest of the password, in lower-case
// hexadecimal digits: what the recipe in Django's documentation makes of weak
// hashes without the passwords ("Password upgrading without requiring a login",
// topics/auth/passwords). The salt of a salted digest is that of the row.
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

// digest is the older hash, which the recipe took out of the row.
func (r wrappedRow) digest(password string) string {
	switch r.format {
	case WrappedSHA1:
		password = r.salt + password
		fallthrough
	case WrappedUnsaltedSHA1:
		sum := sha1.Sum([]byte(password))
		return hex.EncodeToString(sum[:])
	case WrappedMD5:
		password = r.salt + password
	}
	sum := md5.Sum([]byte(password))
	return hex.EncodeToString(sum[:])
}

func (r wrappedRow) matches(password string) bool {
	key := pbkdf2SHA256(r.digest(password), r.salt, r.iterations)
	return equal(r.encoded, fmt.Sprintf("%s$%d$%s$%s", r.format, r.iterations, r.salt, base64.StdEncoding.EncodeToString(key)))
}

// weaker is always true: Django makes an algorithm that is not its preferred one
// anew at the next login.
func (r wrappedRow) weaker(int) bool { return true }
