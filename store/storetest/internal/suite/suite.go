// Package suite is what the suites of stores have in common: how their cases run, and what they
// make and compare.
package suite

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

// Subject is a part of a suite.
type Subject[C any] struct {
	Name  string
	Cases []C
}

// Case checks one sentence of a contract on P.
type Case[P any] struct {
	Name string
	Run  func(*testing.T, P)
}

// Run runs each case on a database of its own, except those with a reason not
// to, by "subject/case".
func Run[P any, C ~struct {
	Name string
	Run  func(*testing.T, P)
}](t *testing.T, open Opener, subjects []Subject[C], on func(Pair) P, reasons map[string]string) {
	skipped := 0
	for _, s := range subjects {
		t.Run(s.Name, func(t *testing.T) {
			for _, of := range s.Cases {
				c := Case[P](of)
				reason, without := reasons[s.Name+"/"+c.Name]
				if without {
					skipped++
				}
				t.Run(c.Name, func(t *testing.T) {
					if without {
						t.Skip(reason)
					}
					t.Parallel()
					a, b := open(t)
					c.Run(t, on(Pair{A: a, B: b}))
				})
			}
		})
	}
	if skipped != len(reasons) {
		t.Errorf("%d cases were left out, of the %d that have a reason", skipped, len(reasons))
	}
}

// Pair has two handles on a database under test: what A does is checked through B.
type Pair struct{ A, B core.Store }

// Of returns the handle for the i-th of several actors.
func (p Pair) Of(i int) core.Store {
	if i%2 == 0 {
		return p.A
	}
	return p.B
}

// What the tokens of the suites are of, unless a case says otherwise.
const (
	Realm  = "default"
	Issuer = "some-api"
)

// Noon is the time of everything in the suite. It is long past, so that a store that
// reads a clock fails.
func Noon() time.Time { return time.Date(2001, time.June, 16, 12, 0, 0, 123456000, time.UTC) }

// NewUser returns an ordinary registration.
func NewUser(name string) core.NewUser {
	return core.NewUser{
		Username: name, Email: name + "@example.org", PasswordHash: "hash of " + name, CreatedAt: Noon(),
	}
}

// Add creates the user.
func (p Pair) Add(t *testing.T, u core.NewUser) core.User {
	t.Helper()
	user, err := p.A.CreateUser(t.Context(), u, nil, nil)
	if err != nil {
		t.Fatalf("create user %q: %v", u.Username, err)
	}
	return user
}

// TokenOf returns a token with the text key that never expires.
func TokenOf(u core.User, key string) core.Token {
	return core.Token{
		Digest: core.Presented(key).SHA256(), UserID: u.ID, Realm: Realm, Issuer: Issuer, CreatedAt: Noon(),
		Plaintext: core.Presented(key),
	}
}

// SlidingOf returns a token that expires ttl after Noon and is extended by use.
func SlidingOf(u core.User, key string, ttl time.Duration) core.Token {
	token := TokenOf(u, key)
	token.ExpiresAt, token.Sliding = Noon().Add(ttl), ttl
	return token
}

// ReusableOf returns a sliding token that logins return again.
func ReusableOf(u core.User, key string, ttl time.Duration) core.Token {
	token := SlidingOf(u, key, ttl)
	token.Reusable, token.Sealed, token.SealKey = true, []byte("sealed "+key), "key-1"
	return token
}

// Issue issues the token.
func (p Pair) Issue(t *testing.T, token core.Token) {
	t.Helper()
	if err := p.A.IssueToken(t.Context(), token, "", 0, nil); err != nil {
		t.Fatalf("issue token: %v", err)
	}
}

// Extend calls A.ExtendExpiry, which must succeed.
func (p Pair) Extend(t *testing.T, d core.Digest, to, now time.Time) {
	t.Helper()
	if err := p.A.ExtendExpiry(t.Context(), d, to, now); err != nil {
		t.Fatalf("move expiry: %v", err)
	}
}

// Reuse calls A.ReuseToken, which must succeed.
func (p Pair) Reuse(t *testing.T, fresh core.Token, now time.Time) core.Token {
	t.Helper()
	token, err := p.A.ReuseToken(t.Context(), fresh, "", now, nil)
	if err != nil {
		t.Fatalf("reuse token: %v", err)
	}
	return token
}

// WantFound checks that key authenticates exactly this token of this user.
func WantFound(t *testing.T, s core.Store, key string, token core.Token, user core.User) {
	t.Helper()
	gotToken, gotUser, err := s.FindToken(t.Context(), token.Realm, core.Presented(key))
	if err != nil {
		t.Errorf("find token %q: %v", key, err)
		return
	}
	WantSame(t, "token "+key, token, gotToken)
	WantSame(t, "user of token "+key, user, gotUser)
}

// WantGone checks that key is not a token.
func WantGone(t *testing.T, s core.Store, key string) {
	t.Helper()
	_, _, err := s.FindToken(t.Context(), Realm, core.Presented(key))
	WantError(t, "find token "+key, err, core.ErrNotFound)
}

// WantError checks that err is the error in the contract.
func WantError(t *testing.T, doing string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: error %v, want %v", doing, err, want)
	}
}

// WantSame compares two values, including the zones of times.
func WantSame(t *testing.T, what string, want, got any) {
	t.Helper()
	zoned := cmp.Comparer(func(x, y time.Time) bool { return x.Equal(y) && x.Location() == y.Location() })
	// Some stores keep a token's text, most do not.
	anyText := cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".Plaintext" }, cmp.Ignore())
	if diff := cmp.Diff(want, got, zoned, anyText); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// Together runs do for 0 … n-1 concurrently and waits for all.
func Together(n int, do func(i int)) {
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

// Find calls FindToken for races, where only the error matters.
func Find(ctx context.Context, s core.Store, key string) error {
	_, _, err := s.FindToken(ctx, Realm, core.Presented(key))
	return err
}

// WantAccount checks the account with this name.
func WantAccount(t *testing.T, s core.Store, want core.Account) {
	t.Helper()
	account, err := s.Account(t.Context(), want.Username)
	if err != nil {
		t.Errorf("account %q: %v", want.Username, err)
		return
	}
	WantSame(t, "account "+want.Username, want, account)
}

// WantNobody checks that the username is not taken and can be registered.
func WantNobody(t *testing.T, p Pair, name string) {
	t.Helper()
	_, err := p.B.Account(t.Context(), name)
	WantError(t, "account "+name, err, core.ErrNotFound)
	if _, err := p.B.CreateUser(t.Context(), NewUser(name), nil, nil); err != nil {
		t.Errorf("create user %q: %v", name, err)
	}
}
