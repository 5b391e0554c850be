package term

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/term/termtest"
)

// TestWidth writes a table to a terminal, whose rows are cut there, and to what is none.
func TestWidth(t *testing.T) {
	t.Setenv("TERM", "xterm")
	person, program := termtest.MustPTY(t)
	for columns, want := range map[uint16]int{40: 40, 100: 100, 300: 120, 0: 80} {
		if err := unix.IoctlSetWinsize(int(program.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: columns}); err != nil {
			t.Fatal(err)
		}
		if got := Width(program); got != want {
			t.Errorf("a terminal of %d columns: %d, want %d", columns, got, want)
		}
	}
	if got := Width(&bytes.Buffer{}); got != 80 {
		t.Errorf("no terminal: %d, want 80", got)
	}
	if err := unix.IoctlSetWinsize(int(program.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 12}); err != nil {
		t.Fatal(err)
	}
	for w, want := range map[io.Writer]string{
		program:         "NAME  ENDPO…\r\nann   /a/ /…\r\n",
		&bytes.Buffer{}: "NAME  ENDPOINTS\nann   /a/ /b/ /c/\n",
	} {
		table := NewTable(w, false, "NAME\tENDPOINTS").Fit()
		if err := table.Row(nil, "%s\t%s", "ann", "/a/ /b/ /c/"); err != nil {
			t.Fatal(err)
		}
		if err := table.End(); err != nil {
			t.Fatal(err)
		}
		var got strings.Builder
		if b, ok := w.(*bytes.Buffer); ok {
			got.WriteString(b.String())
		} else if _, err := io.CopyN(&got, person, int64(len(want))); err != nil {
			t.Fatal(err)
		}
		if got.String() != want {
			t.Errorf("%q, want %q", got.String(), want)
		}
	}
}
