package profiles

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"unicode/utf8"
)

// Any file either is a profile that can be shown and read again, or has problems, each with
// its position.
func FuzzParse(f *testing.F) {
	for _, folder := range []string{".", stackFolder} {
		for _, name := range names(os.DirFS("."), folder) {
			data, err := os.ReadFile(filepath.Join(folder, name+".yaml"))
			if err != nil {
				f.Fatal(err)
			}
			f.Add(data)
		}
	}
	for _, file := range []string{
		restProfile, restProfile + corsSettings, formProfile, plainProfile, "", "a: &a [*a]", "a: *b", "? [a]\n: {<<: b}", "- !!binary x", "\ufeffname: a",
		"--- |\n a\n--- >\n b\n...\n", "a: \"\\ud800\"", "{a: b, a: b", "%YAML 1.2\n---\na: b", "#", "a: b # c\n# d\n",
		"tokens: {hex: 40, ttl: 1d2h3m4s, legacy_digests: knox-4.2}", "rules: {nul: refused}\nthrottling: told",
		"endpoints: {login: {reply: {body: '${user.email|gravatar} $$ ${'}}}", "messages: {throttled: '{seconds} {'}",
		"headers: {\"X\\r\\nY\": z, Date: now}", "endpoints: {a: {path: '/{username}//../'}}",
	} {
		f.Add([]byte(file))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := Parse("f.yaml", data)
		if err == nil {
			checkRoundTrip(t, p)
			return
		}
		var problems *Problems
		if !errors.As(err, &problems) || len(problems.List) == 0 {
			t.Fatalf("no problem: %v", err)
		}
		var last Position
		for _, problem := range problems.List {
			at := problem.Position
			if at.File != "f.yaml" || at.Line < 1 || at.Column < 1 || problem.Text == "" {
				t.Errorf("bad problem %v", problem)
			}
			if at.Line < last.Line || at.Line == last.Line && at.Column < last.Column {
				t.Errorf("%v stands behind %v", at, last)
			}
			last = at
		}
	})
}

// Any text is unchanged after it was shown and read.
func FuzzRoundTrip(f *testing.F) {
	for _, text := range oddTexts() {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if !utf8.ValidString(text) {
			t.Skip("no file holds it")
		}
		checkOddText(t, text)
	})
}
