package main

import (
	"bufio"
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strings"
)

//go:embed patches/*.patch
var patchFiles embed.FS

// patch is a planted bug.
type patch struct {
	name   string // of its file, without extension
	breaks string // what would break, for whom
	pkg    string // the package that it changes and whose tests must notice, as ./core
	run    string // the tests that are run; all of the package's if empty
	why    string // why not all are
	diff   string
	files  []string // that it changes, relative to the module
}

// plantedPatches returns the patches whose name matches.
func plantedPatches(only *regexp.Regexp) ([]patch, error) {
	names, err := fs.Glob(patchFiles, "patches/*.patch")
	if err != nil {
		return nil, err
	}
	var all []patch
	var problems []error
	for _, file := range names {
		name := strings.TrimSuffix(path.Base(file), ".patch")
		if !only.MatchString(name) {
			continue
		}
		text, err := patchFiles.ReadFile(file)
		if err != nil {
			return nil, err
		}
		p, err := parsePatch(name, string(text))
		if err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", file, err))
		}
		all = append(all, p)
	}
	return all, errors.Join(problems...)
}

// parsePatch reads a patch: lines of "key: value", then a unified diff. A line that begins
// with a space continues the value of the one before.
func parsePatch(name, text string) (patch, error) {
	p := patch{name: name}
	fields := map[string]*string{"breaks": &p.breaks, "package": &p.pkg, "run": &p.run, "why": &p.why}
	at := strings.Index(text, "--- a/")
	if at < 0 {
		return p, errors.New("there is no diff (--- a/FILE)")
	}
	var last *string
	for line := range strings.Lines(text[:at]) {
		line = strings.TrimRight(line, "\n")
		key, value, ok := strings.Cut(line, ":")
		switch field := fields[key]; {
		case strings.HasPrefix(line, " ") && last != nil:
			*last += " " + strings.TrimSpace(line)
		case strings.TrimSpace(line) == "":
		case !ok || field == nil || *field != "":
			return p, fmt.Errorf("%q: the header has the lines breaks, package, run and why, each once", line)
		default:
			last, *field = field, strings.TrimSpace(value)
		}
	}
	p.diff = text[at:]
	p.files = diffFiles(p.diff)
	return p, p.check()
}

// diffFiles returns the files that a diff changes.
func diffFiles(diff string) []string {
	var files []string
	lines := bufio.NewScanner(strings.NewReader(diff))
	for lines.Scan() {
		if file, ok := strings.CutPrefix(lines.Text(), "+++ b/"); ok {
			files = append(files, file)
		}
	}
	return files
}

func (p patch) check() error {
	switch {
	case p.breaks == "" || p.pkg == "":
		return errors.New("the header says neither what breaks nor in which package")
	case (p.run == "") != (p.why == ""):
		return errors.New("run and why belong together: all tests of the package are run unless there is a reason")
	case len(p.files) == 0:
		return errors.New("the diff changes no file (+++ b/FILE)")
	}
	if _, err := regexp.Compile(p.run); err != nil {
		return fmt.Errorf("run: %w", err)
	}
	for _, file := range p.files {
		// Migrations are in folders below that of their package.
		if within := "./" + path.Dir(file) + "/"; !strings.HasPrefix(within, p.pkg+"/") {
			return fmt.Errorf("%s is not in the package %s", file, p.pkg)
		}
	}
	return nil
}

// apply applies the diff to copies of the files below dir, and returns which file replaces
// which, in absolute paths.
func (p patch) apply(ctx context.Context, module, dir string) (overlay, error) {
	replaced := make(overlay)
	for _, file := range p.files {
		text, err := os.ReadFile(filepath.Join(module, file))
		if err != nil {
			return nil, err
		}
		changed := filepath.Join(dir, file)
		if err := os.MkdirAll(filepath.Dir(changed), 0o700); err != nil {
			return nil, err
		}
		if err := os.WriteFile(changed, text, 0o600); err != nil {
			return nil, err
		}
		replaced[filepath.Join(module, file)] = changed
	}
	// Outside a repository, git apply is a patch(1) that moves hunks as lines around them
	// come and go. Without the ceiling it would look for a repository above.
	cmd := exec.CommandContext(ctx, "git", "apply", "-")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CEILING_DIRECTORIES="+filepath.Dir(dir))
	cmd.Stdin = strings.NewReader(p.diff)
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, strings.TrimSpace(string(out)))
	}
	return replaced, nil
}
