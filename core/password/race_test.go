//go:build race

package password

// thin reduces the number of mutations that are tried: the race detector makes
// bcrypt and scrypt some twenty times slower and finds little in them.
const thin = 10
