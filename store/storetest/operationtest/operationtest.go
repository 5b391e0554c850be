// Package operationtest is the suite of what a server and its operators need of a store beside
// core.Store. Each subject has a file.
package operationtest

import (
	"testing"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/storetest/internal/suite"
)

// Operable is a store that implements everything a server needs.
type Operable interface {
	core.Store
	core.RateLimiter
	core.Auditor
	core.PrivacyStore
	core.CutoverStore
	core.Admin
}

// Run runs the suite of [core.RateLimiter], [core.Auditor], [core.PrivacyStore],
// [core.CutoverStore], callers.Store, [core.MailStore],
// [core.AddressStore] and [core.Admin]. The opener's stores have to be Operable.
func Run(t *testing.T, open suite.Opener) {
	suite.Run(t, open, append(withoutAdmin(),
		suite.Subject[testCase]{Name: "users of an operator", Cases: operatedUsers()},
		suite.Subject[testCase]{Name: "tokens of an operator", Cases: operatedTokens()},
	), pairOf, nil)
}

// RunWithoutAdmin runs the parts of Run that need no [core.Admin], without the
// cases that have a reason, as storetest.RunWithout does. The opener's stores have to be Operable all
// the same; no method of their Admin is called.
func RunWithoutAdmin(t *testing.T, open suite.Opener, reasons map[string]string) {
	suite.Run(t, open, withoutAdmin(), pairOf, reasons)
}

// withoutAdmin returns the parts of Run that need no [core.Admin].
func withoutAdmin() []suite.Subject[testCase] {
	return []suite.Subject[testCase]{
		{Name: "limits", Cases: limits()},
		{Name: "audit", Cases: audits()},
		{Name: "privacy", Cases: privacy()},
		{Name: "cutover", Cases: cutovers()},
		{Name: "callers", Cases: callerCounts()},
		{Name: "mails", Cases: mails()},
		{Name: "addresses", Cases: addresses()},
	}
}

func pairOf(p suite.Pair) operables {
	return operables{Pair: p, a: p.A.(Operable), b: p.B.(Operable)}
}

// testCase checks one sentence of a contract.
type testCase struct {
	Name string
	Run  func(*testing.T, operables)
}

// operables is a pair whose stores are Operable.
type operables struct {
	suite.Pair
	a, b Operable
}

// of returns the handle for the i-th of several actors.
func (p operables) of(i int) Operable {
	if i%2 == 0 {
		return p.a
	}
	return p.b
}
