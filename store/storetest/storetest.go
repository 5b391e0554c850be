package storetest

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/google/go-cmp/cmp"
)

// Opener returns two independent handles on a new, empty database, and closes them when
// the test ends.
type Opener func(tb testing.TB) (a, b core.Store)

// Run runs the whole suite. Each case has a database of its own.
func Run(t *testing.T, open Opener) { RunWithout(t, open, nil) }

// RunWithout runs the suite without the cases that a store on another program's tables
// can't pass. reasons has the reason for each by "subject/case", which is logged. A
// name without a case is an error.
func RunWithout(t *testing.T, open Opener, reasons map[string]string) {
	runSubjects(t, open, []subject[pair]{
		{"users", users()},
		{"passwords", passwords()},
		{"accounts", accounts()},
		{"tokens", tokens()},
		{"reuse", reuse()},
		{"expiry", expiry()},
		{"limits of tokens", tokenLimits()},
		{"deletion", deletion()},
		{"contexts", contexts()},
		{"failures", failures()},
		{"races of users", userRaces()},
		{"races of accounts", accountRaces()},
		{"races of tokens", tokenRaces()},
		{"races of reuse", reuseRaces()},
	}, func(p pair) pair { return p }, reasons)
}

// subject is a part of a suite whose cases run on P.
type subject[P any] struct {
	name  string
	cases []caseOn[P]
}

// caseOn checks one sentence of a contract.
type caseOn[P any] struct {
	name string
	run  func(*testing.T, P)
}

type testCase = caseOn[pair]

// runSubjects runs each case on a database of its own, except those with a reason not
// to, by "subject/case".
func runSubjects[P any](t *testing.T, open Opener, subjects []subject[P], on func(pair) P, reasons map[string]string) {
	skipped := 0
	for _, s := range subjects {
		t.Run(s.name, func(t *testing.T) {
			for _, c := range s.cases {
				reason, without := reasons[s.name+"/"+c.name]
				if without {
					skipped++
				}
				t.Run(c.name, func(t *testing.T) {
					if without {
						t.Skip(reason)
					}
					t.Parallel()
					a, b := open(t)
					c.run(t, on(pair{a: a, b: b}))
				})
			}
		})
	}
	if skipped != len(reasons) {
		t.Errorf("%d cases were left out, of the %d that have a reason", skipped, len(reasons))
	}
}

// pair has two handles on a database under test: what a does is checked through b.
type pair struct{ a, b core.Store }

// both returns the handle for the i-th of several actors.
func (p pair) both(i int) core.Store {
	if i%2 == 0 {
		return p.a
	}
	return p.b
}

const (
	realm  = "default"
	issuer = "some-api"
)

// noon is the time of everything in the suite. It is long past, so that a store that
// reads a clock fails.
func noon() time.Time { return time.Date(2001, time.June, 16, 12, 0, 0, 123456000, time.UTC) }

// newUser returns an ordinary registration.
func newUser(name string) core.NewUser {
	return core.NewUser{
		Username: name, Email: name + "@example.org", PasswordHash: "hash of " + name, CreatedAt: noon(),
	}
}

// add creates the user.
func (p pair) add(t *testing.T, u core.NewUser) core.User {
	t.Helper()
	user, err := p.a.CreateUser(t.Context(), u, nil, nil)
	if err != nil {
		t.Fatalf("create user %q: %v", u.Username, err)
	}
	return user
}

// tokenOf returns a token with the text key that never expires.
func tokenOf(u core.User, key string) core.Token {
	return core.Token{
		Digest: core.Presented(key).SHA256(), UserID: u.ID, Realm: realm, Issuer: issuer, CreatedAt: noon(),
		Plaintext: core.Presented(key),
	}
}

// slidingOf returns a token that expires ttl after noon and is extended by use.
func slidingOf(u core.User, key string, ttl time.Duration) core.Token {
	token := tokenOf(u, key)
	token.ExpiresAt, token.Sliding = noon().Add(ttl), ttl
	return token
}

// reusableOf returns a sliding token that logins return again.
func reusableOf(u core.User, key string, ttl time.Duration) core.Token {
	token := slidingOf(u, key, ttl)
	token.Reusable, token.Sealed, token.SealKey = true, []byte("sealed "+key), "key-1"
	return token
}

// issue issues the token.
func (p pair) issue(t *testing.T, token core.Token) {
	t.Helper()
	if err := p.a.IssueToken(t.Context(), token, "", 0, nil); err != nil {
		t.Fatalf("issue token: %v", err)
	}
}

// wantFound checks that key authenticates exactly this token of this user.
func wantFound(t *testing.T, s core.Store, key string, token core.Token, user core.User) {
	t.Helper()
	gotToken, gotUser, err := s.FindToken(t.Context(), token.Realm, core.Presented(key))
	if err != nil {
		t.Errorf("find token %q: %v", key, err)
		return
	}
	wantSame(t, "token "+key, token, gotToken)
	wantSame(t, "user of token "+key, user, gotUser)
}

// wantGone checks that key is not a token.
func wantGone(t *testing.T, s core.Store, key string) {
	t.Helper()
	_, _, err := s.FindToken(t.Context(), realm, core.Presented(key))
	wantError(t, "find token "+key, err, core.ErrNotFound)
}

// wantError checks that err is the error in the contract.
func wantError(t *testing.T, doing string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: error %v, want %v", doing, err, want)
	}
}

// wantSame compares two values, including the zones of times.
func wantSame(t *testing.T, what string, want, got any) {
	t.Helper()
	zoned := cmp.Comparer(func(x, y time.Time) bool { return x.Equal(y) && x.Location() == y.Location() })
	// Some stores keep a token's text, most do not.
	anyText := cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".Plaintext" }, cmp.Ignore())
	if diff := cmp.Diff(want, got, zoned, anyText); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// together runs do for 0 … n-1 concurrently and waits for all.
func together(n int, do func(i int)) {
	var done sync.WaitGroup
	gate := make(chan struct{})
	for i := range n {
		done.Go(func() {
			<-gate
			do(i)
		})
	}
	close(gate)
	done.Wait()
}

// find calls FindToken for races, where only the error matters.
func find(ctx context.Context, s core.Store, key string) error {
	_, _, err := s.FindToken(ctx, realm, core.Presented(key))
	return err
}
