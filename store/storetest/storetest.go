package storetest

import (
	"testing"

	"github.com/authcompat/authcompat/store/storetest/internal/suite"
)

// Opener returns two independent handles on a new, empty database, and closes them when
// the test ends.
type Opener = suite.Opener

// Run runs the whole suite. Each case has a database of its own.
func Run(t *testing.T, open Opener) { RunWithout(t, open, nil) }

// RunWithout runs the suite without the cases that a store on another program's tables
// can't pass. reasons has the reason for each by "subject/case", which is logged. A
// name without a case is an error.
func RunWithout(t *testing.T, open Opener, reasons map[string]string) {
	suite.Run(t, open, []suite.Subject[testCase]{
		{Name: "users", Cases: users()},
		{Name: "passwords", Cases: passwords()},
		{Name: "accounts", Cases: accounts()},
		{Name: "addressees", Cases: addressees()},
		{Name: "tokens", Cases: tokens()},
		{Name: "reuse", Cases: reuse()},
		{Name: "expiry", Cases: expiry()},
		{Name: "limits of tokens", Cases: tokenLimits()},
		{Name: "deletion", Cases: deletion()},
		{Name: "contexts", Cases: contexts()},
		{Name: "failures", Cases: failures()},
		{Name: "races of users", Cases: userRaces()},
		{Name: "races of accounts", Cases: accountRaces()},
		{Name: "races of tokens", Cases: tokenRaces()},
		{Name: "races of reuse", Cases: reuseRaces()},
	}, func(p suite.Pair) suite.Pair { return p }, reasons)
}

// testCase checks one sentence of a contract.
type testCase struct {
	Name string
	Run  func(*testing.T, suite.Pair)
}
