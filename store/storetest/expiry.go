package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/storetest/internal/suite"
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

func endMoves(t *testing.T, p suite.Pair) {
	ann := p.Add(t, suite.NewUser("ann"))
	token, other := suite.ReusableOf(ann, "key", time.Hour), suite.SlidingOf(ann, "other", time.Hour)
	p.Issue(t, token)
	p.Issue(t, other)
	end := token.ExpiresAt
	for _, step := range []struct{ to, now time.Time }{
		{end.Add(time.Microsecond), suite.Noon()},
		{end.Add(time.Hour), end}, // live, because the first step extended it
		{end.Add(time.Hour).Add(time.Microsecond), end.Add(time.Hour).Add(-time.Microsecond)},
	} {
		p.Extend(t, token.Digest, step.to, step.now)
		token.ExpiresAt = step.to
		suite.WantFound(t, p.B, "key", token, ann)
	}
	suite.WantFound(t, p.B, "other", other, ann)
}

func endNeverNearer(t *testing.T, p suite.Pair) {
	ann := p.Add(t, suite.NewUser("ann"))
	token := suite.SlidingOf(ann, "key", time.Hour)
	p.Issue(t, token)
	for _, nearer := range []time.Duration{0, time.Microsecond, time.Hour, 2 * time.Hour} {
		p.Extend(t, token.Digest, token.ExpiresAt.Add(-nearer), suite.Noon())
		suite.WantFound(t, p.B, "key", token, ann)
	}
}

func overStaysOver(t *testing.T, p suite.Pair) {
	ann := p.Add(t, suite.NewUser("ann"))
	token := suite.SlidingOf(ann, "key", time.Hour)
	p.Issue(t, token)
	for _, late := range []time.Duration{0, time.Microsecond, time.Hour} {
		now := token.ExpiresAt.Add(late)
		p.Extend(t, token.Digest, now.Add(time.Hour), now)
		suite.WantFound(t, p.B, "key", token, ann)
	}
}

func neverStaysNever(t *testing.T, p suite.Pair) {
	ann := p.Add(t, suite.NewUser("ann"))
	p.Issue(t, suite.TokenOf(ann, "key"))
	p.Extend(t, suite.TokenOf(ann, "key").Digest, suite.Noon().Add(time.Hour), suite.Noon())
	suite.WantFound(t, p.B, "key", suite.TokenOf(ann, "key"), ann)
}

func goneStaysGone(t *testing.T, p suite.Pair) {
	ann := p.Add(t, suite.NewUser("ann"))
	token := suite.SlidingOf(ann, "key", time.Hour)
	p.Extend(t, token.Digest, suite.Noon().Add(2*time.Hour), suite.Noon())
	suite.WantGone(t, p.B, "key")
	p.Issue(t, token)
	if err := p.B.DeleteToken(t.Context(), token.Digest, nil); err != nil {
		t.Fatal(err)
	}
	p.Extend(t, token.Digest, suite.Noon().Add(2*time.Hour), suite.Noon())
	suite.WantGone(t, p.B, "key")
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
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			a, b := open(t)
			c.Run(t, suite.Pair{A: a, B: b})
		})
	}
}

// moveAll calls ExtendExpiries at noon, which must succeed.
func moveAll(t *testing.T, s core.Store, moves []core.ExpiryUpdate) {
	t.Helper()
	if err := s.(core.ExpiryBatcher).ExtendExpiries(t.Context(), moves, suite.Noon()); err != nil {
		t.Errorf("move expiries: %v", err)
	}
}

func endsMove(t *testing.T, p suite.Pair) {
	ann := p.Add(t, suite.NewUser("ann"))
	var moves []core.ExpiryUpdate
	var tokens []core.Token
	for i := range 50 {
		token := suite.SlidingOf(ann, fmt.Sprintf("key %d", i), time.Hour)
		p.Issue(t, token)
		token.ExpiresAt = token.ExpiresAt.Add(time.Duration(i+1) * time.Minute)
		moves = append(moves, core.ExpiryUpdate{Digest: token.Digest, To: token.ExpiresAt})
		tokens = append(tokens, token)
	}
	moveAll(t, p.A, moves)
	for i, token := range tokens {
		suite.WantFound(t, p.B, fmt.Sprintf("key %d", i), token, ann)
	}
}

func onlyLiveMove(t *testing.T, p suite.Pair) {
	ann := p.Add(t, suite.NewUser("ann"))
	live, over := suite.SlidingOf(ann, "live", time.Hour), suite.SlidingOf(ann, "over", time.Hour)
	over.ExpiresAt = suite.Noon()
	never, further := suite.TokenOf(ann, "never"), suite.SlidingOf(ann, "further", 3*time.Hour)
	for _, token := range []core.Token{live, over, never, further} {
		p.Issue(t, token)
	}
	to := suite.Noon().Add(2 * time.Hour)
	gone := core.Presented("gone").SHA256()
	moveAll(t, p.A, []core.ExpiryUpdate{
		{Digest: over.Digest, To: to}, {Digest: never.Digest, To: to}, {Digest: gone, To: to},
		{Digest: further.Digest, To: to}, {Digest: live.Digest, To: to},
	})
	live.ExpiresAt = to
	suite.WantFound(t, p.B, "live", live, ann)
	suite.WantFound(t, p.B, "over", over, ann)
	suite.WantFound(t, p.B, "never", never, ann)
	suite.WantFound(t, p.B, "further", further, ann)
	suite.WantGone(t, p.B, "gone")
}

func nothingMoves(t *testing.T, p suite.Pair) { moveAll(t, p.A, nil) }

// movesRaceDeletions extends the same tokens through both handles, in opposite orders,
// while they are deleted: all calls return, and deleted tokens stay deleted.
func movesRaceDeletions(t *testing.T, p suite.Pair) {
	ann := p.Add(t, suite.NewUser("ann"))
	const count = 20
	moves := make([]core.ExpiryUpdate, count)
	for i := range moves {
		token := suite.SlidingOf(ann, fmt.Sprintf("key %d", i), time.Hour)
		p.Issue(t, token)
		moves[i] = core.ExpiryUpdate{Digest: token.Digest, To: token.ExpiresAt.Add(time.Hour)}
	}
	suite.Together(3*count, func(i int) {
		token := i / 3
		switch i % 3 {
		case 0:
			moveAll(t, p.A, moves)
		case 1:
			moveAll(t, p.B, reversed(moves))
		default:
			if err := p.Of(token).DeleteToken(t.Context(), moves[token].Digest, nil); err != nil {
				t.Errorf("delete: %v", err)
			}
		}
	})
	for i := range moves {
		suite.WantGone(t, p.B, fmt.Sprintf("key %d", i))
	}
}

func reversed(moves []core.ExpiryUpdate) []core.ExpiryUpdate {
	all := make([]core.ExpiryUpdate, len(moves))
	for i, m := range moves {
		all[len(moves)-1-i] = m
	}
	return all
}
