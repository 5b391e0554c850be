//go:build race

package transfer_test

// generated is the number of user bases to test: the race detector makes SQLite some
// ten times slower and has little to find in it. `make test` tests more without it.
const generated = 20
