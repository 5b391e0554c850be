package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestExitCodes: 0 is good, 1 a verdict on what a command looked at, and 2 all else. A script that
// waits for a verdict must not take a misspelt flag for one.
func TestExitCodes(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	in := func(name string) string { return filepath.Join(folder, name) }
	put(t, in("bad.yaml"), "name: bad\n")
	put(t, in("settings.yaml"), "listeners: [{profile: snippit, address: '127.0.0.1:0'}]\n")
	put(t, in("exchanges.yaml"), "profile: mine\nusernames: {max: 30}\nexchanges: []\n")
	for _, test := range []struct {
		args string
		want int
		said string // in what is written
	}{
		{"", 0, "Usage:"},
		{"--help", 0, "Exit codes"},
		{"nonsense", 2, `"nonsense" is no command of authcompat`},
		{"--nonsense", 2, "--nonsense: authcompat has no such flag"},
		{"profile check %/nofile", 2, "%/nofile: there is no such file"},
		{"profile check %/bad.yaml", 1, "bad.yaml:1:1: family: "},
		{"config check %/settings.yaml", 0, "the settings are good"},
		{"config check %/bad.yaml", 1, "bad.yaml:1:1: name: unknown key"},
		{"config check %/nofile", 2, "the configuration file: %/nofile: there is no such file (authcompat config print > FILE starts one)"},
		{"config check %/settings.yaml --config %/settings.yaml", 2, "the file is given twice, as an argument and with --config"},
		{"config check a b", 2, "2 arguments given: want authcompat config check [FILE] [flags]"},
		{"serve --config %/bad.yaml", 2, "bad.yaml:1:1: name: unknown key"},
		{"serve", 2, "which API? Give --profile"},
		{"user show nobody --store sqlite:%/nofile", 2, "there is no such database"},
		{"conformance check %/exchanges.yaml", 1, "exchanges.yaml: exchanges: want one exchange or more"},
		{"conformance check %/nofile", 2, "no such file"},
	} {
		t.Run(test.args, func(t *testing.T) {
			out, said, code := runCommand(t, strings.Fields(strings.ReplaceAll(test.args, "%", folder))...)
			if code != test.want || !strings.Contains(out+said, strings.ReplaceAll(test.said, "%", folder)) {
				t.Errorf("exit code %d, want %d, with %q in\n%s%s", code, test.want, test.said, out, said)
			}
		})
	}
}

// TestErrorsInJSON: with --json, the last line on standard error is one object of one shape, and
// standard output has results only.
func TestErrorsInJSON(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	bad := filepath.Join(folder, "bad.yaml")
	put(t, bad, "profile: Mine\nusernames: {max: 30}\nexchanges: [x]\n")
	type problem struct{ Position, Key, Problem string }
	type failure struct {
		Error    string    `json:"error"`
		ExitCode int       `json:"exit_code"`
		Problems []problem `json:"problems"`
	}
	for _, test := range []struct {
		args string
		want failure
	}{
		{"user list --json --store sqlite:%/nofile", failure{Error: "sqlite:%/nofile: there is no such database (serve, user create and import make one)"}},
		{"user list --nonsense --json", failure{Error: "--nonsense: authcompat user list has no such flag (--help shows those it has)"}},
		{"user nonsense --json", failure{Error: "--json: authcompat user has no such flag (--help shows those it has)"}},
		{"callers --json --csv", failure{Error: "--json and --csv: want one of them, not both"}},
		{"conformance run --format json --profile none", failure{Error: `profile "none" is neither built in`}},
		{"conformance run --nonsense --format=json", failure{Error: "--nonsense: authcompat conformance run has no such flag (--help shows those it has)"}},
		{"conformance run --json --profile snippit --exchanges %/bad.yaml", failure{
			Error: "%/bad.yaml:1:10: profile: \"Mine\" is not a profile's name\n%/bad.yaml:3:13: exchanges[0]: want a mapping",
			Problems: []problem{
				{"%/bad.yaml:1:10", "profile", `"Mine" is not a profile's name`},
				{"%/bad.yaml:3:13", "exchanges[0]", "want a mapping"},
			}}},
		{"inspect --json", failure{Error: "name a SOURCE, or --settings FILE"}},
	} {
		t.Run(test.args, func(t *testing.T) {
			out, said, code := runCommand(t, strings.Fields(strings.ReplaceAll(test.args, "%", folder))...)
			var got failure
			if err := json.Unmarshal([]byte(said), &got); err != nil || out != "" || code != 2 || got.ExitCode != 2 || strings.Count(said, "\n") != 1 {
				t.Fatalf("%v, exit code %d\n%s%s", err, code, out, said)
			}
			want := test.want
			want.ExitCode = 2
			want.Error = strings.ReplaceAll(want.Error, "%", folder)
			for i := range want.Problems {
				want.Problems[i].Position = strings.ReplaceAll(want.Problems[i].Position, "%", folder)
			}
			if strings.HasSuffix(want.Error, "neither built in") {
				got.Error = got.Error[:min(len(want.Error), len(got.Error))]
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	// The variable of the flag counts as the flag does.
	cmd := programCommand(t, "user", "list", "--store", "sqlite:"+filepath.Join(folder, "nofile"))
	cmd.Env = append(cmd.Env, "AUTHCOMPAT_JSON=true")
	var said strings.Builder
	cmd.Stderr = &said
	_ = cmd.Run() // its state says how it ended
	if code := cmd.ProcessState.ExitCode(); code != 2 || !strings.HasPrefix(said.String(), `{"error":"`) {
		t.Errorf("exit code %d: %s", code, said.String())
	}
}

// TestConformanceThatCouldNotRun: exit code 1 would say that the server differs.
func TestConformanceThatCouldNotRun(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{
		"":                                    "which profile?",
		"--nonsense":                          "--nonsense: authcompat conformance run has no such flag",
		"--profile":                           "--profile: a value is missing",
		"nonsense":                            "1 argument given: want authcompat conformance run",
		"--profile nonsense":                  "neither built in",
		"--profile snippit --format nonsense": "--format",
	} {
		out, said, code := runCommand(t, append([]string{"conformance", "run"}, strings.Fields(args)...)...)
		if code != 2 || out != "" || !strings.HasPrefix(said, "authcompat: ") || !strings.Contains(said, want) {
			t.Errorf("%s: exit code %d, %s%s", args, code, out, said)
		}
	}
}
