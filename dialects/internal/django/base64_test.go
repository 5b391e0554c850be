package django

import (
	"bytes"
	"encoding/base64"
	"testing"
)

type base64Test struct {
	in, want string
	ok       bool
}

// base64Tests has the results of base64.b64decode of CPython 3.11.
func base64Tests() []base64Test {
	return []base64Test{
		{"", "", true},
		{"am9obg==", "john", true},
		{"am9o\r\nbg==", "john", true},
		{"am9!o b*g==", "john", true},
		{"am9obg==am9o", "john", true}, // padding ends the input
		{"am9o=bg==", "john", true},    // unexpected padding is skipped
		{"am9obg=", "", false},
		{"am9obg", "", false},
		{"am9ob", "", false},
		{"====", "", true},
		{"-_-_", "", true}, // characters outside this alphabet
	}
}

func TestDecodeBase64(t *testing.T) {
	for _, tt := range base64Tests() {
		got, ok := DecodeBase64([]byte(tt.in))
		if ok != tt.ok || ok && string(got) != tt.want {
			t.Errorf("%q: %q, %v, want %q, %v", tt.in, got, ok, tt.want, tt.ok)
		}
	}
}

// FuzzDecodeBase64 decodes valid base64 as Go does.
func FuzzDecodeBase64(f *testing.F) {
	for _, tt := range base64Tests() {
		f.Add([]byte(tt.in))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		got, ok := DecodeBase64(raw)
		want, err := base64.StdEncoding.DecodeString(string(raw))
		if err == nil && (!ok || !bytes.Equal(got, want)) {
			t.Errorf("%q: %q, %v, want %q", raw, got, ok, want)
		}
	})
}
