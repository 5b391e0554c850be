package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// defaultPackages are those whose mutations are drawn.
var defaultPackages = []string{"./core/...", "./store/...", "./dialects/..."}

// listed is what go list says of a package.
type listed struct {
	Dir     string
	GoFiles []string
}

// everyMutation returns the mutations of packages, in a fixed order. Packages of tests
// (storetest) are left out: they are what should notice.
func everyMutation(ctx context.Context, module string, patterns []string) ([]mutation, error) {
	cmd := exec.CommandContext(ctx, "go", append([]string{"list", "-json=Dir,GoFiles"}, patterns...)...)
	cmd.Dir = module
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	var all []mutation
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, fmt.Errorf("go list: %w", err)
		}
		folder, err := filepath.Rel(module, p.Dir)
		if err != nil {
			return nil, err
		}
		if strings.HasSuffix(folder, "test") {
			continue
		}
		for _, file := range p.GoFiles {
			text, err := os.ReadFile(filepath.Join(p.Dir, file))
			if err != nil {
				return nil, err
			}
			found, err := mutations(filepath.ToSlash(filepath.Join(folder, file)), "./"+filepath.ToSlash(folder), text)
			if err != nil {
				return nil, err
			}
			all = append(all, found...)
		}
	}
}

// shuffle brings mutations into an order that only the seed decides.
func shuffle(all []mutation, seed uint64) {
	random := rand.New(rand.NewPCG(seed, 0))
	random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
}

// widerTests are the tests that hold a layer where those of its packages don't: the suites
// that stores share run in the stores, and dialects are held by the exchange files. They
// are run when a package's own tests have not noticed, in this order.
var widerTests = []struct {
	packages string // the prefix of the packages that they hold
	tests    []tests
}{
	{"./core", []tests{{pkg: "./core"}, {pkg: "./store/sqlite"}, {pkg: "./cmd/authcompat/internal/inprocess"}}},
	{"./core/transfer", []tests{{pkg: "./store/django/transfer", run: "^TestGenerated$"}}},
	{"./profiles", []tests{{pkg: "./profiles"}}},
	{"./dialects", []tests{{pkg: "./dialects"}, {pkg: "./cmd/authcompat/internal/inprocess"}}},
	{"./store/internal/record", []tests{{pkg: "./store/sqlite"}}},
	{"./store/internal/pgconn", []tests{{pkg: "./store/postgres"}}},
	{"./store/internal/pgframes", []tests{{pkg: "./store/postgres"}}},
	{"./store/internal/pgdsn", []tests{{pkg: "./store/postgres"}}},
	{"./store/internal/pgdurability", []tests{{pkg: "./store/postgres", run: "Durab"}}},
	{"./store/sqlite", []tests{{pkg: "./core"}}},
	{"./store/django/tables", []tests{{pkg: "./store/django/live"}, {pkg: "./store/django/transfer"}}},
}

// testsOf returns the tests that hold a package, its own first.
func testsOf(pkg string) []tests {
	all := []tests{{pkg: pkg}}
	for _, w := range widerTests {
		if pkg != w.packages && !strings.HasPrefix(pkg, w.packages+"/") {
			continue
		}
		for _, t := range w.tests {
			if t.pkg != pkg && !slices.Contains(all, t) {
				all = append(all, t)
			}
		}
	}
	return all
}

// explainedList names drawn mutations that survive for a reason.
//
//go:embed explained.txt
var explainedList string

// explanations reads the list: a mutation's name, and in the line below it, indented, why
// it survives. Empty lines, and lines that begin with #, don't count.
func explanations(list string) (map[string]string, error) {
	why := make(map[string]string)
	last := ""
	for line := range strings.Lines(list) {
		line = strings.TrimRight(line, "\n")
		switch {
		case strings.TrimSpace(line) == "" || strings.HasPrefix(line, "#"):
		case !strings.HasPrefix(line, "\t"):
			if _, twice := why[line]; twice {
				return nil, fmt.Errorf("%s: listed twice", line)
			}
			last, why[line] = line, ""
		case last == "" || why[last] != "":
			return nil, fmt.Errorf("%s: explains no mutation, or one that is explained", strings.TrimSpace(line))
		default:
			why[last] = strings.TrimSpace(line)
		}
	}
	for name, reason := range why {
		if reason == "" {
			return nil, fmt.Errorf("%s: the reason is missing", name)
		}
	}
	return why, nil
}
