package password

import (
	"errors"
	"fmt"
)

// ErrUnusable is returned for a password string that starts with "!", which
// marks an account without a password: no password verifies.
var ErrUnusable = errors.New("password: unusable, the account has no password")

// UnsupportedError is returned for a format that cannot be checked here. Its
// Format is [Crypt], [Argon2D], [Argon2Version16] or [Unknown].
type UnsupportedError struct {
	Format Format
	// Algorithm is the name of an unknown algorithm in a row that is laid out as
	// those of Django's hashers are. Elsewhere it is "": what stands in its place may
	// be a bare hash of another system.
	Algorithm string
}

// Error names the format, or the algorithm; it quotes nothing else.
func (e *UnsupportedError) Error() string {
	if e.Algorithm != "" {
		return fmt.Sprintf("password: hash format %q not supported", e.Algorithm)
	}
	return fmt.Sprintf("password: %s: hash format not supported", e.Format)
}

// MalformedError is returned for a password string of a known format whose
// structure is broken, so that no password can match it.
type MalformedError struct {
	// Format is "argon2" for an argon2 row whose variety cannot be read.
	Format Format
	// Reason says in a fixed phrase what is broken; it quotes nothing.
	Reason string
}

// Error names the format and what is broken; it quotes nothing.
func (e *MalformedError) Error() string {
	return fmt.Sprintf("password: %s: malformed: %s", e.Format, e.Reason)
}

// LimitError is returned for a password string whose check would cost more than
// the limits of this package allow.
type LimitError struct {
	// Format is [Unknown] for a string that is too long to be looked at.
	Format Format
	// Parameter is the name of what is too large, such as "iterations".
	Parameter string
	// Limit is the largest value allowed, in the unit of the limit's constant.
	Limit uint64
}

// Error names the format, the parameter and its limit.
func (e *LimitError) Error() string {
	return fmt.Sprintf("password: %s: %s above %d", e.Format, e.Parameter, e.Limit)
}
