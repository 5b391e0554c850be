//go:build !race

package transfer_test

// generated is the number of user bases to test.
const generated = 200
