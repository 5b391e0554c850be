package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// overlay says which file replaces which, in absolute paths (go help build, -overlay).
type overlay map[string]string

// write writes the overlay's file below dir and returns its path.
func (o overlay) write(dir string) (string, error) {
	text, err := json.Marshal(struct{ Replace overlay }{o})
	if err != nil {
		return "", err
	}
	file := filepath.Join(dir, "overlay.json")
	return file, os.WriteFile(file, text, 0o600)
}

// verdict is what became of a bug.
type verdict int

const (
	survived  verdict = iota // all tests passed
	caught                   // a test failed twice, and not without the bug, or there were two crashes
	unsteady                 // tests failed by accident, and no other did
	hung                     // the tests ran into the timeout
	unbuilt                  // it does not compile
	unapplied                // the patch does not fit
	unclear                  // go test failed, and no test did
)

// String returns the verdict's word in the report.
func (v verdict) String() string {
	return map[verdict]string{
		survived: "SURVIVED", caught: "caught", unsteady: "BY ACCIDENT", hung: "TIMED OUT", unbuilt: "DOES NOT BUILD",
		unapplied: "DOES NOT APPLY", unclear: "UNCLEAR",
	}[v]
}

// tests are the tests of one package.
type tests struct {
	pkg  string // as ./core
	run  string // a pattern of their names; all if empty
	skip string // a pattern of those to leave out; none if empty
}

// only returns one of the tests.
func (t tests) only(name string) tests { return tests{pkg: t.pkg, run: "^" + name + "$"} }

// without returns the tests but the named ones.
func (t tests) without(names []string) tests {
	t.skip = "^(" + strings.Join(names, "|") + ")$"
	return t
}

// outcome is the result of a run of tests.
type outcome struct {
	verdict verdict
	test    string // the test that failed first; empty: none did
	detail  string // that test, a crash, or the end of the output
	took    time.Duration
}

// crashed tells whether the tests ended in a crash that names none of them.
func (o outcome) crashed() bool { return o.verdict == caught && o.test == "" }

// runner runs tests of the module.
type runner struct {
	module  string        // its folder
	timeout time.Duration // of the tests of a package
}

// runOnce runs tests a number of times in a row, until one fails, against the files of an
// overlay, which may be empty.
func (r runner) runOnce(ctx context.Context, t tests, overlayFile string, times int) (outcome, error) {
	// The findings of go vet would be no tests' merit.
	args := []string{"test", "-count", strconv.Itoa(times), "-failfast", "-vet=off", "-timeout", r.timeout.String()}
	if t.run != "" {
		args = append(args, "-run", t.run)
	}
	if t.skip != "" {
		args = append(args, "-skip", t.skip)
	}
	if overlayFile != "" {
		args = append(args, "-overlay", overlayFile)
	}
	cmd := exec.CommandContext(ctx, "go", append(args, t.pkg)...)
	cmd.Dir = r.module
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	start := time.Now()
	out, err := cmd.CombinedOutput()
	took := time.Since(start)
	if ctx.Err() != nil {
		return outcome{}, ctx.Err()
	}
	var failed *exec.ExitError
	if err != nil && !errors.As(err, &failed) {
		return outcome{}, fmt.Errorf("go test: %w", err)
	}
	o := judge(err == nil, string(out))
	o.took = took
	return o, nil
}

// failedTest matches the line of a test that failed, but not one of its subtests.
var failedTest = regexp.MustCompile(`(?m)^--- FAIL: (\S+)`)

// judge reads the output of go test.
func judge(passed bool, output string) outcome {
	switch failed := failedTest.FindStringSubmatch(output); {
	case passed:
		return outcome{verdict: survived}
	case strings.Contains(output, "[build failed]") || strings.Contains(output, "[setup failed]"):
		return outcome{verdict: unbuilt, detail: tail(output)}
	case strings.Contains(output, "panic: test timed out after"):
		return outcome{verdict: hung}
	case failed != nil:
		return outcome{verdict: caught, test: failed[1], detail: failed[1]}
	}
	for line := range strings.Lines(output) {
		if strings.HasPrefix(line, "panic: ") || strings.HasPrefix(line, "fatal error: ") {
			return outcome{verdict: caught, detail: strings.TrimSpace(line)}
		}
	}
	return outcome{verdict: unclear, detail: tail(output)}
}

// tail returns the last lines of an output.
func tail(output string) string {
	const lines = 8
	all := strings.Split(strings.TrimSpace(output), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
