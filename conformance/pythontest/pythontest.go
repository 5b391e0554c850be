// Package pythontest asks Debian's Python, and what is installed for it, in tests that compare
// with the genuine thing.
package pythontest

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"testing"

	"github.com/authcompat/authcompat/core/testenv"
)

// Start runs a script that answers each line of JSON with another, until the test ends. module is
// what has to be installed for it; empty: Python alone. Where that is missing the test is skipped,
// or fails if CI is set. ask fails the test if there is no answer.
func Start(tb testing.TB, module, script string) (ask func(question, answer any)) {
	tb.Helper()
	const python = "/usr/bin/python3"
	if module == "" {
		module = "json"
	}
	if err := exec.Command(python, "-c", "import "+module).Run(); err != nil {
		testenv.Missing(tb, "needs Debian's Python with %s: %v", module, err)
	}
	cmd := exec.Command(python, "-E", "-W", "ignore", "-c", script)
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
	lines := bufio.NewReader(out)
	return func(question, answer any) {
		line, err := json.Marshal(question)
		if err == nil {
			_, err = in.Write(append(line, '\n'))
		}
		if err == nil {
			line, err = lines.ReadBytes('\n')
		}
		if err == nil {
			err = json.Unmarshal(line, answer)
		}
		if err != nil {
			tb.Fatalf("%+v: %v", question, err)
		}
	}
}
