package httpserver

import (
	"strings"
	"testing"
)

// TestHeadCounter feeds heads of requests in pieces of every size, one behind another: it
// finds where each ends, and whether it is larger than it may be.
func TestHeadCounter(t *testing.T) {
	head := func(n int, end string) string { return "GET / HTTP/1.1" + end + strings.Repeat("a: b"+end, n) + end }
	most := headLimits{bytes: 1 << 20, fields: 100}
	for _, test := range []struct {
		name  string
		heads []string // all but the last are good
		most  headLimits
		want  bool // the last one is good too
	}{
		{"as many as there may be", []string{head(100, "\r\n")}, most, true},
		{"one more", []string{head(101, "\r\n")}, most, false},
		{"bare line feeds", []string{head(101, "\n")}, most, false},
		{"after empty lines", []string{"\r\n\r\n\n" + head(100, "\r\n")}, most, true},
		{"one more after them", []string{"\r\n\r\n\n" + head(101, "\r\n")}, most, false},
		{"several", []string{head(100, "\n"), "\r\n" + head(100, "\r\n"), head(0, "\r\n"), head(100, "\r\n")}, most, true},
		{"several, and one more", []string{head(100, "\n"), head(0, "\r\n"), "\n" + head(101, "\r\n")}, most, false},
		{"as long as it may be", []string{head(50, "\n"), "\r\n" + head(50, "\r\n")}, headLimits{bytes: len(head(50, "\r\n")), fields: 100}, true},
		{"one byte longer", []string{head(50, "\n"), "\r\n" + head(50, "\r\n")}, headLimits{bytes: len(head(50, "\r\n")) - 1, fields: 100}, false},
		{"a carriage return in a line", []string{"GET\r / HTTP/1.1\r\n\ra: b\r\n\r\n"}, most, true},
	} {
		text := strings.Join(test.heads, "")
		for size := 1; size <= len(text)*2; size = size*2 + 1 {
			var h headCounter
			var found []string
			begin, exceeded := 0, false
			for at := 0; at < len(text) && !exceeded; {
				n := min(size, len(text)-at)
				var length int
				if length, _, exceeded = h.add([]byte(text[at:at+n]), test.most); exceeded {
					break
				}
				at += length
				if h == (headCounter{}) && strings.TrimLeft(text[begin:at], "\r\n") != "" {
					found, begin = append(found, text[begin:at]), at
				}
			}
			good := len(test.heads)
			if !test.want {
				good--
			}
			if exceeded == test.want || strings.Join(found, "|") != strings.Join(test.heads[:good], "|") {
				t.Errorf("%s, %d bytes at a time: exceeded %t, heads %q", test.name, size, exceeded, found)
			}
		}
	}
}
