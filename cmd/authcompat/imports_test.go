package main

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/authcompat/authcompat/"

// imports gives what each package of the module imports, tests aside.
func imports(t *testing.T) map[string][]string {
	t.Helper()
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, module+"...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	all := make(map[string][]string)
	for line := range strings.Lines(string(out)) {
		words := strings.Fields(line)
		all[words[0]] = words[1:]
	}
	return all
}

// within tells whether a package is one of the named folders' or below.
func within(pkg string, folders ...string) bool {
	return slices.ContainsFunc(folders, func(folder string) bool {
		return pkg == module+folder || strings.HasPrefix(pkg, module+folder+"/")
	})
}

// TestImportsPointOneWay holds the arrows between the layers.
func TestImportsPointOneWay(t *testing.T) {
	allowed := map[string][]string{
		"core":        {"core"},
		"profiles":    {"profiles"},
		"dialects":    {"dialects", "core", "profiles"},
		"store":       {"store", "core"},
		"conformance": {"conformance"},
	}
	for pkg, imported := range imports(t) {
		layer, _, _ := strings.Cut(strings.TrimPrefix(pkg, module), "/")
		if layer == "cmd" {
			continue
		}
		for _, i := range imported {
			if strings.HasPrefix(i, module) && !within(i, allowed[layer]...) {
				t.Errorf("%s imports %s", pkg, i)
			}
			outside := strings.Contains(strings.Split(i, "/")[0], ".") && !strings.HasPrefix(i, module)
			if layer == "core" && outside && !strings.HasPrefix(i, "golang.org/x/crypto/") && !strings.HasPrefix(i, "golang.org/x/text/") {
				t.Errorf("%s imports %s: core takes the standard library, x/crypto and x/text alone", pkg, i)
			}
		}
	}
}
