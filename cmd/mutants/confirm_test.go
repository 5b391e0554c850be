package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A package with a test that bites if its function is changed, and before it one that goes
// by a list: in its first run it fails (f) or crashes (p) if the first letter says so, and
// so on.
const (
	stepsSource = `package p

func Less(a, b int) bool { return a < b }
`
	stepsTests = `package p

import (
	"os"
	"testing"
)

func write(t *testing.T, name, text string) {
	t.Helper()
	f, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(text); err != nil {
		t.Fatal(err)
	}
}

func TestAccident(t *testing.T) {
	runs, _ := os.ReadFile("runs")
	write(t, "runs", "x")
	steps := "STEPS"
	if len(runs) < len(steps) && steps[len(runs)] == 'f' {
		t.Error("by accident")
	}
	if len(runs) < len(steps) && steps[len(runs)] == 'p' {
		go panic("by accident")
		select {}
	}
}

func TestLess(t *testing.T) {
	if BITES && Less(1, 1) {
		t.Error("bad")
	}
}
`
)

// TestAccidents checks that a test which fails by accident neither counts as one that bites
// nor hides one.
func TestAccidents(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		steps string // of the test that comes first
		bites bool   // the other
		want  outcome
	}{
		"an accident before one that bites":            {"f", true, outcome{verdict: caught, test: "TestLess", detail: "TestLess"}},
		"one that always fails, before one that bites": {"fffff", true, outcome{verdict: caught, test: "TestLess", detail: "TestLess"}},
		"it fails twice, and without the bug later":    {"ff..f", false, outcome{verdict: unsteady, detail: "TestAccident"}},
		"it fails once": {"f", false, outcome{verdict: unsteady, detail: "TestAccident"}},
		"it fails with the bug alone, as far as anyone": {"ff...", false, outcome{verdict: caught, test: "TestAccident", detail: "TestAccident"}},
		"a crash by accident":                           {"p", false, outcome{verdict: unsteady, detail: "panic: by accident"}},
		"two crashes":                                   {"pp", false, outcome{verdict: caught, detail: "panic: by accident"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			module := t.TempDir()
			bites := "false"
			if test.bites {
				bites = "true"
			}
			if err := os.Mkdir(filepath.Join(module, "p"), 0o700); err != nil {
				t.Fatal(err)
			}
			for file, text := range map[string]string{
				"go.mod": "module example.org/m\n\ngo 1.26\n", "p/p.go": stepsSource,
				"p/p_test.go": strings.NewReplacer("STEPS", test.steps, "BITES", bites).Replace(stepsTests),
			} {
				if err := os.WriteFile(filepath.Join(module, file), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			s := session{runner: runner{module: module, timeout: 4 * 60e9}, w: &strings.Builder{}, dir: t.TempDir(), jobs: 1}
			p := patch{name: "p", pkg: "./p", files: []string{"p/p.go"},
				diff: "--- a/p/p.go\n+++ b/p/p.go\n@@ -2,2 +2,2 @@\n \n-func Less(a, b int) bool { return a < b }\n+func Less(a, b int) bool { return a <= b }\n"}
			got, err := s.plant(t.Context(), p)
			got.took = 0
			if err != nil || got != test.want {
				t.Errorf("%+v, %v, want %+v", got, err, test.want)
			}
		})
	}
}
