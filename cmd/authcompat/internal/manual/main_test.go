package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/cli"
	"github.com/authcompat/authcompat/core/testenv"
)

// packaging is the folder with what packages have besides.
const packaging = "../../../../packaging"

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// each calls a function with every command that help shows.
func each(cmd *cobra.Command, do func(*cobra.Command)) {
	do(cmd)
	for _, below := range cmd.Commands() {
		if below.IsAvailableCommand() {
			each(below, do)
		}
	}
}

// flagsOf returns the names of a command's flags that help shows.
func flagsOf(cmd *cobra.Command) (names []string) {
	cmd.InitDefaultHelpFlag()
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden && f.Deprecated == "" {
			names = append(names, f.Name)
		}
	})
	return names
}

// TestPages: each command has a page, each of its flags is on it and no other, and what is indented in its help stands there
// as it is.
func TestPages(t *testing.T) {
	t.Setenv("SOURCE_DATE_EPOCH", "1700000000")
	folder := t.TempDir()
	if err := write(cli.Commands(), folder, "1.2.3"); err != nil {
		t.Fatal(err)
	}
	want := make(map[string]bool)
	root := cli.Commands()
	root.InitDefaultCompletionCmd()
	each(root, func(cmd *cobra.Command) {
		name := strings.ReplaceAll(cmd.CommandPath(), " ", "-") + ".1"
		want[name] = true
		page := read(t, filepath.Join(folder, "man1", name))
		if !strings.HasPrefix(page, ".nh\n.TH") || !strings.Contains(page, `"Nov 2023" "authcompat 1.2.3"`) {
			t.Errorf("%s begins with %.120q", name, page)
		}
		var flags []string
		for _, m := range regexp.MustCompile(`(?m)^(?:\\fB-\w\\fP, )?\\fB--([a-z-]+)\\fP`).FindAllStringSubmatch(page, -1) {
			flags = append(flags, m[1])
		}
		if diff := cmp.Diff(flagsOf(cmd), flags); diff != "" {
			t.Errorf("%s: flags (-command +page):\n%s", name, diff)
		}
		for line := range strings.Lines(cmd.Long) {
			if strings.HasPrefix(line, "  ") && !strings.Contains(page, strings.TrimRight(line, "\n")+"\n") {
				t.Errorf("%s has no line %q", name, line)
			}
		}
	})
	pages, err := os.ReadDir(filepath.Join(folder, "man1"))
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range pages {
		if !want[page.Name()] {
			t.Errorf("%s is no command's page", page.Name())
		}
	}
	if len(pages) != len(want) {
		t.Errorf("%d pages of %d commands", len(pages), len(want))
	}
}

func TestMarkdown(t *testing.T) {
	t.Parallel()
	const help = "One of a_b, *all* and [x]:\n  a: 1 # one\n  b: 2\nThen <URL>.\n\n  c_d\n\nEnd"
	const want = "One of a\\_b, \\*all\\* and \\[x]:\n\n      a: 1 # one\n      b: 2\n\nThen \\<URL>.\n\n\n      c_d\n\n\nEnd"
	if diff := cmp.Diff(want, markdown(help)); diff != "" {
		t.Error(diff)
	}
}

// TestCompletionsOfShells: what shells run asks the program itself, so that a completion has the values of the program that is
// installed.
func TestCompletionsOfShells(t *testing.T) {
	t.Setenv("SOURCE_DATE_EPOCH", "1700000000")
	folder := t.TempDir()
	if err := write(cli.Commands(), folder, "1.2.3"); err != nil {
		t.Fatal(err)
	}
	for file, wants := range map[string][]string{
		"authcompat.bash": {"__start_authcompat", " __complete "},
		"_authcompat":     {"#compdef authcompat", " __complete "},
		"authcompat.fish": {"complete -c authcompat", " __complete "},
	} {
		text := read(t, filepath.Join(folder, file))
		for _, want := range wants {
			if !strings.Contains(text, want) {
				t.Errorf("%s has no %q", file, want)
			}
		}
	}
}

// TestBash lets bash complete a command with the script, and a program that is named authcompat.
func TestBash(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		testenv.Missing(t, "there is no bash here")
	}
	t.Setenv("SOURCE_DATE_EPOCH", "1700000000")
	folder := t.TempDir()
	if err := write(cli.Commands(), folder, "1.2.3"); err != nil {
		t.Fatal(err)
	}
	program := "#!/bin/sh\n[ \"$1 $2 $3 $4\" = '__complete serve --log-format j' ] && printf 'auto\\ntext\\njson\\n:4\\n'\n"
	if err := os.WriteFile(filepath.Join(folder, "authcompat"), []byte(program), 0o755); err != nil {
		t.Fatal(err)
	}
	// The function is bash-completion's.
	cmd := exec.Command(bash, "--norc", "-c", `. ./authcompat.bash
_get_comp_words_by_ref() { cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} words=("${COMP_WORDS[@]}") cword=$COMP_CWORD; }
COMP_WORDS=(authcompat serve --log-format j) COMP_CWORD=3 COMP_LINE="${COMP_WORDS[*]}" COMP_POINT=32 COMP_TYPE=9
__start_authcompat authcompat j --log-format
echo "${COMPREPLY[@]}"`)
	cmd.Dir = folder
	cmd.Env = append(os.Environ(), "PATH="+folder+":"+os.Getenv("PATH"))
	out, err := cmd.Output() // compopt complains on standard error that no key was pressed
	if got := strings.TrimSpace(string(out)); err != nil || got != "json" {
		t.Errorf("bash completes to %q: %v", got, err)
	}
}

// complete returns what a shell is offered after these words.
func complete(t *testing.T, words ...string) (values []string, files bool) {
	t.Helper()
	root := cli.Commands()
	var out bytes.Buffer
	root.SetOut(&out)
	root.SetErr(new(bytes.Buffer))
	root.SetArgs(append(append([]string{cobra.ShellCompRequestCmd}, words...), ""))
	if err := root.ExecuteContext(context.Background()); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	directive := lines[len(lines)-1]
	// The bit that says that files are not meant.
	return lines[:len(lines)-1], !slices.Contains([]string{":4", ":6", ":36", ":38"}, directive)
}

// TestValues: flags and arguments with a set of values complete to these.
func TestValues(t *testing.T) {
	t.Parallel()
	for words, want := range map[string]struct {
		has, hasNot string
		files       bool
	}{
		"serve --profile":           {"knox-5", "all", true},
		"conformance run --profile": {"all", "", true},
		"conformance run --format":  {"junit", "tap", false},
		"conformance run --report":  {"tap=", "text=", false},
		"inspect --format":          {"json", "junit", false},
		"audit --action":            {"revoke-token", "", false},
		"callers --by":              {"endpoint", "", false},
		"serve --log-format":        {"json", "", false},
		"serve --limits":            {"off", "", false},
		"serve --tls-min-version":   {"1.3", "", false},
		"serve --tls-cert":          {"", "x", true},
		"serve --listen":            {"", "x", false},
		"serve --store":             {"sqlite:", "", false},
		"profile show":              {"drf-3.14", "", true},
		"profile explain --of":      {"exchanges", "", false},
		"schema":                    {"config", "", false},
		"front snippet":             {"caddy", "", false},
		"front explain":             {"DELETE", "", false},
		"config check":              {"", "x", true},
		"user create":               {"", "x", false},
		"token revoke --user":       {"", "x", false},
	} {
		values, files := complete(t, strings.Fields(words)...)
		if want.has != "" && !slices.Contains(values, want.has) || slices.Contains(values, want.hasNot) || files != want.files {
			t.Errorf("authcompat %s completes to %q, files %v", words, values, files)
		}
		if want.hasNot == "x" && len(values) > 0 {
			t.Errorf("authcompat %s completes to %q", words, values)
		}
	}
}

// freeText are the flags of which a shell knows no value.
var freeText = strings.Fields(`
	address application ask attribute audit-retention before callers-retention console-host django-time-zone email expired-token-retention
	from front hash-concurrency hash-queue header limit limit-per-address limit-per-user limit-registrations link-timeout listen mail-domain
	mail-limit-per-address mail-limit-per-recipient mail-limit-per-user mail-site-name manage max-connections max-header-bytes
	max-header-fields only password password-iterations proxy-address realm since smtp-from smtp-host smtp-port smtp-username source-name
	time-zone timeout token-table trusted-proxy user user-table`)

// TestEveryFlagIsCompleted: a flag completes to values or files, or is said here to have free text.
func TestEveryFlagIsCompleted(t *testing.T) {
	t.Parallel()
	each(cli.Commands(), func(cmd *cobra.Command) {
		for _, name := range flagsOf(cmd) {
			if cmd.Flags().Lookup(name).Value.Type() == "bool" {
				continue
			}
			offer, known := cmd.GetFlagCompletionFunc(name)
			if !known {
				t.Errorf("%s --%s has no completion", cmd.CommandPath(), name)
				continue
			}
			values, directive := offer(cmd, nil, "")
			files := directive&cobra.ShellCompDirectiveNoFileComp == 0
			if offers := len(values) > 0 || files; offers == slices.Contains(freeText, name) {
				t.Errorf("%s --%s: completes to %q, files %v (internal/cli/completion.go), and free text is %v here", cmd.CommandPath(), name, values, files, !offers)
			}
		}
	})
}

// setting returns the values of a unit's key.
func setting(unit, key string) (values []string) {
	for line := range strings.Lines(unit) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), key+"="); ok {
			values = append(values, value)
		}
	}
	return values
}

// TestUnit holds the unit to the command tree, and to the files that packages have.
func TestUnit(t *testing.T) {
	t.Parallel()
	unit, contents := read(t, packaging+"/authcompat.service"), read(t, packaging+"/nfpm.yaml")
	start := setting(unit, "ExecStart")
	if len(start) != 1 {
		t.Fatalf("ExecStart: %q", start)
	}
	words := strings.Fields(start[0])
	cmd, rest, err := cli.Commands().Find(words[1:])
	if err != nil {
		t.Fatal(err)
	}
	if cmd.Name() != "serve" {
		t.Errorf("it starts %s", cmd.CommandPath())
	}
	if err := cmd.ParseFlags(rest); err != nil {
		t.Errorf("ExecStart: %v", err)
	}
	// The shell is there that ExecReload needs, kill may not be.
	if got := setting(unit, "ExecReload"); !slices.Equal(got, []string{"/bin/sh -c 'kill -HUP $MAINPID'"}) {
		t.Errorf("ExecReload=%q", got)
	}
	if got := setting(unit, "Type"); !slices.Equal(got, []string{"notify"}) {
		t.Errorf("Type=%q: the server tells when it is ready", got)
	}
	for _, path := range []string{words[0], words[len(words)-1]} {
		if !strings.Contains(contents, "dst: "+path+",") {
			t.Errorf("no package has %s", path)
		}
	}
	state := "/var/lib/" + setting(unit, "StateDirectory")[0]
	if got := setting(unit, "WorkingDirectory")[0]; got != state {
		t.Errorf("WorkingDirectory=%s, want %s", got, state)
	}
	// What it prints is opened by root, who follows links (acquire_path in systemd 252): in a folder where
	// the service can write, it could have root truncate any file.
	folder := path.Dir(strings.TrimPrefix(setting(unit, "StandardOutput")[0], "truncate:"))
	if want := "{dst: " + folder + ", type: dir, file_info: {mode: 0700, owner: root, group: root}}"; !strings.Contains(contents, want) {
		t.Errorf("no package has %s", want)
	}
	if !strings.Contains(read(t, packaging+"/authcompat.yaml"), "store: sqlite:"+state+"/") {
		t.Errorf("the database of authcompat.yaml is not in %s", state)
	}
}

// TestContainerfile: what an image starts, and its probe, are commands.
func TestContainerfile(t *testing.T) {
	t.Parallel()
	for name, probe := range map[string]string{"ready": `CMD \["/usr/bin/authcompat", (.*)\]`, "serve": `(?m)^CMD \[(.*)\]`} {
		found := regexp.MustCompile(probe).FindStringSubmatch(read(t, packaging+"/Containerfile"))
		if found == nil {
			t.Fatalf("no %s", name)
		}
		words := strings.Fields(strings.NewReplacer(`"`, "", ",", " ").Replace(found[1]))
		cmd, rest, err := cli.Commands().Find(words)
		if err != nil || cmd.Name() != name {
			t.Errorf("%q is not %s: %v", words, name, err)
		} else if err := cmd.ParseFlags(rest); err != nil {
			t.Errorf("%q: %v", words, err)
		}
	}
}

// TestExampleSettings: the configuration file of the packages is good as it is.
func TestExampleSettings(t *testing.T) {
	t.Parallel()
	root := cli.Commands()
	var out bytes.Buffer
	root.SetOut(&out)
	root.SetErr(&out)
	root.SetArgs([]string{"config", "check", packaging + "/authcompat.yaml"})
	if err := root.ExecuteContext(t.Context()); err != nil || !strings.Contains(out.String(), "the settings are good") || strings.Contains(out.String(), "warning") {
		t.Errorf("%v\n%s", err, out.String())
	}
}

// TestExposure asks systemd how much the unit's process could do besides its work, as it rates units: 0 is nothing, 10 all.
func TestExposure(t *testing.T) {
	t.Parallel()
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		testenv.Missing(t, "there is no systemd-analyze here")
	}
	out, err := exec.Command(analyze, "security", "--offline=true", "--threshold=20", "--no-pager", packaging+"/authcompat.service").CombinedOutput()
	if err != nil {
		t.Errorf("more than 2.0: %v\n%s", err, out)
	}
}
