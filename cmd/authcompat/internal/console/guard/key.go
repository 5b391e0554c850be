package guard

import "crypto/rand"

// NewKey returns a random key: 26 letters and digits, of at least 128 bits.
func NewKey() string { return rand.Text() }

// URL returns the address with which a console at HOST:PORT is opened: it has the key in it, so that it
// is printed once, for the one who started the console, and never logged.
func URL(address, key string) string {
	return "http://" + address + root + "?" + keyParameter + "=" + key
}
