package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"unicode/utf8"

	xterm "golang.org/x/term"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/term"
)

// maxPasswordLine is the maximum length of a password line in bytes, with its end: more
// than clients can send in a body.
const maxPasswordLine = 1 << 20

// askPassword reads a password: a line of the input, or twice from the terminal. It ends
// when ctx does, with the error of ctx.
func askPassword(ctx context.Context, in io.Reader, prompts io.Writer, fromInput bool) (password string, err error) {
	if fromInput {
		password, err = await(ctx, func() (string, error) { return readPassword(in) })
	} else {
		password, err = askTwice(ctx, in, prompts)
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

// await returns what read does, or the error of ctx if that ends earlier. The read then goes
// on: there is no way to end one of a terminal or of an inherited pipe.
func await(ctx context.Context, read func() (string, error)) (string, error) {
	type result struct {
		text string
		err  error
	}
	done := make(chan result, 1)
	go func() {
		text, err := read()
		done <- result{text, err}
	}()
	select {
	case r := <-done:
		return r.text, r.err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

func askTwice(ctx context.Context, in io.Reader, prompts io.Writer) (string, error) {
	file, ok := in.(*os.File)
	if !ok || !xterm.IsTerminal(int(file.Fd())) {
		return "", errors.New("standard input is no terminal to ask for the password: use --password-stdin")
	}
	// Else Ctrl-\ would leave a terminal that shows nothing.
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGQUIT)
	defer stop()
	first, err := prompt(ctx, file, prompts, "Password: ")
	if err != nil {
		return "", err
	}
	second, err := prompt(ctx, file, prompts, "Password (again): ")
	switch {
	case err != nil:
		return "", err
	case first != second:
		return "", errors.New("the two passwords differ")
	}
	return first, nil
}

func prompt(ctx context.Context, terminal *os.File, prompts io.Writer, text string) (string, error) {
	restore, err := term.HideInput(terminal)
	if err != nil {
		return "", fmt.Errorf("read password: %w", err)
	}
	defer restore()
	fmt.Fprint(prompts, text)
	answer, err := await(ctx, func() (string, error) { return typedLine(terminal) })
	fmt.Fprintln(prompts)
	if errors.Is(err, io.EOF) {
		return "", errors.New("no password: the input has ended")
	}
	return answer, err
}

// typedLine reads a line, and nothing of the next one. A line that the end of the input
// ends is one too, unless it is empty: then the error is io.EOF.
func typedLine(terminal io.Reader) (string, error) {
	var line []byte
	for char := make([]byte, 1); len(line) <= maxPasswordLine; {
		n, err := terminal.Read(char)
		switch {
		case n > 0 && char[0] == '\n', errors.Is(err, io.EOF) && len(line) > 0:
			return strings.TrimSuffix(string(line), "\r"), nil
		case n > 0:
			line = append(line, char[0])
		case err != nil:
			return "", err
		}
	}
	return "", errors.New("the line is longer than 1 MiB: that is no password")
}
