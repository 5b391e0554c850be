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

// base64Tests has what base64.b64decode of CPython 3.11 gives.
func base64Tests() []base64Test {
	return []base64Test{
		{"", "", true},
		{"am9obg==", "john", true},
		{"am9o\r\nbg==", "john", true},
		{"am9!o b*g==", "john", true},
		{"am9obg==am9o", "john", true}, // the padding ends it
		{"am9o=bg==", "john", true},    // padding where none is due is skipped
		{"am9obg=", "", false},
		{"am9obg", "", false},
		{"am9ob", "", false},
		{"====", "", true},
		{"-_-_", "", true}, // not of this alphabet
	}
}

func TestDecodeBase64(t *testing.T) {
	for _, tt := range base64Tests() {
		got, ok := decodeBase64([]byte(tt.in))
		if ok != tt.ok || ok && string(got) != tt.want {
			t.Errorf("%q: %q, %v, want %q, %v", tt.in, got, ok, tt.want, tt.ok)
		}
	}
}

// FuzzDecodeBase64 reads what is good base64 as Go does.
func FuzzDecodeBase64(f *testing.F) {
	for _, tt := range base64Tests() {
		f.Add([]byte(tt.in))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		got, ok := decodeBase64(raw)
		want, err := base64.StdEncoding.DecodeString(string(raw))
		if err == nil && (!ok || !bytes.Equal(got, want)) {
			t.Errorf("%q: %q, %v, want %q", raw, got, ok, want)
		}
	})
}
