package password

import (
	"strings"
	"unicode/utf8"
)

// Format names how an encoded password was computed. The names are Django's
// algorithm names, but for argon2, whose varieties are told apart.
type Format string

// The formats that [Verify] can check.
const (
	PBKDF2SHA256 Format = "pbkdf2_sha256"
	PBKDF2SHA1   Format = "pbkdf2_sha1"
	Argon2ID     Format = "argon2id"
	Argon2I      Format = "argon2i"
	BcryptSHA256 Format = "bcrypt_sha256"
	Bcrypt       Format = "bcrypt"
	Scrypt       Format = "scrypt"
	SHA1         Format = "sha1"
	MD5          Format = "md5"
	UnsaltedSHA1 Format = "unsalted_sha1"
	UnsaltedMD5  Format = "unsalted_md5"

	// Weak digests that a site has wrapped in pbkdf2_sha256. No release ships these
	// hashers: the first is a recipe in Django's documentation, the others follow it.
	WrappedSHA1         Format = "pbkdf2_wrapped_sha1"
	WrappedMD5          Format = "pbkdf2_wrapped_md5"
	WrappedUnsaltedSHA1 Format = "pbkdf2_wrapped_unsalted_sha1"
	WrappedUnsaltedMD5  Format = "pbkdf2_wrapped_unsalted_md5"
)

// The formats that are recognised but cannot be checked; an [UnsupportedError]
// carries one of them.
const (
	// Crypt is crypt(3), which needs the system's C library.
	Crypt Format = "crypt"
	// Argon2D is the variety of argon2 that x/crypto leaves out.
	Argon2D Format = "argon2d"
	// Argon2Version16 is argon2 of either other variety in its version 1.0
	// (16, 0x10); x/crypto knows 1.3 (19) only.
	Argon2Version16 Format = "argon2 version 16"
	// Unknown is an algorithm that no release of Django ships, or no algorithm
	// at all, such as the empty string.
	Unknown Format = "unknown"
)

// argon2Name is Django's algorithm name for argon2 of any variety.
const argon2Name = "argon2"

// algorithm is the name by which Django 3.2's identify_hasher finds the hasher
// of an encoded password. Lengths count characters, not bytes. For a string
// without a dollar the name can be the whole string, so it must not be shown.
func algorithm(encoded string) string {
	length := utf8.RuneCountInString(encoded)
	name, _, dollar := strings.Cut(encoded, "$")
	switch {
	case length == 32 && !dollar,
		length == 37 && strings.HasPrefix(encoded, "md5$$"):
		return string(UnsaltedMD5)
	case length == 46 && strings.HasPrefix(encoded, "sha1$$"):
		return string(UnsaltedSHA1)
	default:
		return name
	}
}
