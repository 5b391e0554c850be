package password

import (
	"crypto/sha1"
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"
)

// cheap reports whether a verification of that cost takes a few milliseconds at most.
func cheap(c Cost) bool {
	switch c.format {
	case PBKDF2SHA256, PBKDF2SHA1, WrappedSHA1, WrappedMD5, WrappedUnsaltedSHA1, WrappedUnsaltedMD5:
		return c.rounds <= 20_000
	case Argon2ID, Argon2I:
		return c.memory*c.rounds <= 16<<10 && c.lanes <= 16
	case BcryptSHA256, Bcrypt:
		return c.rounds <= 6
	case Scrypt:
		return c.rounds*c.block*c.lanes <= 16<<10
	default:
		return true
	}
}

// mutations are the strings that differ from s by one byte changed, removed,
// doubled or inserted.
func mutations(s string) []string {
	var all []string
	add := func(i int, middle string, rest int) {
		all = append(all, s[:i]+middle+s[rest:])
	}
	for i := range len(s) {
		c := s[i]
		for _, other := range []byte{c ^ 0x20, c ^ 1, c + 1, '$', '0', '9', 'y', ' ', 0, '!'} {
			if other != c {
				add(i, string([]byte{other}), i+1)
			}
		}
		add(i, "", i+1)
		add(i, string([]byte{c, c}), i+1)
		add(i, "0", i)
		add(i, "$", i)
	}
	for _, tail := range []string{"\x00", " ", "\n", "=", "A", "$"} {
		all = append(all, s+tail)
	}
	return all
}

// every returns every step-th string, starting somewhere within the first step.
func every(all []string, start, step int) []string {
	var some []string
	for i := start % step; i < len(all); i += step {
		some = append(some, all[i])
	}
	return some
}

// steps returns the intervals at which mutations of a row are tried, for the hash and for
// the password. The plain digests are tried with all of them.
func steps(v vector, c Cost) (encoded, password int) {
	if !cheap(c) {
		return 797, 197
	}
	switch c.format {
	case PBKDF2SHA256, PBKDF2SHA1, WrappedSHA1, WrappedMD5, WrappedUnsaltedSHA1, WrappedUnsaltedMD5:
		if v.Case == "ascii" && c.rounds <= 1000 {
			return 1, 1
		}
		return 41, 7
	case Argon2ID, Argon2I, Bcrypt, BcryptSHA256, Scrypt:
		if v.Case == "ascii" {
			return 5, 3
		}
		return 97, 17
	default:
		return 1, 1
	}
}

// eachVector runs a parallel subtest for each vector that can be checked.
func eachVector(t *testing.T, test func(t *testing.T, i int, v vector, c Cost)) {
	for i, v := range vectors(t) {
		c, err := CostOf(v.Encoded)
		if err != nil {
			continue
		}
		t.Run(fmt.Sprintf("%d_%s_%s", i, v.Hasher, v.Case), func(t *testing.T) {
			t.Parallel()
			test(t, i, v, c)
		})
	}
}

// otherMinor reports whether b is the bcrypt row a with another version letter that
// stands for the same computation.
func otherMinor(c Cost, a, b string) bool {
	if c.format != Bcrypt && c.format != BcryptSHA256 || len(a) != len(b) {
		return false
	}
	i := len(c.format) + len("$$2")
	return a[:i] == b[:i] && a[i+1:] == b[i+1:] && strings.Contains("aby", b[i:i+1])
}

func TestMutatedHash(t *testing.T) {
	t.Parallel()
	eachVector(t, func(t *testing.T, i int, v vector, c Cost) {
		step, _ := steps(v, c)
		fields := strings.Split(v.Encoded, "$")
		hash := fields[len(fields)-1]
		for _, encoded := range every(mutations(v.Encoded), i, step*thin) {
			if mutated, err := CostOf(encoded); err == nil && cheap(c) && !cheap(mutated) {
				continue
			}
			ok, err := Verify(encoded, v.Password)
			if want := otherMinor(c, v.Encoded, encoded); ok != want {
				t.Errorf("%q for %q: got %v, %v", encoded, v.Encoded, ok, err)
			}
			if err != nil && strings.Contains(err.Error(), hash[:8]) {
				t.Errorf("the error for %q shows the hash: %v", encoded, err)
			}
		}
	})
}

// hmacKey is all that PBKDF2 and scrypt use of a password: HMAC's key, padded or
// digested to the block of 64 bytes that SHA-1 and SHA-256 share (RFC 2104).
func hmacKey(format Format, password string) string {
	if len(password) > 64 {
		if format == PBKDF2SHA1 {
			sum := sha1.Sum([]byte(password))
			password = string(sum[:])
		} else {
			sum := sha256.Sum256([]byte(password))
			password = string(sum[:])
		}
	}
	return password + strings.Repeat("\x00", 64-len(password))
}

// same reports whether a format can't distinguish two different passwords.
func same(format Format, a, b string) bool {
	switch format {
	case PBKDF2SHA256, PBKDF2SHA1, Scrypt:
		return hmacKey(format, a) == hmacKey(format, b)
	case Bcrypt:
		return a[:min(len(a), 72)] == b[:min(len(b), 72)] && !strings.Contains(b, "\x00")
	default:
		return a == b
	}
}

func TestMutatedPassword(t *testing.T) {
	t.Parallel()
	eachVector(t, func(t *testing.T, i int, v vector, c Cost) {
		_, step := steps(v, c)
		if len(v.Password) > 1000 {
			step *= 97
		}
		tails := []string{v.Password + "\x00", v.Password + "x", " " + v.Password}
		if !cheap(c) {
			tails = nil
		}
		for _, password := range append(every(mutations(v.Password), i, step*thin), tails...) {
			ok, err := Verify(v.Encoded, password)
			if err != nil {
				t.Errorf("password %q: %v", password, err)
			}
			if want := same(c.format, v.Password, password); ok != want {
				t.Errorf("%q for %q: got %v, want %v", password, v.Password, ok, want)
			}
		}
	})
}
