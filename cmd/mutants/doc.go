// Command mutants plants bugs in this module, one at a time, and runs the tests that should
// notice. A bug that no test notices is a survivor, and a reason to write a test.
//
//	go run ./cmd/mutants [-j N] [-only REGEXP]                the planted bugs
//	go run ./cmd/mutants -draw N [-seed S] [PACKAGE…]         N drawn ones
//
// The planted bugs are patches/*.patch: what would break, and a unified diff. Each has to be
// caught by the tests of the very package that it changes. The drawn ones are small changes
// of the syntax (a condition negated, a bound moved by one, a call left out) at places that
// the seed picks. They may be caught by the wider tests of their layer as well, and those
// that survive for a reason, since nothing that a test could notice changes, are listed in explained.txt.
//
// The working tree is never changed: the go command reads the changed files by way of
// -overlay. Tests that read sources themselves, instead of having them compiled or
// embedded, see the original.
//
// Only a test that fails, and fails again when it is run alone, and then passes three times
// without the bug, or a crash that repeats itself counts as caught. A test that fails by
// accident is left out, and the others are run again: one of them may bite. A run that
// exceeds -timeout does not count: a test that hangs tells nobody what is wrong.
package main
