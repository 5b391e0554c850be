package django

import "testing"

// TestDecodeBase64 has what base64.b64decode of CPython 3.11 gives.
func TestDecodeBase64(t *testing.T) {
	tests := []struct {
		in, want string
		ok       bool
	}{
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
	for _, tt := range tests {
		got, ok := decodeBase64([]byte(tt.in))
		if ok != tt.ok || ok && string(got) != tt.want {
			t.Errorf("%q: %q, %v, want %q, %v", tt.in, got, ok, tt.want, tt.ok)
		}
	}
}
