//go:build !race

package transfer_test

// generated is how many user bases are tried.
const generated = 200
