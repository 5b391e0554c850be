package httpserver

import (
	"strings"
	"testing"
)

// TestHeadCounter feeds heads of requests in pieces of every size.
func TestHeadCounter(t *testing.T) {
	lines := func(n int, end string) string { return "GET / HTTP/1.1" + end + strings.Repeat("a: b"+end, n) }
	body := strings.Repeat("line\r\n", 300)
	for _, test := range []struct {
		name, text string
		partly     bool
		want       bool
		least      int // bytes at a time: what comes in later ones, net/http reads for the head
	}{
		{"as many as there may be", lines(100, "\r\n") + "\r\n" + body, false, false, 1},
		{"one more", lines(101, "\r\n") + "\r\n", false, true, 1},
		{"bare line feeds", lines(101, "\n"), false, true, 1},
		{"after empty lines", "\r\n\r\n" + lines(100, "\r\n") + "\r\n" + body, false, false, 1},
		{"the end of a head, and a body", "\r\n" + body, true, false, 2000},
		{"an empty line before a head", "\r\n" + lines(100, "\r\n") + "\r\n", true, false, 1},
		{"an empty line before too many", "\r\n" + lines(1000, "\r\n"), true, true, 1},
		{"a part of a head, and a body", "b\r\nc: d\r\n\r\n" + body, true, false, 1},
		{"too many in a part", lines(102, "\r\n"), true, true, 1},
	} {
		for size := test.least; size <= max(test.least, min(4096, len(test.text))); size = size*2 + 1 {
			h := headCounter{partly: test.partly}
			exceeded := false
			for rest := test.text; rest != "" && !exceeded; {
				n := min(size, len(rest))
				exceeded = h.exceeds([]byte(rest[:n]), headLimits{1 << 20, DefaultMaxHeaderFields})
				rest = rest[n:]
			}
			if exceeded != test.want {
				t.Errorf("%s, %d bytes at a time: %t", test.name, size, exceeded)
			}
		}
	}
}
