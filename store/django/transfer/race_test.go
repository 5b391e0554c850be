//go:build race

package transfer_test

// generated is how many user bases are tried: the race detector makes SQLite some
// ten times slower and has little to see in it. `make test` tries more without it.
const generated = 20
