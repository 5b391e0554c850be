package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// root returns the module's folder.
func root(t *testing.T) string {
	t.Helper()
	module, err := moduleFolder(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return module
}

// TestPatchesApply checks that every planted bug still fits what it changes. Whether it
// compiles takes a run to find out.
func TestPatchesApply(t *testing.T) {
	t.Parallel()
	all, err := plantedPatches(regexp.MustCompile(""))
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 60 {
		t.Errorf("%d planted bugs, want 60 or more", len(all))
	}
	module := root(t)
	for _, p := range all {
		replaced, err := p.apply(t.Context(), module, t.TempDir())
		if err != nil {
			t.Errorf("%s does not apply: %v", p.name, err)
		}
		for was, is := range replaced {
			before, err := os.ReadFile(was)
			if err != nil {
				t.Fatal(err)
			}
			if after, err := os.ReadFile(is); err != nil || string(before) == string(after) {
				t.Errorf("%s changes nothing in %s: %v", p.name, was, err)
			}
		}
	}
}

const onePatch = `breaks: a thing,
  for somebody
package: ./core
run: ^TestOne$
why: the others take minutes
--- a/core/token.go
+++ b/core/token.go
@@ -1,2 +1,2 @@
-package core
+package bug
 
`

func TestParsePatch(t *testing.T) {
	t.Parallel()
	got, err := parsePatch("one", onePatch)
	if err != nil {
		t.Fatal(err)
	}
	want := patch{
		name: "one", breaks: "a thing, for somebody", pkg: "./core", run: "^TestOne$", why: "the others take minutes",
		diff: onePatch[strings.Index(onePatch, "---"):], files: []string{"core/token.go"},
	}
	if d := cmp.Diff(want, got, cmp.AllowUnexported(patch{})); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	for name, change := range map[string][2]string{
		"no diff":          {"--- a/core", "--- core"},
		"no package":       {"package: ./core\n", ""},
		"no reason":        {"why: the others take minutes\n", ""},
		"another package":  {"package: ./core\n", "package: ./store\n"},
		"an unknown line":  {"run: ", "only: "},
		"a line twice":     {"run: ", "why: again\nrun: "},
		"a bad pattern":    {"^TestOne$", "("},
		"what breaks":      {"breaks: a thing,\n  for somebody\n", ""},
		"no colon":         {"run: ", "run "},
		"a changed file":   {"+++ b/core/token.go\n", ""},
		"a longer package": {"package: ./core\n", "package: ./cor\n"},
	} {
		if _, err := parsePatch("one", strings.Replace(onePatch, change[0], change[1], 1)); err == nil {
			t.Errorf("%s is good", name)
		}
	}
}

func TestJudge(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, output string
		passed       bool
		want         outcome
	}{
		{"passed", "ok  \tcore\t0.1s\n", true, outcome{verdict: survived}},
		{"a test fails", "    --- FAIL: TestA/sub (0.00s)\n--- FAIL: TestB (0.00s)\n    b_test.go:1: bad\nFAIL\n", false, outcome{verdict: caught, test: "TestB", detail: "TestB"}},
		{"does not compile", "# core\nx.go:1:1: bad\nFAIL\tcore [build failed]\nFAIL\n", false, outcome{verdict: unbuilt, detail: "# core\nx.go:1:1: bad\nFAIL\tcore [build failed]\nFAIL"}},
		{"hangs", "panic: test timed out after 4m0s\n\trunning tests:\n\t\tTestB (4m0s)\n", false, outcome{verdict: hung}},
		{"a failure, then a hang", "--- FAIL: TestA (0.00s)\npanic: test timed out after 4m0s\n", false, outcome{verdict: hung}},
		{"crashes", "panic: runtime error: index out of range\n\ngoroutine 1\nFAIL\tcore\n", false, outcome{verdict: caught, detail: "panic: runtime error: index out of range"}},
		{"deadlocks", "fatal error: all goroutines are asleep - deadlock!\nFAIL\n", false, outcome{verdict: caught, detail: "fatal error: all goroutines are asleep - deadlock!"}},
		{"nothing known", "exit status 1\nFAIL\tcore\n", false, outcome{verdict: unclear, detail: "exit status 1\nFAIL\tcore"}},
	} {
		if got := judge(test.passed, test.output); got != test.want {
			t.Errorf("%s: %+v, want %+v", test.name, got, test.want)
		}
	}
}

const sample = `package p

import "log/slog"

type T struct{ n int }

func (t *T) f(a, b int, log *slog.Logger) (ok bool, err error) {
	if a < b && !ok {
		t.n++
		log.Info("said", "n", 1)
		return true, g()
	}
	defer g()
	for range make([]int, 3) {
		continue
	}
	t.n = a + 1
	return a == b || a == b, nil
}

func g() error { return nil }
`

func TestMutations(t *testing.T) {
	t.Parallel()
	all, err := mutations("p/p.go", "./p", []byte(sample))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range all {
		changed := string(m.apply([]byte(sample)))
		if changed == sample || m.function != "(*T).f" || m.pkg != "./p" {
			t.Errorf("%s: changes nothing, or elsewhere", m)
		}
		got = append(got, m.change)
	}
	slices.Sort(got)
	want := []string{
		"!= in a == b", "!= in a == b #2", "&& in a == b || a == b", "- in a + 1", "2 for 1", "<= in a < b",
		"always if a < b && !ok", "break for continue", "false for true", "never if a < b && !ok",
		"nil for the error in return true, g()", "without defer g()", "without t.n = a + 1", "without t.n++",
		"without the ! of !ok", "|| in a < b && !ok",
	}
	slices.Sort(want)
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// TestDrawRepeatsItself draws by a seed, twice, and by another.
func TestDrawRepeatsItself(t *testing.T) {
	t.Parallel()
	draw := func(seed uint64) []string {
		all, err := everyMutation(t.Context(), root(t), []string{"./core/password"})
		if err != nil {
			t.Fatal(err)
		}
		shuffle(all, seed)
		names := make([]string, len(all))
		for i, m := range all {
			names[i] = m.String()
		}
		return names
	}
	first, again, other := draw(1), draw(1), draw(2)
	if len(first) < 100 || !slices.Equal(first, again) || slices.Equal(first, other) {
		t.Errorf("%d mutations: the same by one seed %t, by two %t", len(first), slices.Equal(first, again), slices.Equal(first, other))
	}
	slices.Sort(first)
	if unique := slices.Compact(slices.Clone(first)); len(unique) != len(first) {
		t.Errorf("%d of %d names are unique", len(unique), len(first))
	}
}

// TestExplanationsAreOfMutations checks that what is explained can still be drawn.
func TestExplanationsAreOfMutations(t *testing.T) {
	t.Parallel()
	explained, err := explanations(explainedList)
	if err != nil {
		t.Fatal(err)
	}
	all, err := everyMutation(t.Context(), root(t), defaultPackages)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range all {
		delete(explained, m.String())
	}
	for name := range explained {
		t.Errorf("explained.txt: there is no such mutation any more: %s", name)
	}
}

func TestExplanations(t *testing.T) {
	t.Parallel()
	got, err := explanations("# a comment\n\na.go f: x\n\tbecause\nb.go g: y\n\tsince\n")
	if d := cmp.Diff(map[string]string{"a.go f: x": "because", "b.go g: y": "since"}, got); d != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, d)
	}
	for _, bad := range []string{"\tbecause\n", "a.go f: x\n", "a.go f: x\nb.go g: y\n\tsince\n", "a.go f: x\n\tbecause\n\tsince\n", "a.go f: x\n\tb\na.go f: x\n\tb\n"} {
		if got, err := explanations(bad); err == nil {
			t.Errorf("%q: %v", bad, got)
		}
	}
}

// TestPlantAndDraw runs the command itself on a module of its own, with a test that bites
// and one that does not.
func TestPlantAndDraw(t *testing.T) {
	t.Parallel()
	module := t.TempDir()
	for file, text := range map[string]string{
		"go.mod":      "module example.org/m\n\ngo 1.26\n",
		"p/p.go":      "package p\n\nfunc Less(a, b int) bool { return a < b }\n\nfunc Unused(a int) int { return a + 1 }\n",
		"p/p_test.go": "package p\n\nimport \"testing\"\n\nfunc TestLess(t *testing.T) {\n\tif Less(1, 1) || !Less(1, 2) {\n\t\tt.Error(\"bad\")\n\t}\n}\n",
	} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(module, file)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(module, file), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var out strings.Builder
	s := session{runner: runner{module: module, timeout: 4 * 60e9}, w: &out, dir: t.TempDir(), jobs: 1}
	for diff, want := range map[string]verdict{
		"@@ -2,3 +2,3 @@\n \n-func Less(a, b int) bool { return a < b }\n+func Less(a, b int) bool { return a <= b }\n \n": caught,
		"@@ -4,2 +4,2 @@\n \n-func Unused(a int) int { return a + 1 }\n+func Unused(a int) int { return a + 2 }\n":         survived,
		"@@ -4,2 +4,2 @@\n \n-func Nobody(a int) int { return a + 1 }\n+func Nobody(a int) int { return a }\n":             unapplied,
	} {
		p := patch{name: "p", pkg: "./p", diff: "--- a/p/p.go\n+++ b/p/p.go\n" + diff, files: []string{"p/p.go"}}
		if got, err := s.plant(t.Context(), p); err != nil || got.verdict != want {
			t.Errorf("%s: %+v, %v, want %s", diff, got, err, want)
		}
	}
	ok, err := s.drawn(t.Context(), draw{number: 10, skip: 0, seed: 1, packages: []string{"./p"}, only: regexp.MustCompile("Unused: -")})
	if ok || err != nil || !strings.Contains(out.String(), "seed 1: 0 caught, 0 explained, 1 survived (0 did not compile)") {
		t.Errorf("%t, %v:\n%s", ok, err, &out)
	}
}
