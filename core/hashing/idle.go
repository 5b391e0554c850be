package hashing

import (
	"context"
	"errors"
)

// ErrBusy is a password that was not checked, because others are being hashed.
var ErrBusy = errors.New("other passwords are being hashed")

// CheckIdle is Check for whoever can do without: it fails with ErrBusy, at once, unless the pool
// has nothing to do. It takes neither a thread nor memory of the pool's, so that a login which
// comes meanwhile does not wait for it; there is one such check at a time. With an empty encoded
// password it does what HashDummy does.
func (p *Pool) CheckIdle(ctx context.Context, username, encoded, plain string) (ok bool, err error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	p.mu.Lock()
	busy := p.spare || p.counts.Running > 0 || p.queue.all().waiting > 0
	if !busy {
		p.spare = true
	}
	p.mu.Unlock()
	if busy {
		return false, ErrBusy
	}
	defer func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.spare = false
	}()
	ok, _, err = p.hasher.Check(ctx, username, encoded, plain)
	return ok, err
}
