package core

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
)

// KeySize is the length of a sealing key in bytes (AES-256).
const KeySize = 32

// ErrNoKey is a sealed token whose key is not among the given ones.
var ErrNoKey = errors.New("sealing key is missing")

// Sealer seals tokens that have to be shown again, with AES-256-GCM, bound to
// their user, their digest and the key's id: a sealed token copied to another
// row does not open. The zero Sealer has no key and fails with ErrNoKey.
type Sealer struct {
	id   string
	aead cipher.AEAD
}

// NewSealer makes a sealer from a key of KeySize bytes.
func NewSealer(key []byte) (Sealer, error) {
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
	// The id is told in rows and logs, so it must not help to find the key:
	// eight bytes of a digest under a label of its own.
	sum := sha256.Sum256(append([]byte("authcompat sealing key id\x00"), key...))
	return Sealer{id: hex.EncodeToString(sum[:8]), aead: aead}, nil
}

// ParseKey reads a sealing key in base64, padded or not, of KeySize bytes.
// White space around it is ignored. The error never shows the text.
func ParseKey(text string) ([]byte, error) {
	text = strings.TrimRight(strings.TrimSpace(text), "=")
	key, err := base64.RawStdEncoding.DecodeString(text)
	if err != nil {
		return nil, errors.New("sealing key is not base64")
	}
	if len(key) != KeySize {
		return nil, fmt.Errorf("sealing key has %d bytes, not %d", len(key), KeySize)
	}
	return key, nil
}

// KeyID names the key; empty for the zero Sealer.
func (s Sealer) KeyID() string { return s.id }

// seal closes a token's text.
func (s Sealer) seal(random io.Reader, userID int64, d Digest, text string) ([]byte, error) {
	if s.aead == nil {
		return nil, ErrNoKey
	}
	nonce := make([]byte, s.aead.NonceSize(), s.aead.NonceSize()+len(text)+s.aead.Overhead())
	if _, err := io.ReadFull(random, nonce); err != nil {
		return nil, fmt.Errorf("draw nonce: %w", err)
	}
	return s.aead.Seal(nonce, nonce, []byte(text), s.binding(userID, d)), nil
}

// open gives the text of a sealed token.
func (s Sealer) open(t Token) (string, error) {
	if s.aead == nil || t.SealKey != s.id {
		return "", fmt.Errorf("token sealed with key %q: %w", t.SealKey, ErrNoKey)
	}
	size := s.aead.NonceSize()
	if len(t.Sealed) < size {
		return "", errors.New("sealed token is cut short")
	}
	text, err := s.aead.Open(nil, t.Sealed[:size], t.Sealed[size:], s.binding(t.UserID, t.Digest))
	if err != nil {
		return "", errors.New("sealed token does not open: another row's, or changed")
	}
	return string(text), nil
}

// binding is the additional data that ties a sealed text to its row.
func (s Sealer) binding(userID int64, d Digest) []byte {
	b := binary.BigEndian.AppendUint64([]byte("authcompat token\x00"), uint64(userID))
	b = append(b, d...)
	return append(b, s.id...)
}
