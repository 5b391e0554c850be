package password

import (
	"crypto/subtle"
	"fmt"
	"regexp"
	"runtime/debug"
	"strconv"
	"strings"
)

// row is a decoded password string.
type row interface {
	// cost is the work that matches does.
	cost() Cost
	// matches reports whether the password is the row's. It always does the
	// whole work.
	matches(password string) bool
	// weaker reports whether a new pbkdf2_sha256 row with that many iterations
	// would be harder to guess, and in no respect easier; it is always true of
	// formats that only a migration keeps alive.
	weaker(iterations int) bool
}

// Verify reports whether encoded, a Django password string, was made from
// password.
//
// An error means that nothing was computed and that the password must be taken
// as wrong: it is [ErrUnusable], an [*UnsupportedError], a [*MalformedError] or a
// [*LimitError], and contains no part of encoded but the name of an unknown
// algorithm. Django 3.2 answers false for
// unusable passwords and unknown algorithms, and raises an exception (a status
// 500) for most of what is malformed here.
func Verify(encoded, password string) (bool, error) {
	r, err := decode(encoded)
	if err != nil {
		return false, err
	}
	return compute(r, password), nil
}

// compute does the work of a row on a stack of its own. How far the stack is from
// a boundary of the processor's caches changes the time of a hash by a few per
// cent: enough to tell from outside which way a login took to it, and so whether
// there is such a user. A new stack begins at the same distance each time.
func compute(r row, password string) (matches bool) {
	var cause *Panic
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			if value := recover(); value != nil {
				cause = &Panic{Value: value, Stack: debug.Stack()}
			}
		}()
		matches = r.matches(password)
	}()
	<-done
	if cause != nil {
		panic(cause) // where it is looked for
	}
	return matches
}

// Panic is what [Verify] and [Cost.HashDummy] panic with if a hash does: a defect. It
// has the stack of the hash.
type Panic struct {
	Value any
	Stack []byte
}

// Error implements error. Of the value it tells the type alone: it may hold what a
// client sent.
func (p *Panic) Error() string { return fmt.Sprintf("a hash panicked with a %T\n%s", p.Value, p.Stack) }

// IsUsable reports whether encoded can ever verify as far as its first
// character tells: "!" marks the password of a user who has none, as in Django
// 3.2's is_password_usable.
func IsUsable(encoded string) bool {
	return !strings.HasPrefix(encoded, "!")
}

func decode(encoded string) (row, error) {
	if !IsUsable(encoded) {
		return nil, ErrUnusable
	}
	if err := bound(Unknown, "length", uint64(len(encoded)), MaxEncoded); err != nil {
		return nil, err
	}
	switch format := Format(algorithm(encoded)); format {
	case PBKDF2SHA256, PBKDF2SHA1:
		return decodePBKDF2(format, encoded)
	case WrappedSHA1, WrappedMD5, WrappedUnsaltedSHA1, WrappedUnsaltedMD5:
		return decodeWrapped(format, encoded)
	case BcryptSHA256, Bcrypt:
		return decodeBcrypt(format, encoded)
	case Scrypt:
		return decodeScrypt(encoded)
	case argon2Name:
		return decodeArgon2(encoded)
	case SHA1, MD5, UnsaltedSHA1, UnsaltedMD5:
		return decodeDigest(format, encoded)
	case Crypt:
		return nil, &UnsupportedError{Format: Crypt}
	default:
		return nil, &UnsupportedError{Format: Unknown, Algorithm: named(encoded)}
	}
}

// hasherName is how Django's own algorithms are named, and those of sites.
var hasherName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,39}$`)

// named is the name of an algorithm that is not known here, for reports. It is ""
// where that may be a secret: for fewer than two dollars, as in HASH$SALT, and
// for hexadecimal digits alone, which with more behind them may still be a digest.
func named(encoded string) string {
	name, _, _ := strings.Cut(encoded, "$")
	digits := strings.Trim(name, "0123456789abcdef") == ""
	if digits || strings.Count(encoded, "$") < 2 || !hasherName.MatchString(name) {
		return ""
	}
	return name
}

// equal compares whole encoded strings in constant time.
func equal(a, b string) bool {
	return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1
}

// number reads a field of ASCII digits. A number too large for 64 bits is the
// largest there is, which is beyond any limit. Python's int also takes signs,
// blanks, underscores and other scripts' digits, none of which could verify.
func number(field string) (uint64, bool) {
	for _, c := range []byte(field) {
		if c < '0' || c > '9' {
			return 0, false
		}
	}
	// On a range error the value is the largest one, as wanted.
	n, _ := strconv.ParseUint(field, 10, 64)
	return n, field != ""
}
