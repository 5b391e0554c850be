package term

import (
	"strings"
	"testing"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/term/termtest"
)

// TestProgress shows progress on a terminal, with NO_COLOR too, and not on one that can't write over a line.
func TestProgress(t *testing.T) {
	for name, test := range map[string]struct {
		noColor, kind    string
		progress, colors bool
	}{
		"a terminal": {"", "xterm", true, true},
		"NO_COLOR":   {"1", "xterm", true, false},
		"dumb":       {"", "dumb", false, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("NO_COLOR", test.noColor)
			t.Setenv("TERM", test.kind)
			person, program := termtest.MustPTY(t)
			NewProgress(program).Show("users", 3, 10)
			if _, err := program.WriteString("end"); err != nil {
				t.Fatal(err)
			}
			var said strings.Builder
			for part := make([]byte, 1024); !strings.HasSuffix(said.String(), "end"); {
				n, err := person.Read(part)
				if err != nil {
					t.Fatal(err)
				}
				said.Write(part[:n])
			}
			if shown := strings.Contains(said.String(), "users"); shown != test.progress {
				t.Errorf("progress is shown: %t: %q", shown, said.String())
			}
			if got := ShowsColors(program); got != test.colors {
				t.Errorf("colors: %t", got)
			}
		})
	}
	if IsInteractive(&strings.Builder{}) || ShowsColors(&strings.Builder{}) {
		t.Error("a buffer is taken for a terminal")
	}
}
