package storetest

import (
	"testing"

	"github.com/authcompat/authcompat/core"
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

// RunOperation runs the suite of [core.RateLimiter], [core.Auditor],
// [core.PrivacyStore], [core.CutoverStore], callers.Store, [core.MailStore] and [core.Admin]. The opener's stores have to be Operable.
func RunOperation(t *testing.T, open Opener) {
	runSubjects(t, open, []subject[operables]{
		{"limits", limits()},
		{"audit", audits()},
		{"privacy", privacy()},
		{"cutover", cutovers()},
		{"callers", callerCounts()},
		{"mails", mails()},
		{"users of an operator", operatedUsers()},
		{"tokens of an operator", operatedTokens()},
	}, func(p pair) operables { return operables{pair: p, a: p.a.(Operable), b: p.b.(Operable)} }, nil)
}

// RunWithoutAdmin runs the parts of RunOperation that need no [core.Admin], without the
// cases that have a reason, as in RunWithout. The opener's stores have to be Operable all
// the same; no method of their Admin is called.
func RunWithoutAdmin(t *testing.T, open Opener, reasons map[string]string) {
	runSubjects(t, open, []subject[operables]{
		{"limits", limits()},
		{"audit", audits()},
		{"privacy", privacy()},
		{"cutover", cutovers()},
		{"callers", callerCounts()},
		{"mails", mails()},
	}, func(p pair) operables { return operables{pair: p, a: p.a.(Operable), b: p.b.(Operable)} }, reasons)
}

type operationCase = caseOn[operables]

// operables is a pair whose stores are Operable.
type operables struct {
	pair
	a, b Operable
}

// of returns the handle for the i-th of several actors.
func (p operables) of(i int) Operable {
	if i%2 == 0 {
		return p.a
	}
	return p.b
}
