package storetest

import (
	"testing"

	"github.com/authcompat/authcompat/core"
)

// Operable is a store with all that it takes to run a server.
type Operable interface {
	core.Store
	core.RateLimiter
	core.Auditor
	core.PrivacyStore
	core.Admin
}

// RunOperation runs the suite of [core.Limits], [core.Auditor], [core.PrivacyStore]
// and [core.Admin]. The opener's stores have to be Operable.
func RunOperation(t *testing.T, open Opener) {
	subjects := []struct {
		name  string
		cases []operationCase
	}{
		{"limits", limits()},
		{"audit", audits()},
		{"privacy", privacy()},
		{"users of an operator", operatedUsers()},
		{"tokens of an operator", operatedTokens()},
	}
	for _, s := range subjects {
		t.Run(s.name, func(t *testing.T) {
			for _, c := range s.cases {
				t.Run(c.name, func(t *testing.T) {
					t.Parallel()
					a, b := open(t)
					c.run(t, operables{pair: pair{a: a, b: b}, a: a.(Operable), b: b.(Operable)})
				})
			}
		})
	}
}

type operationCase struct {
	name string
	run  func(*testing.T, operables)
}

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
