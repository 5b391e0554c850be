package storetest

import (
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
)

func expiry() []testCase {
	return []testCase{
		{"a live token's end moves", endMoves},
		{"an end never comes nearer", endNeverNearer},
		{"a token that is over stays over", overStaysOver},
		{"a token that never expires stays so", neverStaysNever},
		{"a token that is gone stays gone", goneStaysGone},
	}
}

// move calls p.a.ExtendExpiry, which must succeed.
func (p pair) move(t *testing.T, d core.Digest, to, now time.Time) {
	t.Helper()
	if err := p.a.ExtendExpiry(t.Context(), d, to, now); err != nil {
		t.Fatalf("move expiry: %v", err)
	}
}

func endMoves(t *testing.T, p pair) {
	ann := p.add(t, newUser("ann"))
	token, other := reusableOf(ann, "key", time.Hour), slidingOf(ann, "other", time.Hour)
	p.issue(t, token)
	p.issue(t, other)
	end := token.ExpiresAt
	for _, step := range []struct{ to, now time.Time }{
		{end.Add(time.Microsecond), noon()},
		{end.Add(time.Hour), end}, // live, because the first step extended it
		{end.Add(time.Hour).Add(time.Microsecond), end.Add(time.Hour).Add(-time.Microsecond)},
	} {
		p.move(t, token.Digest, step.to, step.now)
		token.ExpiresAt = step.to
		wantFound(t, p.b, "key", token, ann)
	}
	wantFound(t, p.b, "other", other, ann)
}

func endNeverNearer(t *testing.T, p pair) {
	ann := p.add(t, newUser("ann"))
	token := slidingOf(ann, "key", time.Hour)
	p.issue(t, token)
	for _, nearer := range []time.Duration{0, time.Microsecond, time.Hour, 2 * time.Hour} {
		p.move(t, token.Digest, token.ExpiresAt.Add(-nearer), noon())
		wantFound(t, p.b, "key", token, ann)
	}
}

func overStaysOver(t *testing.T, p pair) {
	ann := p.add(t, newUser("ann"))
	token := slidingOf(ann, "key", time.Hour)
	p.issue(t, token)
	for _, late := range []time.Duration{0, time.Microsecond, time.Hour} {
		now := token.ExpiresAt.Add(late)
		p.move(t, token.Digest, now.Add(time.Hour), now)
		wantFound(t, p.b, "key", token, ann)
	}
}

func neverStaysNever(t *testing.T, p pair) {
	ann := p.add(t, newUser("ann"))
	p.issue(t, tokenOf(ann, "key"))
	p.move(t, tokenOf(ann, "key").Digest, noon().Add(time.Hour), noon())
	wantFound(t, p.b, "key", tokenOf(ann, "key"), ann)
}

func goneStaysGone(t *testing.T, p pair) {
	ann := p.add(t, newUser("ann"))
	token := slidingOf(ann, "key", time.Hour)
	p.move(t, token.Digest, noon().Add(2*time.Hour), noon())
	wantGone(t, p.b, "key")
	p.issue(t, token)
	if err := p.b.DeleteToken(t.Context(), token.Digest, nil); err != nil {
		t.Fatal(err)
	}
	p.move(t, token.Digest, noon().Add(2*time.Hour), noon())
	wantGone(t, p.b, "key")
}
