package password

import "fmt"

// Cost is the work that a check of an encoded password takes: its format and
// numeric parameters, without salt or hash. Costs are comparable with == and
// can be map keys. A Cost is always within this package's limits, since it can
// only be made by [CostOf] and [Hasher.Cost]; the zero Cost is no work at all.
type Cost struct {
	format Format
	rounds int // PBKDF2: iterations; argon2: t; bcrypt: binary logarithm; scrypt: N
	memory int // argon2: m, in KiB
	block  int // scrypt: r
	lanes  int // argon2 and scrypt: p
}

// CostOf describes the work that [Verify] does for encoded. Its errors are
// those of Verify.
func CostOf(encoded string) (Cost, error) {
	r, err := decode(encoded)
	if err != nil {
		return Cost{}, err
	}
	return r.cost(), nil
}

// Format is the format of the passwords that have this cost, or "" for the
// zero Cost.
func (c Cost) Format() Format { return c.format }

// Threads is how many goroutines compute at a time: argon2's parallelism, and 1
// for every other format.
func (c Cost) Threads() int {
	switch c.format {
	case Argon2ID, Argon2I:
		return c.lanes
	default:
		return 1
	}
}

// Memory is an estimate, rounded up, of the bytes that a check holds at a time
// beside copies of the password.
func (c Cost) Memory() int64 {
	const (
		base   = 16 << 10 // hash states; bcrypt's is the largest, 5 KiB
		thread = 8 << 10  // stack of one of argon2's goroutines
	)
	switch c.format {
	case Argon2ID, Argon2I:
		return base + int64(c.lanes)*thread + argon2Memory(uint64(c.memory), uint64(c.lanes))
	case Scrypt:
		return base + scryptMemory(uint64(c.rounds), uint64(c.block), uint64(c.lanes))
	default:
		return base
	}
}

// String is the format with its parameters, for reports: for instance
// "pbkdf2_sha256 iterations=600000", "argon2id m=102400 t=2 p=8",
// "bcrypt cost=12" or "md5".
func (c Cost) String() string {
	switch c.format {
	case PBKDF2SHA256, PBKDF2SHA1, WrappedSHA1, WrappedMD5, WrappedUnsaltedSHA1, WrappedUnsaltedMD5:
		return fmt.Sprintf("%s iterations=%d", c.format, c.rounds)
	case Argon2ID, Argon2I:
		return fmt.Sprintf("%s m=%d t=%d p=%d", c.format, c.memory, c.rounds, c.lanes)
	case BcryptSHA256, Bcrypt:
		return fmt.Sprintf("%s cost=%d", c.format, c.rounds)
	case Scrypt:
		return fmt.Sprintf("%s N=%d r=%d p=%d", c.format, c.rounds, c.block, c.lanes)
	default:
		return string(c.format)
	}
}

// HashDummy does the work of checking password against a row of this cost, and
// throws the result away. It takes the time that [Verify] takes for such a row;
// a login for a name that does not exist calls it to look like one that does.
func (c Cost) HashDummy(password string) {
	if r := c.row(); r != nil {
		compute(r, password)
	}
}

// row is a row of this cost, which nothing matches; nil for the zero Cost.
func (c Cost) row() row {
	const salt = "abcdefghijklmnopqrstuv"
	switch c.format {
	case PBKDF2SHA256, PBKDF2SHA1:
		return pbkdf2Row{format: c.format, iterations: c.rounds, salt: salt}
	case WrappedSHA1, WrappedMD5, WrappedUnsaltedSHA1, WrappedUnsaltedMD5:
		return wrappedRow{pbkdf2Row{format: c.format, iterations: c.rounds, salt: salt}}
	case Argon2ID, Argon2I:
		return argon2Row{
			format: c.format, memory: c.memory, passes: c.rounds, lanes: c.lanes,
			salt: []byte(salt), size: argon2DefaultSize,
		}
	case BcryptSHA256, Bcrypt:
		return bcryptRow{format: c.format, rounds: c.rounds, setting: bcryptSetting(c.rounds)}
	case Scrypt:
		return scryptRow{n: c.rounds, r: c.block, p: c.lanes, salt: salt}
	case SHA1, MD5:
		return digestRow{format: c.format, salt: salt}
	case UnsaltedSHA1, UnsaltedMD5:
		return digestRow{format: c.format}
	default:
		return nil
	}
}
