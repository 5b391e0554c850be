package httpserver

import (
	"strings"
	"testing"
)

// TestHeaderLines feeds heads of requests in pieces of every size.
func TestHeaderLines(t *testing.T) {
	lines := func(n int, end string) string { return "GET / HTTP/1.1" + end + strings.Repeat("a: b"+end, n) }
	body := strings.Repeat("line\r\n", 300)
	for _, test := range []struct {
		name, text string
		partly     bool
		want       bool
	}{
		{"as many as there may be", lines(100, "\r\n") + "\r\n" + body, false, false},
		{"one more", lines(101, "\r\n") + "\r\n", false, true},
		{"bare line feeds", lines(101, "\n"), false, true},
		{"after empty lines", "\r\n\r\n" + lines(100, "\r\n") + "\r\n" + body, false, false},
		{"the end of a head, and a body", "\r\n" + body, true, false},
		{"a part of a head, and a body", "b\r\nc: d\r\n\r\n" + body, true, false},
		{"too many in a part", lines(102, "\r\n"), true, true},
	} {
		for size := 1; size <= len(test.text); size = size*2 + 1 {
			h := headerLines{partly: test.partly}
			exceeded := false
			for rest := test.text; rest != "" && !exceeded; {
				n := min(size, len(rest))
				exceeded = h.exceeds([]byte(rest[:n]), DefaultMaxHeaderFields)
				rest = rest[n:]
			}
			if exceeded != test.want {
				t.Errorf("%s, %d bytes at a time: %t", test.name, size, exceeded)
			}
		}
	}
}
