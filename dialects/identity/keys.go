package identity

import (
	"crypto/hmac"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"strings"
)

// KeySize is the size of a key, in bytes.
const KeySize = 32

// Keys are the keys of a file. The zero value has none: it verifies nothing.
type Keys struct{ list [][]byte }

// ParseKeys reads the text of a key file: keys of KeySize bytes in base64 (RFC 4648, with
// padding), separated by white space, at least one, the one that signs first. The error
// never shows the text.
func ParseKeys(text string) (Keys, error) {
	var k Keys
	for i, word := range strings.Fields(text) {
		key, err := base64.StdEncoding.Strict().DecodeString(word)
		if err != nil || len(key) != KeySize {
			return Keys{}, fmt.Errorf("identity key %d is not %d bytes in base64 (openssl rand -base64 %[2]d)", i+1, KeySize)
		}
		k.list = append(k.list, key)
	}
	if len(k.list) == 0 {
		return Keys{}, errors.New("there is no identity key")
	}
	return k, nil
}

// File returns a function that reads the keys of a file each time it is called, for
// [Middleware]: a key that was added or removed counts at once. Its errors are those of
// os.ReadFile and ParseKeys.
func File(path string) func() (Keys, error) {
	return func() (Keys, error) {
		text, err := os.ReadFile(path)
		if err != nil {
			return Keys{}, err
		}
		return ParseKeys(string(text))
	}
}

// Len returns how many keys there are.
func (k Keys) Len() int { return len(k.list) }

// made reports whether any of the keys made a mac. It takes the same time whichever did.
func (k Keys) made(signed, sum string) bool {
	found := false
	for _, key := range k.list {
		if hmac.Equal([]byte(mac(key, signed)), []byte(sum)) {
			found = true
		}
	}
	return found
}
