package core

import (
	"context"
	"crypto/rand"

	"github.com/authcompat/authcompat/core/password"
)

// Passwords is the Hasher of a server: new passwords in Django's pbkdf2_sha256,
// old ones in every format of package password.
type Passwords struct {
	hasher password.Hasher
	// KeepHashes leaves weak hashes as they are instead of making them anew at
	// the next login.
	KeepHashes bool
}

// NewPasswords makes a Hasher whose new hashes have so many PBKDF2 iterations,
// 1 to password.MaxIterations.
func NewPasswords(iterations int) (*Passwords, error) {
	h, err := password.NewHasher(iterations, rand.Reader)
	if err != nil {
		return nil, err
	}
	return &Passwords{hasher: h}, nil
}

// Hash implements Hasher.
func (p *Passwords) Hash(ctx context.Context, plain string) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	return p.hasher.Encode(plain), nil
}

// Unusable implements Hasher.
func (p *Passwords) Unusable() (string, error) { return p.hasher.Unusable(), nil }

// Check implements Hasher. A row that can't be verified, because it is unusable,
// broken or of a format that is refused, costs a new hash and never matches.
func (p *Passwords) Check(ctx context.Context, encoded, plain string) (ok, rehash bool, err error) {
	if err := ctx.Err(); err != nil {
		return false, false, err
	}
	ok, err = password.Verify(encoded, plain)
	if err != nil {
		p.hasher.Cost().Burn(plain)
		return false, false, nil
	}
	return ok, ok && !p.KeepHashes && p.hasher.NeedsRehash(encoded), nil
}

// Burn implements Hasher.
func (p *Passwords) Burn(ctx context.Context, _, plain string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	p.hasher.Cost().Burn(plain)
	return nil
}
