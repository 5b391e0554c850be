//go:build !race

package password

// thin is how many times fewer mutations are tried.
const thin = 1
