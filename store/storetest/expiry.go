package storetest

import (
	"fmt"
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

// RunExpiryBatch runs the suite of [core.ExpiryBatcher], which the opener's stores have
// to implement.
func RunExpiryBatch(t *testing.T, open Opener) {
	for _, c := range []testCase{
		{"several ends move", endsMove},
		{"only live tokens are moved", onlyLiveMove},
		{"nothing to move", nothingMoves},
		{"moves racing deletions", movesRaceDeletions},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			a, b := open(t)
			c.run(t, pair{a: a, b: b})
		})
	}
}

// moveAll calls ExtendExpiries at noon, which must succeed.
func moveAll(t *testing.T, s core.Store, moves []core.ExpiryUpdate) {
	t.Helper()
	if err := s.(core.ExpiryBatcher).ExtendExpiries(t.Context(), moves, noon()); err != nil {
		t.Errorf("move expiries: %v", err)
	}
}

func endsMove(t *testing.T, p pair) {
	ann := p.add(t, newUser("ann"))
	var moves []core.ExpiryUpdate
	var tokens []core.Token
	for i := range 50 {
		token := slidingOf(ann, fmt.Sprintf("key %d", i), time.Hour)
		p.issue(t, token)
		token.ExpiresAt = token.ExpiresAt.Add(time.Duration(i+1) * time.Minute)
		moves = append(moves, core.ExpiryUpdate{Digest: token.Digest, To: token.ExpiresAt})
		tokens = append(tokens, token)
	}
	moveAll(t, p.a, moves)
	for i, token := range tokens {
		wantFound(t, p.b, fmt.Sprintf("key %d", i), token, ann)
	}
}

func onlyLiveMove(t *testing.T, p pair) {
	ann := p.add(t, newUser("ann"))
	live, over := slidingOf(ann, "live", time.Hour), slidingOf(ann, "over", time.Hour)
	over.ExpiresAt = noon()
	never, further := tokenOf(ann, "never"), slidingOf(ann, "further", 3*time.Hour)
	for _, token := range []core.Token{live, over, never, further} {
		p.issue(t, token)
	}
	to := noon().Add(2 * time.Hour)
	gone := core.Presented("gone").SHA256()
	moveAll(t, p.a, []core.ExpiryUpdate{
		{Digest: over.Digest, To: to}, {Digest: never.Digest, To: to}, {Digest: gone, To: to},
		{Digest: further.Digest, To: to}, {Digest: live.Digest, To: to},
	})
	live.ExpiresAt = to
	wantFound(t, p.b, "live", live, ann)
	wantFound(t, p.b, "over", over, ann)
	wantFound(t, p.b, "never", never, ann)
	wantFound(t, p.b, "further", further, ann)
	wantGone(t, p.b, "gone")
}

func nothingMoves(t *testing.T, p pair) { moveAll(t, p.a, nil) }

// movesRaceDeletions extends the same tokens through both handles, in opposite orders,
// while they are deleted: all calls return, and deleted tokens stay deleted.
func movesRaceDeletions(t *testing.T, p pair) {
	ann := p.add(t, newUser("ann"))
	const count = 20
	moves := make([]core.ExpiryUpdate, count)
	for i := range moves {
		token := slidingOf(ann, fmt.Sprintf("key %d", i), time.Hour)
		p.issue(t, token)
		moves[i] = core.ExpiryUpdate{Digest: token.Digest, To: token.ExpiresAt.Add(time.Hour)}
	}
	together(3*count, func(i int) {
		token := i / 3
		switch i % 3 {
		case 0:
			moveAll(t, p.a, moves)
		case 1:
			moveAll(t, p.b, reversed(moves))
		default:
			if err := p.both(token).DeleteToken(t.Context(), moves[token].Digest, nil); err != nil {
				t.Errorf("delete: %v", err)
			}
		}
	})
	for i := range moves {
		wantGone(t, p.b, fmt.Sprintf("key %d", i))
	}
}

func reversed(moves []core.ExpiryUpdate) []core.ExpiryUpdate {
	all := make([]core.ExpiryUpdate, len(moves))
	for i, m := range moves {
		all[len(moves)-1-i] = m
	}
	return all
}
