//go:build race

package password

// thin is how many times fewer mutations are tried: the race detector makes
// bcrypt and scrypt some twenty times slower and has little to see in them.
const thin = 10
