package termtest

import (
	"fmt"
	"os"
	"syscall"
	"testing"

	"github.com/authcompat/authcompat/core/testenv"
	"golang.org/x/sys/unix"
)

// MustPTY returns a new terminal: what a person holds of it, and what a program does. Both are closed when the test ends.
// A machine without pseudo terminals skips the test, but in CI, where every test must run, that is a failure.
func MustPTY(t testing.TB) (person, program *os.File) {
	t.Helper()
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		testenv.Missing(t, "takes pseudo terminals: %v", err)
	}
	t.Cleanup(func() { person.Close() })
	number, err := unix.IoctlGetInt(int(person.Fd()), unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(int(person.Fd()), unix.TIOCSPTLCK, 0)
	}
	if err == nil {
		program, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { program.Close() })
	return person, program
}
