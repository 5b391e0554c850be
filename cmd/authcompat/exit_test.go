package main

import (
	"strings"
	"testing"
)

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
