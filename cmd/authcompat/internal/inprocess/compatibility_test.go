//go:build originals

package inprocess

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/aymanbagabas/go-udiff"

	"github.com/authcompat/authcompat/conformance"
	"github.com/authcompat/authcompat/conformance/deviations"
	"github.com/authcompat/authcompat/conformance/recorded"
	"github.com/authcompat/authcompat/conformance/reference"
	"github.com/authcompat/authcompat/profiles"
	"github.com/authcompat/authcompat/store"
)

// update makes TestCompatibility write the document instead of comparing it:
// `make compatibility`.
var update = flag.Bool("update", false, "write docs/compatibility.md")

const compatibilityDocument = "../../../../docs/compatibility.md"

// TestCompatibility generates the document from runs: every exchange of every profile at
// our server and, where Debian has its versions, at a reference server; and every
// recorded sequence at ours. It fails if the document differs.
func TestCompatibility(t *testing.T) {
	var out strings.Builder
	versions, err := reference.Versions(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	known, err := deviations.Known()
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(&out, compatibilityHead, versions)
	var details strings.Builder
	for _, p := range compatible(t) {
		file, err := conformance.Builtin(p.Name)
		if err != nil {
			t.Fatal(err)
		}
		ours := conformance.Run(t.Context(), []*conformance.File{file}, NewLauncher([]*profiles.Profile{p}, store.NewTemps("")), conformance.Options{})
		there := atReference(t, p.Name, file)
		steps := replayed(t, p.Name, known)
		fmt.Fprintf(&out, "| `%s` | `%s` | %s | %s | %s |\n", p.Name, p.Stack, passedOf(ours.Profiles[0].Results), passedReference(there, known, p.Name), sameSteps(steps))
		detail(&details, p, ours.Profiles[0].Results, there, known, steps)
	}
	writeKnown(&out, known)
	out.WriteString(details.String())
	compare(t, out.String())
}

const compatibilityHead = `# Compatibility

This page is written by ` + "`make compatibility`" + ` from runs, never by hand; CI fails when it is out of date.

Each exchange comes from ` + "`conformance/exchanges`" + ` and is either documented or a rule of the stack behind the document. It is
replayed against authcompat and, where Debian's packages have the versions, against a reference server (` + "`conformance/reference`" + `):
%s. A recorded step is a request with the answer that a reference server of the profile's own
versions gave (` + "`conformance/recorded/testdata`" + `: knox 4.2, Django REST framework 2.4.2, Django 2.2 forms). The column says so where
an API has no reference server: Debian has no django-rest-knox and no dj-rest-auth, so that ` + "`knox`, `knox-5` and `dj-rest-auth`" + ` are compared with them where their
sources are (` + "`make originals PEERS=FOLDER`" + `), ` + "`authtokens`" + ` consists of its author's own views, and Django REST framework 2.4.2
does not run on any current Python, so ` + "`snippit`" + ` is compared with recordings instead.

| profile | stack | exchanges, authcompat | exchanges, reference | recorded steps, authcompat |
|---|---|---|---|---|
`

// compatible returns the built-in profiles and the examples that have exchanges.
func compatible(t *testing.T) []*profiles.Profile {
	t.Helper()
	var all []*profiles.Profile
	for _, name := range profiles.Builtin() {
		p, err := profiles.Load(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conformance.Builtin(name); !errors.Is(err, conformance.ErrNoExchanges) {
			all = append(all, p)
		}
	}
	return all
}

// atReference replays a file at the reference server; nil if there is none.
func atReference(t *testing.T, profile string, file *conformance.File) []conformance.Result {
	t.Helper()
	if !slices.Contains(reference.APIs(), profile) {
		return nil
	}
	o, err := reference.Start(t.Context(), profile, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	report := conformance.Run(t.Context(), []*conformance.File{file}, reference.Launcher{profile: o}, conformance.Options{})
	return report.Profiles[0].Results
}

// replayed replays a profile's recorded sequences at our server; nil if there
// are none.
func replayed(t *testing.T, profile string, known deviations.List) []recorded.Result {
	t.Helper()
	data, err := os.ReadFile(recordings + profile + ".json")
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	sequences, err := recorded.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	results, err := recorded.Replay(t.Context(), recordedServer(t, profile), sequences,
		recorded.Options{Profile: profile, ByValue: profile == "snippit", Known: known})
	if err != nil {
		t.Fatal(err)
	}
	return results
}

func passedOf(results []conformance.Result) string {
	passed := 0
	for _, r := range results {
		if r.Outcome == conformance.Passed {
			passed++
		}
	}
	return fmt.Sprintf("%d of %d", passed, len(results))
}

func passedReference(results []conformance.Result, known deviations.List, profile string) string {
	if results == nil {
		return "none to ask"
	}
	differ := 0
	for _, r := range results {
		if known.InExchange(profile, r.Exchange) != nil {
			differ++
		}
	}
	text := passedOf(results)
	if differ > 0 {
		text += fmt.Sprintf(", %d known", differ)
	}
	return text
}

func sameSteps(steps []recorded.Result) string {
	if steps == nil {
		return "none recorded"
	}
	same := 0
	for _, s := range steps {
		if !s.Failed() {
			same++
		}
	}
	return fmt.Sprintf("%d of %d", same, len(steps))
}

func writeKnown(out *strings.Builder, known deviations.List) {
	out.WriteString("\n## Known deviations\n")
	for _, section := range []struct {
		title      string
		comparison deviations.Comparison
	}{
		{"Between an exchange and a reference server of other versions", deviations.Exchanges},
		{"Between authcompat and the reference servers, in random requests (`make originals`)", deviations.RandomRequests},
		{"Between authcompat and a recording", deviations.Recordings},
	} {
		list := known.Of(section.comparison, "")
		if len(list) == 0 {
			fmt.Fprintf(out, "\n%s: none.\n", section.title)
			continue
		}
		fmt.Fprintf(out, "\n%s:\n\n", section.title)
		for _, d := range list {
			fmt.Fprintf(out, "- %s%s: %s\n", d.Name, inProfiles(d.Profiles), strings.TrimSpace(d.Reason))
		}
	}
}

func inProfiles(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return " (`" + strings.Join(names, "`, `") + "`)"
}

// detail writes the tables of one profile.
func detail(out *strings.Builder, p *profiles.Profile, ours, atReference []conformance.Result, known deviations.List, steps []recorded.Result) {
	fmt.Fprintf(out, "\n## %s\n\n| exchange | source | authcompat | reference |\n|---|---|---|---|\n", p.Name)
	for i, r := range ours {
		verdict := "–"
		if atReference != nil {
			verdict = string(atReference[i].Outcome)
			if known.InExchange(p.Name, r.Exchange) != nil {
				verdict += " (known)"
			}
		}
		fmt.Fprintf(out, "| %s | %s | %s | %s |\n", cell(r.Exchange), cell(r.Source), r.Outcome, verdict)
	}
	if steps == nil {
		return
	}
	out.WriteString("\n| recorded sequence | steps | authcompat |\n|---|---|---|\n")
	for i := 0; i < len(steps); {
		name, n, verdict := steps[i].Sequence, 0, "identical"
		for ; i < len(steps) && steps[i].Sequence == name; i++ {
			n++
			if steps[i].Failed() {
				verdict = "differs"
			}
		}
		fmt.Fprintf(out, "| %s | %d | %s |\n", cell(name), n, verdict)
	}
}

// cell escapes a text for a table.
func cell(s string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ", "<", "&lt;", "*", `\*`).Replace(s)
}

// compare compares the document with what the runs gave, or writes it.
func compare(t *testing.T, want string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(compatibilityDocument, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got := string(read(t, compatibilityDocument))
	if got == want {
		return
	}
	t.Fatalf("docs/compatibility.md is out of date (make compatibility):\n%s", udiff.Unified("docs/compatibility.md", "runs", got, want))
}
