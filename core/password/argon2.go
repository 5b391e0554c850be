package password

import (
	"encoding/base64"
	"fmt"
	"math"
	"strings"

	"golang.org/x/crypto/argon2"
)

const (
	// argon2DefaultSize is the length of a hash by argon2-cffi from 21.2 on;
	// before, it was 16.
	argon2DefaultSize = 32

	// The least that libargon2 accepts (argon2.h, ARGON2_MIN_SALT_LENGTH and
	// ARGON2_MIN_OUTLEN), in bytes.
	argon2MinSalt = 8
	argon2MinSize = 4
	// argon2LaneBlocks is the least memory a lane, in KiB.
	argon2LaneBlocks = 8

	// Under these values of m and m·t a row is weaker than PBKDF2; see
	// Hasher.NeedsRehash.
	argon2StrongMemory = 7168
	argon2StrongWork   = 35840
)

// argon2Row is "argon2" before argon2's own encoded string (Django 3.2,
// Argon2PasswordHasher). Its base64 has no padding; the salt that Django writes
// is ASCII text, but any bytes will do.
type argon2Row struct {
	encoded string
	format  Format
	memory  int // m, in KiB
	passes  int // t
	lanes   int // p
	salt    []byte
	size    int // of the hash, in bytes
}

// decodeArgon2 follows decode_string in libargon2's src/encoding.c, which takes
// one spelling of each value only. Django answers false for most of what that
// function refuses. A NUL ends the string for that C function, and Django
// verifies a row with anything behind one; here such a row is malformed.
func decodeArgon2(encoded string) (row, error) {
	fields := strings.Split(encoded, "$")[1:]
	if len(fields) == 0 {
		return nil, &MalformedError{Format: argon2Name, Reason: "no variety"}
	}
	format := Format(fields[0])
	switch format {
	case Argon2ID, Argon2I:
	case Argon2D:
		return nil, &UnsupportedError{Format: Argon2D}
	default:
		return nil, &MalformedError{Format: argon2Name, Reason: "no known variety"}
	}
	switch {
	case len(fields) == 4 && strings.HasPrefix(fields[1], "m="),
		len(fields) == 5 && fields[1] == "v=16":
		return nil, &UnsupportedError{Format: Argon2Version16}
	case len(fields) != 5:
		return nil, &MalformedError{Format: format, Reason: "wrong number of fields"}
	case fields[1] != "v=19":
		return nil, &MalformedError{Format: format, Reason: "version is neither 16 nor 19"}
	}

	r := argon2Row{encoded: encoded, format: format}
	if err := r.decodeParameters(fields[2]); err != nil {
		return nil, err
	}
	salt, ok := decodeArgon2Bytes(fields[3])
	if !ok || len(salt) < argon2MinSalt {
		return nil, &MalformedError{Format: format, Reason: "salt is not base64 of 8 bytes or more"}
	}
	hash, ok := decodeArgon2Bytes(fields[4])
	if !ok || len(hash) < argon2MinSize {
		return nil, &MalformedError{Format: format, Reason: "hash is not base64 of 4 bytes or more"}
	}
	r.salt, r.size = salt, len(hash)
	return r, nil
}

func (r *argon2Row) decodeParameters(field string) error {
	parameters := strings.Split(field, ",")
	if len(parameters) != 3 {
		return &MalformedError{Format: r.format, Reason: "parameters are not m, t and p"}
	}
	var values [3]uint64
	for i, prefix := range []string{"m=", "t=", "p="} {
		digits, ok := strings.CutPrefix(parameters[i], prefix)
		if !ok {
			return &MalformedError{Format: r.format, Reason: "parameters are not m, t and p"}
		}
		n, ok := number(digits)
		if !ok || n > math.MaxUint32 || digits[0] == '0' {
			return &MalformedError{Format: r.format, Reason: "a parameter is not a number"}
		}
		values[i] = n
	}
	memory, passes, lanes := values[0], values[1], values[2]
	if memory < argon2LaneBlocks*lanes {
		return &MalformedError{Format: r.format, Reason: "less than 8 KiB a lane"}
	}
	for _, check := range []struct {
		parameter    string
		value, limit uint64
	}{
		{"passes (t)", passes, MaxArgon2Passes},
		{"lanes (p)", lanes, MaxArgon2Lanes},
		{"memory in KiB (m)", memory, MaxMemory >> 10},
		{"memory by passes (m·t)", memory * passes, MaxArgon2Work},
	} {
		if err := bound(r.format, check.parameter, check.value, check.limit); err != nil {
			return err
		}
	}
	r.memory, r.passes, r.lanes = int(memory), int(passes), int(lanes)
	return nil
}

// decodeArgon2Bytes reads unpadded base64 and refuses every spelling of the
// bytes but the one that is written, also line ends, which Go's decoder skips.
func decodeArgon2Bytes(field string) ([]byte, bool) {
	b, err := base64.RawStdEncoding.DecodeString(field)
	return b, err == nil && base64.RawStdEncoding.EncodeToString(b) == field
}

// argon2Memory is the bytes of argon2's blocks.
func argon2Memory(memory, lanes uint64) int64 {
	return int64(max(memory, argon2LaneBlocks*lanes) << 10)
}

func (r argon2Row) cost() Cost {
	return Cost{format: r.format, rounds: r.passes, memory: r.memory, lanes: r.lanes}
}

func (r argon2Row) encode(password string) string {
	derive := argon2.IDKey
	if r.format == Argon2I {
		derive = argon2.Key
	}
	key := derive([]byte(password), r.salt, uint32(r.passes), uint32(r.memory), uint8(r.lanes), uint32(r.size))
	return fmt.Sprintf("%s$%s$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2Name, r.format, argon2.Version,
		r.memory, r.passes, r.lanes,
		base64.RawStdEncoding.EncodeToString(r.salt), base64.RawStdEncoding.EncodeToString(key))
}

func (r argon2Row) matches(password string) bool {
	return equal(r.encoded, r.encode(password))
}

func (r argon2Row) weaker(int) bool {
	return r.memory < argon2StrongMemory || r.memory*r.passes < argon2StrongWork
}
