// Package sealing encrypts the tokens that have to be shown again, and derives keys.
package sealing

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
)

// KeySize is the length of a sealing key in bytes (AES-256).
const KeySize = 32

// ErrNoKey means that a token is sealed with a key that the sealer does not have.
var ErrNoKey = errors.New("sealing key is missing")

// Sealer encrypts tokens that have to be shown again, with AES-256-GCM, bound to the user,
// the digest and the id of the key: copied to another row, a sealed token can not be
// decrypted. The sealer has several keys: the first encrypts, and each decrypts what it
// has encrypted. The zero Sealer has no key and fails with ErrNoKey.
type Sealer struct {
	ring []sealingKey
}

type sealingKey struct {
	id         string
	aead       cipher.AEAD
	pseudonyms []byte // derived; see PseudonymKeys
}

// NewSealer makes a sealer with keys of KeySize bytes, the newest first.
func NewSealer(keys ...[]byte) (Sealer, error) {
	var s Sealer
	for _, key := range keys {
		if len(key) != KeySize {
			return Sealer{}, fmt.Errorf("sealing key has %d bytes, not %d", len(key), KeySize)
		}
		block, err := aes.NewCipher(key)
		if err != nil {
			return Sealer{}, fmt.Errorf("sealing key: %w", err)
		}
		aead, err := cipher.NewGCM(block)
		if err != nil {
			return Sealer{}, fmt.Errorf("sealing key: %w", err)
		}
		s.ring = append(s.ring, sealingKey{id: idOf(key), aead: aead, pseudonyms: KeyedDigest(key, "authcompat pseudonyms", "")})
	}
	return s, nil
}

// idOf returns the id of a key, which rows and logs contain. It must not help to find the
// key: it is eight bytes of a digest with a label of its own.
func idOf(key []byte) string {
	sum := sha256.Sum256(append([]byte("authcompat sealing key id\x00"), key...))
	return hex.EncodeToString(sum[:8])
}

// ParseKeys reads sealing keys of KeySize bytes in base64, padded or not, separated by white
// space or commas, at least one, the newest first. The error never shows the text.
func ParseKeys(text string) ([][]byte, error) {
	words := strings.FieldsFunc(text, func(c rune) bool { return c == ',' || unicode.IsSpace(c) })
	if len(words) == 0 {
		return nil, errors.New("there is no sealing key")
	}
	var keys [][]byte
	for i, word := range words {
		key, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(word, "="))
		if err != nil {
			return nil, fmt.Errorf("sealing key %d is not base64: want %d bytes in base64", i+1, KeySize)
		}
		if len(key) != KeySize {
			return nil, fmt.Errorf("sealing key %d has %d bytes: want %d bytes in base64", i+1, len(key), KeySize)
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// KeyID returns the id of the key that encrypts; empty for the zero Sealer.
func (s Sealer) KeyID() string {
	if len(s.ring) == 0 {
		return ""
	}
	return s.ring[0].id
}

// KeyIDs returns the ids of all keys, that of the encrypting one first.
func (s Sealer) KeyIDs() []string {
	ids := make([]string, len(s.ring))
	for i, key := range s.ring {
		ids[i] = key.id
	}
	return ids
}

// PseudonymKeys returns the keys for pseudonyms that are derived from the keys, in their order.
func (s Sealer) PseudonymKeys() [][]byte {
	keys := make([][]byte, len(s.ring))
	for i, key := range s.ring {
		keys[i] = key.pseudonyms
	}
	return keys
}

// Seal encrypts the text of a token of the user with that digest. KeyID tells with which key.
// It fails with ErrNoKey if the sealer has none.
func (s Sealer) Seal(random io.Reader, userID int64, digest []byte, text string) ([]byte, error) {
	if len(s.ring) == 0 {
		return nil, ErrNoKey
	}
	key := s.ring[0]
	nonce := make([]byte, key.aead.NonceSize(), key.aead.NonceSize()+len(text)+key.aead.Overhead())
	if _, err := io.ReadFull(random, nonce); err != nil {
		return nil, fmt.Errorf("draw nonce: %w", err)
	}
	return key.aead.Seal(nonce, nonce, []byte(text), key.binding(userID, digest)), nil
}

// Open decrypts a token of the user with that digest that was sealed with a key, or fails with
// ErrNoKey.
func (s Sealer) Open(keyID string, userID int64, digest, sealed []byte) (string, error) {
	i := slices.IndexFunc(s.ring, func(k sealingKey) bool { return k.id == keyID })
	if i < 0 {
		return "", fmt.Errorf("token sealed with key %q: %w", keyID, ErrNoKey)
	}
	key := s.ring[i]
	size := key.aead.NonceSize()
	if len(sealed) < size {
		return "", errors.New("sealed token is cut short")
	}
	text, err := key.aead.Open(nil, sealed[:size], sealed[size:], key.binding(userID, digest))
	if err != nil {
		return "", errors.New("sealed token does not open: another row's, or changed")
	}
	return string(text), nil
}

// binding is the additional authenticated data, which ties a sealed token to its row.
func (k sealingKey) binding(userID int64, digest []byte) []byte {
	b := binary.BigEndian.AppendUint64([]byte("authcompat token\x00"), uint64(userID))
	b = append(b, digest...)
	return append(b, k.id...)
}

// KeyedDigest returns HMAC-SHA256 of a text, which nobody can compute without the key.
// The label separates the digests of different uses.
func KeyedDigest(key []byte, label, text string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(label))
	mac.Write([]byte{0})
	mac.Write([]byte(text))
	return mac.Sum(nil)
}
