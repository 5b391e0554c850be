//go:build !race

package password

// thin reduces the number of mutations that are tried.
const thin = 1
