package core

import (
	"context"
	"crypto/rand"
	"sync/atomic"

	"github.com/authcompat/authcompat/core/password"
)

// Passwords is the Hasher that computes: new passwords in Django's
// pbkdf2_sha256, old ones in every format of package password. It has no bound
// on how many it computes at a time; [HashPool] puts one on it.
type DjangoHasher struct {
	hasher     password.Hasher
	dummyCosts atomic.Pointer[DummyHashCosts]
	// KeepHashes leaves weak hashes as they are instead of making them anew at
	// the next login.
	KeepHashes bool
}

// NewDjangoHasher makes a Hasher whose new hashes have so many PBKDF2 iterations,
// 1 to password.MaxIterations.
func NewDjangoHasher(iterations int) (*DjangoHasher, error) {
	h, err := password.NewHasher(iterations, rand.Reader)
	if err != nil {
		return nil, err
	}
	return &DjangoHasher{hasher: h}, nil
}

// SetDummyCosts sets what names without a password that can be checked cost from now
// on. Without it they cost what a new hash does.
func (p *DjangoHasher) SetDummyCosts(d *DummyHashCosts) { p.dummyCosts.Store(d) }

// Acquire implements Hasher: everyone is.
func (p *DjangoHasher) Acquire(string) (leave func(), err error) { return func() {}, nil }

// Hash implements Hasher.
func (p *DjangoHasher) Hash(ctx context.Context, plain string) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	return p.hasher.Encode(plain), nil
}

// Unusable implements Hasher.
func (p *DjangoHasher) Unusable() (string, error) { return p.hasher.Unusable(), nil }

// Check implements Hasher. A row that can't be verified, because it is unusable,
// broken or of a format that is refused, costs what HashDummy does and never matches.
func (p *DjangoHasher) Check(ctx context.Context, username, encoded, plain string) (ok, rehash bool, err error) {
	if err := ctx.Err(); err != nil {
		return false, false, err
	}
	ok, err = password.Verify(encoded, plain)
	if err != nil {
		p.dummyCost(username).HashDummy(plain)
		return false, false, nil
	}
	return ok, ok && !p.KeepHashes && p.hasher.NeedsRehash(encoded), nil
}

// HashDummy implements Hasher.
func (p *DjangoHasher) HashDummy(ctx context.Context, username, plain string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	p.dummyCost(username).HashDummy(plain)
	return nil
}

// Wait implements Hasher: not at all, since nobody has measured how long.
func (p *DjangoHasher) SimulateLatency(ctx context.Context, _, _ string) error { return ctx.Err() }

// cost is the work of a check for the name whose password is encoded; empty
// where the name has none.
func (p *DjangoHasher) cost(username, encoded string) password.Cost {
	c, err := password.CostOf(encoded)
	if err != nil {
		return p.dummyCost(username)
	}
	return c
}

// decoy is the work of a check for a name without a password.
func (p *DjangoHasher) dummyCost(username string) password.Cost {
	if d := p.dummyCosts.Load(); d != nil {
		if c, ok := d.cost(username); ok {
			return c
		}
	}
	return p.hasher.Cost()
}
