package password

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"golang.org/x/crypto/bcrypt"
)

const (
	bcryptAlphabet = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

	// Lengths in bytes: of "$2b$12$", with the salt, and of the whole.
	bcryptHeader  = 7
	bcryptSalted  = bcryptHeader + 22
	bcryptLength  = bcryptSalted + 31
	bcryptKeySize = 72

	// bcryptStrongCost is the least cost that is no weaker than PBKDF2; see
	// Hasher.NeedsRehash.
	bcryptStrongCost = 10
)

// bcryptRow is bcrypt$ or bcrypt_sha256$ before bcrypt's own string (Django
// 3.2, BCryptPasswordHasher and BCryptSHA256PasswordHasher; pyca/bcrypt 3.2,
// hashpw). For bcrypt_sha256 the key is the lower-case hexadecimal text of the
// password's SHA-256.
//
// x/crypto/bcrypt compares itself and returns no string to compare with, so
// what it would overlook is held in exact.
type bcryptRow struct {
	format  Format
	rounds  int    // binary logarithm
	setting string // 60 bytes, as x/crypto wants them
	exact   bool   // setting is all of the row, and its salt has no stray bits
}

func decodeBcrypt(format Format, encoded string) (row, error) {
	_, data, _ := strings.Cut(encoded, "$")
	for _, c := range []byte(data) {
		if c >= 0x80 {
			return nil, &MalformedError{Format: format, Reason: "not ASCII"}
		}
	}
	if len(data) < bcryptSalted {
		return nil, &MalformedError{Format: format, Reason: "no salt of 22 characters"}
	}
	header, salt, hash := data[:bcryptHeader], data[bcryptHeader:bcryptSalted], data[bcryptSalted:]
	rounds, ok := number(header[4:6])
	switch {
	case header[:2] != "$2" || !strings.Contains("aby", header[2:3]) || header[3] != '$':
		return nil, &MalformedError{Format: format, Reason: "version is not 2a, 2b or 2y"}
	case !ok || header[6] != '$' || rounds < uint64(bcrypt.MinCost) || rounds > uint64(bcrypt.MaxCost):
		return nil, &MalformedError{Format: format, Reason: "cost is not between 04 and 31"}
	case strings.Trim(salt, bcryptAlphabet) != "":
		return nil, &MalformedError{Format: format, Reason: "salt is not bcrypt's base64"}
	}
	if err := bound(format, "cost", rounds, MaxBcryptCost); err != nil {
		return nil, err
	}

	// A row with another length, or a salt whose last character has more than
	// its two bits, is not what bcrypt writes back: false, after the same work.
	r := bcryptRow{format: format, rounds: int(rounds), setting: bcryptSetting(int(rounds))}
	if len(data) == bcryptLength && strings.IndexByte(bcryptAlphabet, salt[21])%16 == 0 {
		r.setting, r.exact = header+salt+hash, true
	}
	return r, nil
}

// bcryptSetting is a row of that cost with an arbitrary salt and hash.
func bcryptSetting(rounds int) string {
	return fmt.Sprintf("$2b$%02d$%s", rounds, strings.Repeat(".", bcryptLength-bcryptHeader))
}

func (r bcryptRow) cost() Cost {
	return Cost{format: r.format, rounds: r.rounds}
}

func (r bcryptRow) matches(password string) bool {
	key, nul := []byte(password), false
	if r.format == BcryptSHA256 {
		sum := sha256.Sum256(key)
		key = []byte(hex.EncodeToString(sum[:]))
	} else {
		nul = strings.Contains(password, "\x00")
	}
	err := bcrypt.CompareHashAndPassword([]byte(r.setting), key[:min(len(key), bcryptKeySize)])
	return err == nil && r.exact && !nul
}

func (r bcryptRow) weaker(int) bool {
	return r.rounds < bcryptStrongCost
}
