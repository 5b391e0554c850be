package keyring

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/authcompat/authcompat/core/sealing"
)

// errMisplaced is the error of sealing keys that are given where the name of their file is
// meant. It does not show them, and is not fs.ErrNotExist, after which commands go on.
var errMisplaced = errors.New("this is the name of no file, and is not shown because it may be a sealing key itself: the keys are given in " + EnvVar + ", and here the name of a file that has them")

// Misplaced reports whether what is given as the name of a key file may be keys, and is
// therefore not to be shown: it is that of no file in a folder that is there, and reads as keys do.
func Misplaced(file string) bool {
	if !likeKeys(file) {
		return false
	}
	if folder := filepath.Dir(file); filepath.Dir(folder) != folder { // as . and / are
		if info, err := os.Stat(folder); err == nil && info.IsDir() {
			return false
		}
	}
	_, err := os.Lstat(file)
	return err != nil
}

// minKeyText is how long a text has to be to be taken for a key that was cut off.
const minKeyText = 20

// likeKeys reports whether a text reads as keys do, or as one in another form or cut off.
// Paths are texts of base64 too, but seldom have capitals, digits and no dot.
func likeKeys(text string) bool {
	var words []string
	for _, word := range keyWords(text) {
		// As in base64:KEY, 'KEY', {KEY}, key=KEY, ./KEY and 0xKEY.
		for _, part := range append(strings.FieldsFunc(word, func(c rune) bool { return strings.ContainsRune("\"'`:={}()[]<>", c) }), word) {
			words = append(words, strings.TrimPrefix(strings.TrimPrefix(part, "./"), "0x"))
		}
		if pairs := strings.Trim(word, "\"'`{}()[]<>"); hexPairs.MatchString(pairs) {
			words = append(words, strings.NewReplacer(":", "", "-", "").Replace(pairs))
		}
	}
	return slices.ContainsFunc(words, func(word string) bool {
		body := strings.TrimRight(word, "=")
		plain := strings.NewReplacer("-", "+", "_", "/").Replace(body)
		key, err := base64.RawStdEncoding.DecodeString(plain)
		_, notHex := hex.DecodeString(body)
		const capitals, digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789"
		switch {
		case len(body) < minKeyText || strings.Trim(plain, base64Text) != "":
			return false
		case notHex == nil, word != body:
			return true
		case err == nil && len(key) == sealing.KeySize:
			return strings.ContainsAny(body, capitals)
		}
		return plain == body && !strings.HasPrefix(body, "/") && strings.ContainsAny(body, capitals) && strings.ContainsAny(body, digits)
	})
}

// hexPairs matches a key as fingerprints are written: 0A:1B:2C, or 0a-1b-2c.
var hexPairs = regexp.MustCompile(`^[0-9A-Fa-f]{2}([:-][0-9A-Fa-f]{2})+$`)

// base64Text is what base64 is written with.
const base64Text = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
