package authcompat

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
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
		"conformance": {"conformance", "profiles/yamlfile"},
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

// TestLibraries holds that the libraries that were asked for are in use.
func TestLibraries(t *testing.T) {
	all := imports(t)
	for _, library := range []string{
		"github.com/gorilla/mux", "github.com/go-playground/form/v4", "github.com/jmoiron/sqlx", "github.com/lib/pq", "gopkg.in/yaml.v3", "golang.org/x/crypto/pbkdf2",
	} {
		used := false
		for _, imported := range all {
			used = used || slices.Contains(imported, library)
		}
		if !used {
			t.Errorf("nothing imports %s", library)
		}
	}
}

// TestImportsOfTheCommand holds the arrows between the packages of cmd/authcompat.
func TestImportsOfTheCommand(t *testing.T) {
	const command, internal = "cmd/authcompat", "cmd/authcompat/internal/"
	allowed := map[string][]string{
		"":       {"cli"},
		"cli":    {"cli/command", "cli/conformancecmd", "cli/djangocmd", "cli/frontcmd", "cli/profilecmd", "config", "config/flagvalue", "engine", "keyring", "server", "term", "version"},
		"server": {"clockwatch", "config", "config/frontconfig", "console", "console/guard", "console/operate", "console/page", "console/target", "engine", "httpserver", "keyring", "mailer", "metrics", "shadowing", "version", "wait"},
		"engine": {"mailer", "metrics", "wait"},
		"config": {"config/flagvalue", "config/frontconfig", "config/section", "httpserver", "keyring", "mailer"},

		"cli/command":        {"config", "engine", "keyring", "term"},
		"cli/conformancecmd": {"cli/command", "config", "config/flagvalue", "explore", "inprocess", "report", "term"},
		"cli/djangocmd":      {"cli/command", "config", "config/flagvalue", "djangosettings", "djangosettings/python", "engine", "keyring", "report", "term"},
		"cli/frontcmd":       {"cli/command", "config", "config/flagvalue", "engine", "snippet", "term"},

		"cli/profilecmd": {"cli/command", "config/flagvalue", "openapi", "schema", "term"},

		"openapi": {},
		"schema":  {"config"},

		"config/configtest":  {"config"},
		"config/flagvalue":   {},
		"config/frontconfig": {"config/flagvalue", "config/section", "keyring"},
		"config/section":     {},

		"console":                   {"console/browse", "console/guard", "console/operate", "console/page", "console/suite", "console/target", "console/try"},
		"console/browse":            {"console/page", "console/target"},
		"console/consoletest":       {"console", "console/guard"},
		"console/guard":             {"console/page"},
		"console/operate":           {"config/flagvalue", "console/page", "engine", "term"},
		"console/page":              {},
		"console/relay":             {"console/target"},
		"console/suite":             {"console/page", "console/relay", "console/target"},
		"console/target":            {},
		"console/target/targettest": {"console/target", "inprocess"},
		"console/try":               {"console/page", "console/relay", "console/target"},

		"explore": {"config/flagvalue", "console", "console/guard", "console/target", "httpserver", "inprocess"},

		"djangosettings":        {"djangosettings/python"},
		"djangosettings/python": {},

		"inprocess":         {"httpserver"},
		"httpserver":        {"wait"},
		"keyring":           {"wait"},
		"mailer":            {"clockwatch", "config/flagvalue", "wait"},
		"mailer/mailertest": {},
		"manual":            {"cli"},
		"metrics":           {"wait"},
		"report":            {},
		"shadowing":         {},
		"snippet":           {},
		"term":              {},
		"term/termtest":     {},
		"clockwatch":        {},
		"version":           {},
		"wait":              {},
	}
	seen := 0
	for pkg, imported := range imports(t) {
		if !within(pkg, command) {
			continue
		}
		seen++
		name := strings.TrimPrefix(strings.TrimPrefix(pkg, module+command), "/internal/")
		arrows, known := allowed[name]
		if !known {
			t.Errorf("%s: say here what it may import", pkg)
		}
		for _, i := range imported {
			if to, ours := strings.CutPrefix(i, module+internal); ours && !slices.Contains(arrows, to) {
				t.Errorf("%s imports %s", pkg, i)
			}
		}
	}
	if seen != len(allowed) {
		t.Errorf("%d packages, %d in the list", seen, len(allowed))
	}
}

// TestSizes holds how large a package and a file may be: one that is larger has more
// than one subject.
func TestSizes(t *testing.T) {
	const maxFiles, maxLines = 25, 400 // of a package, tests aside; of a file
	sizes := make(map[string]int)
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(path) != ".go" {
			return err
		}
		text, err := os.ReadFile(path)
		sizes[path] = bytes.Count(text, []byte("\n"))
		if !strings.HasSuffix(path, "_test.go") {
			sizes[filepath.Dir(path)]++
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for path, size := range sizes {
		limit := maxFiles
		if filepath.Ext(path) == ".go" {
			limit = maxLines
		}
		if size > limit {
			t.Errorf("%s is too large: %d, at most %d", path, size, limit)
		}
	}
}
