package term

import (
	"os"

	"golang.org/x/sys/windows"
)

// HideInput makes a console stop showing what is typed into it, line by line, until restore
// is called. Keys such as Ctrl-C and Ctrl-Z work as always.
func HideInput(console *os.File) (restore func(), err error) {
	handle := windows.Handle(console.Fd())
	var before uint32
	if err := windows.GetConsoleMode(handle, &before); err != nil {
		return nil, err
	}
	hidden := before&^windows.ENABLE_ECHO_INPUT | windows.ENABLE_PROCESSED_INPUT | windows.ENABLE_LINE_INPUT
	if err := windows.SetConsoleMode(handle, hidden); err != nil {
		return nil, err
	}
	return func() { _ = windows.SetConsoleMode(handle, before) }, nil // else it is gone
}
