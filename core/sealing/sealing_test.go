package sealing_test

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/sealing"
)

// TestSealIsBoundToItsRow checks that a sealed token opens only in the row that it was
// sealed for, and with its key.
func TestSealIsBoundToItsRow(t *testing.T) {
	first, second := make([]byte, sealing.KeySize), bytes.Repeat([]byte{1}, sealing.KeySize)
	sealer, err := sealing.NewSealer(first, second)
	if err != nil {
		t.Fatal(err)
	}
	const text = "0123456789abcdef0123456789abcdef01234567"
	digest := core.Presented(text).SHA256()
	sealed, err := sealer.Seal(rand.Reader, 1, digest, text)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(sealed, []byte(text[:8])) {
		t.Error("the text can be read")
	}
	again, err := sealer.Seal(rand.Reader, 1, digest, text)
	if err != nil || bytes.Equal(sealed, again) {
		t.Errorf("sealed twice, it is the same: %v", err)
	}
	row := core.Token{UserID: 1, Digest: digest, Sealed: sealed, SealKey: sealer.KeyID()}
	if got, err := sealer.Open(row.SealKey, row.UserID, row.Digest, row.Sealed); got != text || err != nil {
		t.Errorf("its own row: %q, %v", got, err)
	}
	for name, change := range map[string]func(*core.Token){
		"another user's":        func(t *core.Token) { t.UserID = 2 },
		"another token's":       func(t *core.Token) { t.Digest = core.Presented("other").SHA256() },
		"under another key":     func(t *core.Token) { t.SealKey = sealer.KeyIDs()[1] },
		"cut short":             func(t *core.Token) { t.Sealed = t.Sealed[:5] },
		"without its last byte": func(t *core.Token) { t.Sealed = t.Sealed[:len(t.Sealed)-1] },
	} {
		other := row
		change(&other)
		if got, err := sealer.Open(other.SealKey, other.UserID, other.Digest, other.Sealed); err == nil {
			t.Errorf("%s: it opens: %q", name, got)
		}
	}
	row.SealKey = "unknown"
	if _, err := sealer.Open(row.SealKey, row.UserID, row.Digest, row.Sealed); !errors.Is(err, sealing.ErrNoKey) {
		t.Errorf("without its key: %v", err)
	}
}

// TestParseKeys reads keys as people write them, and none that is too short or too long.
func TestParseKeys(t *testing.T) {
	first, second := bytes.Repeat([]byte{1}, sealing.KeySize), bytes.Repeat([]byte{2}, sealing.KeySize)
	a, b := base64.StdEncoding.EncodeToString(first), base64.StdEncoding.EncodeToString(second)
	for text, want := range map[string][][]byte{
		a:                                    {first},
		strings.TrimRight(a, "="):            {first},
		" " + a + "\n":                       {first},
		a + "," + b:                          {first, second},
		b + "\n" + a + "\n":                  {second, first},
		strings.TrimRight(a, "=") + ", " + b: {first, second},
	} {
		keys, err := sealing.ParseKeys(text)
		if err != nil || !slices.EqualFunc(keys, want, bytes.Equal) {
			t.Errorf("%q: %v, %v", text, keys, err)
		}
	}
	for _, text := range []string{
		"", " ,\n", "S3cret!", a[:40], base64.StdEncoding.EncodeToString(first[1:]), base64.StdEncoding.EncodeToString(append(first, 0)), a + ",x", "x" + a,
	} {
		if keys, err := sealing.ParseKeys(text); err == nil {
			t.Errorf("%q: %d keys", text, len(keys))
		} else if strings.Contains(err.Error(), "S3cret") || strings.Contains(err.Error(), a[:20]) {
			t.Errorf("a key with a typing error is shown: %v", err)
		}
	}
	for _, size := range []int{0, sealing.KeySize - 1, sealing.KeySize + 1} {
		if _, err := sealing.NewSealer(first, make([]byte, size)); err == nil {
			t.Errorf("a key of %d bytes", size)
		}
	}
	if id := (sealing.Sealer{}).KeyID(); id != "" {
		t.Errorf("without a key: id %q", id)
	}
}
