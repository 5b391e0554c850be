//go:build !race

package moving_test

// generated is how many user bases are tried.
const generated = 200
