//go:build unix

package term

import (
	"os"

	"golang.org/x/sys/unix"
)

// HideInput makes a terminal stop showing what is typed into it, line by line, until restore
// is called. Keys such as Ctrl-C and Ctrl-D work as always.
func HideInput(terminal *os.File) (restore func(), err error) {
	fd := int(terminal.Fd())
	before, err := unix.IoctlGetTermios(fd, getTermios)
	if err != nil {
		return nil, err
	}
	hidden := *before
	hidden.Lflag &^= unix.ECHO
	hidden.Lflag |= unix.ICANON | unix.ISIG
	hidden.Iflag |= unix.ICRNL
	if err := unix.IoctlSetTermios(fd, setTermios, &hidden); err != nil {
		return nil, err
	}
	return func() { _ = unix.IoctlSetTermios(fd, setTermios, before) }, nil // else it is gone
}
