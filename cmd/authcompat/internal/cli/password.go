package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"golang.org/x/term"
)

// maxPasswordLine is the maximum length of a password line in bytes, with its end: more
// than clients can send in a body.
const maxPasswordLine = 1 << 20

// askPassword reads a password: a line of the input, or twice from the terminal.
func askPassword(in io.Reader, prompts io.Writer, fromInput bool) (password string, err error) {
	if fromInput {
		password, err = readPassword(in)
	} else {
		password, err = askTwice(in, prompts)
	}
	switch {
	case err != nil:
		return "", err
	case password == "":
		return "", errors.New("the password is empty: --no-password is for users whom no password lets in")
	case strings.ContainsRune(password, 0):
		return "", errors.New("the password holds a NUL, which no client can send")
	case !utf8.ValidString(password):
		return "", errors.New("the password is not valid UTF-8, which no client can send")
	}
	return password, nil
}

// readPassword reads the first line.
func readPassword(in io.Reader) (string, error) {
	line, err := bufio.NewReader(io.LimitReader(in, maxPasswordLine+1)).ReadString('\n')
	switch {
	case len(line) > maxPasswordLine:
		return "", errors.New("the first line of standard input is longer than 1 MiB: that is no password")
	case err != nil && (!errors.Is(err, io.EOF) || line == ""):
		return "", errors.New("no password on standard input")
	}
	return strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r"), nil
}

func askTwice(in io.Reader, prompts io.Writer) (string, error) {
	file, ok := in.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return "", errors.New("standard input is no terminal to ask for the password: use --password-stdin")
	}
	first, err := prompt(file, prompts, "Password: ")
	if err != nil {
		return "", err
	}
	second, err := prompt(file, prompts, "Password (again): ")
	switch {
	case err != nil:
		return "", err
	case first != second:
		return "", errors.New("the two passwords differ")
	}
	return first, nil
}

func prompt(terminal *os.File, prompts io.Writer, text string) (string, error) {
	fmt.Fprint(prompts, text)
	answer, err := term.ReadPassword(int(terminal.Fd()))
	fmt.Fprintln(prompts)
	if err != nil {
		return "", fmt.Errorf("read password: %w", err)
	}
	return string(answer), nil
}
