package overlay

import (
	"context"
	"time"
)

// check is a password that was asked about.
type check struct {
	username, encoded, plain string // encoded is empty: nobody has the name
	known, ok                bool   // whether it was checked, and is right
}

// Hasher is the [core.Hasher] of an engine that does nothing. It computes no hash: passwords
// that are not checked yet are right, and new ones are kept by nobody. What is checked later costs
// as much for a name that nobody has: the load of the machine would tell else which there are.
type Hasher struct{}

// Acquire implements core.Hasher. It admits everyone: whoever asks bounds their number.
func (Hasher) Acquire(ctx context.Context, _ int) (context.Context, func(), error) {
	return ctx, func() {}, nil
}

// unusable is an encoded password that none matches, as Django's begin.
const unusable = "!"

// Hash implements core.Hasher.
func (Hasher) Hash(context.Context, string) (string, error) { return unusable, nil }

// Unusable implements core.Hasher.
func (Hasher) Unusable() (string, error) { return unusable, nil }

// Check implements core.Hasher.
func (Hasher) Check(ctx context.Context, username, encoded, plain string) (ok, rehash bool, err error) {
	return of(ctx).check(username, encoded, plain), false, nil
}

// HashDummy implements core.Hasher.
func (Hasher) HashDummy(ctx context.Context, username, plain string) error {
	of(ctx).check(username, "", plain)
	return nil
}

// check reports whether a password is right, as far as that is known.
func (r *Request) check(username, encoded, plain string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.checks {
		if c.username == username && c.encoded == encoded && c.plain == plain {
			return c.ok || !c.known
		}
	}
	r.checks = append(r.checks, check{username: username, encoded: encoded, plain: plain})
	return true
}

// SimulateLatency implements core.Hasher.
func (Hasher) SimulateLatency(context.Context, string, string, time.Duration) error { return nil }

// Checked reports whether all passwords that the answer depends on were checked: only then is it
// the answer.
func (r *Request) Checked() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.checks {
		if !c.known {
			return false
		}
	}
	return true
}

// CheckPasswords checks the passwords that were asked about, by compute, which returns the first
// result of [core.Hasher].Check; encoded is empty where nobody has the username. It stops at its
// first error and returns that.
func (r *Request) CheckPasswords(ctx context.Context, compute func(ctx context.Context, username, encoded, plain string) (bool, error)) error {
	r.mu.Lock()
	checks := r.checks
	r.mu.Unlock()
	for i, c := range checks {
		if c.known {
			continue
		}
		ok, err := compute(ctx, c.username, c.encoded, c.plain)
		if err != nil {
			return err
		}
		r.mu.Lock()
		r.checks[i].known, r.checks[i].ok = true, ok
		r.mu.Unlock()
	}
	return nil
}

// Again returns a request of which the passwords that were checked are known, and nothing that
// was read: it is answered from the state that there is now.
func (r *Request) Again() *Request {
	again := NewRequest()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.checks {
		if c.known {
			again.checks = append(again.checks, c)
		}
	}
	return again
}
