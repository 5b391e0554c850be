package password

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/pbkdf2"
)

// pbkdf2Row is ALGORITHM$ITERATIONS$SALT$BASE64 (Django 3.2,
// PBKDF2PasswordHasher and PBKDF2SHA1PasswordHasher). The salt is text, used as
// it stands; the hash has the size of the digest.
type pbkdf2Row struct {
	encoded    string
	format     Format
	iterations int
	salt       string
}

func decodePBKDF2(format Format, encoded string) (row, error) {
	fields := strings.SplitN(encoded, "$", 4)
	if len(fields) != 4 {
		return nil, &MalformedError{Format: format, Reason: "fewer than four fields"}
	}
	iterations, ok := number(fields[1])
	if !ok || iterations == 0 {
		return nil, &MalformedError{Format: format, Reason: "iterations are not a number"}
	}
	if fields[2] == "" {
		return nil, &MalformedError{Format: format, Reason: "no salt"}
	}
	if err := bound(format, "iterations", iterations, MaxIterations); err != nil {
		return nil, err
	}
	return pbkdf2Row{encoded: encoded, format: format, iterations: int(iterations), salt: fields[2]}, nil
}

func (r pbkdf2Row) cost() Cost {
	return Cost{format: r.format, rounds: r.iterations}
}

func (r pbkdf2Row) encode(password string) string {
	digest, size := sha256.New, sha256.Size
	if r.format == PBKDF2SHA1 {
		digest, size = sha1.New, sha1.Size
	}
	key := pbkdf2.Key([]byte(password), []byte(r.salt), r.iterations, size, digest)
	return fmt.Sprintf("%s$%d$%s$%s", r.format, r.iterations, r.salt, base64.StdEncoding.EncodeToString(key))
}

func (r pbkdf2Row) matches(password string) bool {
	return equal(r.encoded, r.encode(password))
}

func (r pbkdf2Row) weaker(iterations int) bool {
	if r.format == PBKDF2SHA1 {
		return r.iterations < 2*iterations
	}
	short := utf8.RuneCountInString(r.salt) < saltLength
	return r.iterations < iterations || r.iterations == iterations && short
}
