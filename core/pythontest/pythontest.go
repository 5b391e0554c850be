// Package pythontest asks Debian's Python, and what is installed for it, in tests that compare
// with the genuine thing.
package pythontest

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"sync"
	"testing"

	"github.com/authcompat/authcompat/core/testenv"
)

// Start runs a script that answers each line of JSON with another, until the test ends. module is
// what has to be installed for it; empty: Python alone. Where that is missing the test is skipped,
// or fails if CI is set. ask is that of [Converse].
func Start(tb testing.TB, module, script string) (ask func(question, answer any)) {
	tb.Helper()
	const python = "/usr/bin/python3"
	if module == "" {
		module = "json"
	}
	if err := exec.Command(python, "-c", "import "+module).Run(); err != nil {
		testenv.Missing(tb, "needs Debian's Python with %s: %v", module, err)
	}
	return Converse(tb, exec.Command(python, "-E", "-W", "ignore", "-c", script))
}

// Converse runs a command that answers each line of JSON with another, until the test ends. ask fails the test if there is no
// answer, and may be called at the same time; with a nil answer it ignores what is in it.
func Converse(tb testing.TB, cmd *exec.Cmd) (ask func(question, answer any)) {
	tb.Helper()
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		tb.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		_ = in.Close() // ends the process
		_ = cmd.Wait()
	})
	var turn sync.Mutex
	lines := bufio.NewReader(out)
	return func(question, answer any) {
		tb.Helper()
		turn.Lock()
		defer turn.Unlock()
		line, err := json.Marshal(question)
		if err == nil {
			_, err = in.Write(append(line, '\n'))
		}
		if err == nil {
			line, err = lines.ReadBytes('\n')
		}
		if err == nil && answer != nil {
			err = json.Unmarshal(line, answer)
		}
		if err != nil {
			tb.Fatalf("%+v: %v", question, err)
		}
	}
}
