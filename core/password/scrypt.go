package password

import (
	"encoding/base64"
	"fmt"
	"strings"

	"golang.org/x/crypto/scrypt"
)

const (
	scryptSize = 64 // of the hash, in bytes

	// scryptStrong is the least N·r that is no weaker than PBKDF2; see
	// Hasher.NeedsRehash.
	scryptStrong = 16384 * 8
)

// scryptRow is scrypt$N$SALT$R$P$BASE64 (Django 4.2, ScryptPasswordHasher). The
// salt is text, used as it stands.
type scryptRow struct {
	encoded string
	n, r, p int
	salt    string
}

func decodeScrypt(encoded string) (row, error) {
	fields := strings.Split(encoded, "$")
	if len(fields) != 6 {
		return nil, &MalformedError{Format: Scrypt, Reason: "not six fields"}
	}
	n, okN := number(fields[1])
	r, okR := number(fields[3])
	p, okP := number(fields[4])
	switch {
	case !okN || n < 2 || n&(n-1) != 0:
		return nil, &MalformedError{Format: Scrypt, Reason: "N is not a power of two"}
	case !okR || r == 0:
		return nil, &MalformedError{Format: Scrypt, Reason: "r is not a number"}
	case !okP || p == 0:
		return nil, &MalformedError{Format: Scrypt, Reason: "p is not a number"}
	case fields[2] == "":
		return nil, &MalformedError{Format: Scrypt, Reason: "no salt"}
	}
	// In this order, no product that counts has overflowed.
	for _, value := range []uint64{n, r, p, n * r, n * r * p} {
		if err := bound(Scrypt, "work (N·r·p)", value, MaxScryptWork); err != nil {
			return nil, err
		}
	}
	if err := bound(Scrypt, "memory in bytes", uint64(scryptMemory(n, r, p)), MaxMemory); err != nil {
		return nil, err
	}
	return scryptRow{encoded: encoded, n: int(n), r: int(r), p: int(p), salt: fields[2]}, nil
}

// scryptMemory is the bytes of scrypt's large table, its two working blocks and
// its p input blocks.
func scryptMemory(n, r, p uint64) int64 {
	return int64(128 * r * (n + 2 + p))
}

func (s scryptRow) cost() Cost {
	return Cost{format: Scrypt, rounds: s.n, block: s.r, lanes: s.p}
}

func (s scryptRow) encode(password string) string {
	key, err := scrypt.Key([]byte(password), []byte(s.salt), s.n, s.r, s.p, scryptSize)
	if err != nil {
		// decodeScrypt lets none of the values pass that scrypt refuses.
		panic("password: " + err.Error())
	}
	return fmt.Sprintf("%s$%d$%s$%d$%d$%s", Scrypt, s.n, s.salt, s.r, s.p, base64.StdEncoding.EncodeToString(key))
}

func (s scryptRow) matches(password string) bool {
	return equal(s.encoded, s.encode(password))
}

func (s scryptRow) weaker(int) bool {
	return s.n*s.r < scryptStrong
}
