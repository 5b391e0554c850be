package hashing

import (
	"context"
	"crypto/rand"
	"sync/atomic"
	"time"

	"github.com/authcompat/authcompat/core/password"
)

// DjangoHasher is a [core.Hasher] that hashes new passwords as Django's pbkdf2_sha256 and
// checks passwords in every format of package password. It does not limit how many
// hashes are computed at a time; [Pool] does.
type DjangoHasher struct {
	hasher     password.Hasher
	dummyCosts atomic.Pointer[DummyCosts]
	// KeepHashes leaves weak hashes as they are. Otherwise they are replaced at the
	// next login.
	KeepHashes bool
}

// NewDjangoHasher makes a hasher whose new hashes have the given number of PBKDF2
// iterations, 1 to password.MaxIterations.
func NewDjangoHasher(iterations int) (*DjangoHasher, error) {
	h, err := password.NewHasher(iterations, rand.Reader)
	if err != nil {
		return nil, err
	}
	return &DjangoHasher{hasher: h}, nil
}

// SetDummyCosts sets the cost of a check for usernames that have no account, or no
// password that can be checked. Without it they cost as much as a new hash.
func (p *DjangoHasher) SetDummyCosts(d *DummyCosts) { p.dummyCosts.Store(d) }

// Acquire implements Hasher. It admits everyone.
func (p *DjangoHasher) Acquire(ctx context.Context, _ int) (admitted context.Context, release func(), err error) {
	return ctx, func() {}, nil
}

// Hash implements Hasher.
func (p *DjangoHasher) Hash(ctx context.Context, plain string) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	return p.hasher.Encode(plain), nil
}

// Unusable implements Hasher.
func (p *DjangoHasher) Unusable() (string, error) { return p.hasher.Unusable(), nil }

// Check implements Hasher. A password that is unusable, malformed or of an unsupported
// format never matches, and costs what HashDummy does.
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

// SimulateLatency implements Hasher. It returns at once: only a Pool measures how long
// hashes take.
func (p *DjangoHasher) SimulateLatency(ctx context.Context, _, _ string, _ time.Duration) error {
	return ctx.Err()
}

// cost is the cost of checking the encoded password of a username; encoded is empty if
// there is no such account.
func (p *DjangoHasher) cost(username, encoded string) password.Cost {
	c, err := password.CostOf(encoded)
	if err != nil {
		return p.dummyCost(username)
	}
	return c
}

// dummyCost is the cost of a check for a username without a password.
func (p *DjangoHasher) dummyCost(username string) password.Cost {
	if d := p.dummyCosts.Load(); d != nil {
		if c, ok := d.cost(username); ok {
			return c
		}
	}
	return p.hasher.Cost()
}
