package password

// Limits on the parameters of a stored password. A row beyond one of them is
// refused with a [LimitError] before anything is computed. They lie well above
// the defaults of every release of Django up to 6.1; at each of them a check
// takes less than five seconds of one core (measured on an AMD EPYC).
const (
	// MaxEncoded is the length of an encoded password in bytes. Django's own
	// column holds 128 characters; custom user models may have wider ones.
	MaxEncoded = 1024

	// MaxIterations is the iteration count of PBKDF2 (Django 6.1: 1 500 000).
	MaxIterations = 10_000_000

	// MaxBcryptCost is the binary logarithm of bcrypt's rounds (Django: 12).
	MaxBcryptCost = 16

	// MaxMemory is the memory of an argon2 or scrypt computation in bytes
	// (Django: 100 MiB and 16 MiB).
	MaxMemory = 512 << 20

	// MaxArgon2Passes is argon2's parameter t (Django: 2).
	MaxArgon2Passes = 256

	// MaxArgon2Lanes is argon2's parameter p, and so the number of goroutines
	// that a check starts at a time (Django: 8).
	MaxArgon2Lanes = 64

	// MaxArgon2Work is argon2's m·t, the KiB written by all passes (Django:
	// 204 800).
	MaxArgon2Work = 4 << 20

	// MaxScryptWork is scrypt's N·r·p (Django 4.0: 131 072, 5.1: 655 360).
	MaxScryptWork = 8 << 20
)

func bound(format Format, parameter string, value, limit uint64) error {
	if value > limit {
		return &LimitError{Format: format, Parameter: parameter, Limit: limit}
	}
	return nil
}
