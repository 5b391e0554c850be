package term

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestColumns(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"none":                {"", ""},
		"narrow":              {"A\tB\n1\t2\n", "A  B\n1  2\n"},
		"wide":                {"NAME\tX\nann\t1\n東京太郎\t2\n", "NAME      X\nann       1\n東京太郎  2\n"},
		"an emoji":            {"NAME\tX\n👩‍💻\t1\nb\t2\n", "NAME  X\n👩‍💻    1\nb     2\n"},
		"combining":           {"NAME\tX\nZoe\u0308y\t1\nZoëy\t2\n", "NAME  X\nZoe\u0308y  1\nZoëy  2\n"},
		"half-width":          {"A\tX\nｶﾅ\t1\n", "A   X\nｶﾅ  1\n"},
		"the last is as is":   {"A\tB\n1\tlong and longer\n", "A  B\n1  long and longer\n"},
		"tables of their own": {"long name\tB\nC\tD\n\nA\tB\n", "long name  B\nC          D\n\nA  B\n"},
		"without its end":     {"A\tB\nlast", "A  B\nlast"},
		"empty cells":         {"A\t\tC\nx\ty\tz\n", "A     C\nx  y  z\n"},
	} {
		var out strings.Builder
		c := NewColumns(&out)
		fmt.Fprint(c, test.text)
		if out.Len() > 0 {
			t.Errorf("%s: written before Flush", name)
		}
		if err := c.Flush(); err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff(test.want, out.String()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

type broken struct{}

var errBroken = errors.New("broken")

func (broken) Write([]byte) (int, error) { return 0, errBroken }

func TestColumnsReportTheWriter(t *testing.T) {
	c := NewColumns(broken{})
	fmt.Fprint(c, "A\tB\n")
	if err := c.Flush(); !errors.Is(err, errBroken) {
		t.Error(err)
	}
}
