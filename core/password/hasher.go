package password

import (
	"fmt"
	"io"
)

const (
	// DefaultIterations is the iteration count for new passwords, that of
	// Django 4.2 and OWASP's least for PBKDF2 with SHA-256.
	DefaultIterations = 600_000

	// saltLength gives a salt of 128 bits and more (Django 3.2, salt_entropy).
	saltLength = 22
	// unusableLength is Django 3.2's UNUSABLE_PASSWORD_SUFFIX_LENGTH.
	unusableLength = 40

	alphanumeric = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
)

// Hasher makes new password strings: pbkdf2_sha256 with a fixed number of
// iterations, which every release of Django since 1.4 verifies. It is safe for
// use by several goroutines if its source of randomness is.
type Hasher struct {
	iterations int
	random     io.Reader
}

// NewHasher returns a Hasher that iterates that many times and takes salts from
// random, which outside tests is [crypto/rand.Reader]. The error says that
// iterations is not between 1 and [MaxIterations].
func NewHasher(iterations int, random io.Reader) (Hasher, error) {
	if iterations < 1 || iterations > MaxIterations {
		return Hasher{}, fmt.Errorf("password: iterations must be between 1 and %d", MaxIterations)
	}
	return Hasher{iterations: iterations, random: random}, nil
}

// Encode returns a new password string for password, 88 characters with the
// default iterations, with a new salt of 22 letters and digits. The empty
// password is a password like others, as in Django since 1.6. Encode panics if
// the source of randomness fails.
func (h Hasher) Encode(password string) string {
	r := pbkdf2Row{format: PBKDF2SHA256, iterations: h.iterations, salt: h.text(saltLength)}
	return r.encode(password)
}

// Unusable returns a new string that no password matches: "!" and 40 random
// letters and digits, as Django has since 1.6. It panics if the source of
// randomness fails.
func (h Hasher) Unusable() string {
	return "!" + h.text(unusableLength)
}

// Cost is the work of [Hasher.Encode], and of checking what it returns.
func (h Hasher) Cost() Cost {
	return pbkdf2Row{format: PBKDF2SHA256, iterations: h.iterations}.cost()
}

// NeedsRehash reports whether encoded, against which a password was just
// verified, is weaker than what [Hasher.Encode] would write now. Unlike
// must_update in Django 3.2, which follows its settings downwards too, it never
// asks for a change that would make guessing easier, wrapped rows of many
// iterations aside. Weaker are:
//   - pbkdf2_sha256 with fewer iterations, or with as many and a salt of less
//     than 22 characters (128 bits, as in Django 3.2);
//   - pbkdf2_sha1 with less than twice the iterations, SHA-1 being about half
//     the work of SHA-256 to who guesses;
//   - md5 and sha1, salted or not, also where a site has wrapped them, whatever
//     the iterations: those rows are meant to go as their users log in;
//   - bcrypt and bcrypt_sha256 of a cost under 10, scrypt with N·r under 131 072
//     (16 MiB, Django 4.0's default), argon2 with m under 7 168 KiB or m·t under
//     35 840 (such as the 512 KiB of Django 1.10 to 3.1).
//
// The bounds of bcrypt and argon2 are the least that OWASP's Password Storage
// Cheat Sheet (2023) puts beside 600 000 iterations of PBKDF2. At or above
// these bounds such a row stays as it is, whatever the hasher's iterations:
// PBKDF2 is the easier one to guess with special hardware. A string that
// cannot be verified is never weaker.
func (h Hasher) NeedsRehash(encoded string) bool {
	r, err := decode(encoded)
	return err == nil && r.weaker(h.iterations)
}

// text returns n random letters and digits.
func (h Hasher) text(n int) string {
	// The largest multiple of the alphabet in a byte: what lies above is drawn
	// again, so that every character is as likely.
	const fair = 256 / len(alphanumeric) * len(alphanumeric)
	out := make([]byte, 0, n)
	buf := make([]byte, n)
	for {
		if _, err := io.ReadFull(h.random, buf); err != nil {
			panic("password: no randomness: " + err.Error())
		}
		for _, b := range buf {
			if int(b) >= fair {
				continue
			}
			if out = append(out, alphanumeric[int(b)%len(alphanumeric)]); len(out) == n {
				return string(out)
			}
		}
	}
}
