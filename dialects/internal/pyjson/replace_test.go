package pyjson

import (
	"testing"
)

// TestDecodeReplacing has the results of bytes.decode(charset, "replace") of CPython 3.11.
func TestDecodeReplacing(t *testing.T) {
	tests := []struct{ charset, body, want string }{
		{"utf-8", "a\xffb", "a\ufffdb"},
		{"utf-8", "\xf0\x9f\x98", "\ufffd"},
		{"utf-8", "\xf0\x9fa", "\ufffda"},
		{"utf-8", "\xed\xa0\x80", "\ufffd\ufffd\ufffd"},
		{"utf-8", "\xc0\x80", "\ufffd\ufffd"},
		{"utf-8-sig", "\xef\xbb\xbfa\xff", "a\ufffd"},
		{"ascii", "a\xc3\xa9", "a\ufffd\ufffd"},
		{"latin-1", "a\xff", "a\u00ff"},
		{"cp1252", "a\x81\x80", "a\ufffd\u20ac"},
		{"utf-16", "a\x00\x00\xd8b\x00", "a\ufffdb"},
		{"utf-16-le", "a\x00b", "a\ufffd"},
		{"utf-16-be", "\xd8\x00", "\ufffd"},
		{"utf-16-be", "\xdc\x00\x00a", "\ufffda"},
		{"utf-16-le", "\x00\xd8a", "\ufffd"},
		{"utf-32", "username", "\ufffd\ufffd"},
		{"utf-32", "email", "\ufffd\ufffd"},
		{"utf-32-le", "a\x00\x00\x00\x00\xd8\x00\x00b", "a\ufffd\ufffd"},
	}
	for _, tt := range tests {
		c, ok := LookupCharset(tt.charset)
		if !ok {
			t.Fatalf("no charset %s", tt.charset)
		}
		if got := c.DecodeReplacing([]byte(tt.body)); got != tt.want {
			t.Errorf("%s: %q is %q, want %q", tt.charset, tt.body, got, tt.want)
		}
	}
}
