package frontconfig_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/config/configtest"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/config/frontconfig"
)

const shadowBegin = "listeners:\n- profile: ocd-users\n  address: 127.0.0.1:18000\n  front:\n    old: http://x\n    switch: [login, logout]\n"

// TestShadow reads what is compared, and what is if nothing is said.
func TestShadow(t *testing.T) {
	journal := filepath.Join(t.TempDir(), "j")
	for text, want := range map[string]frontconfig.Shadow{
		"    shadow: {journal: JOURNAL}\n":                                                   {Endpoints: []string{"login", "logout"}, Sample: 1000},
		"    shadow: {endpoints: [logout], sample: 0.5%, journal: JOURNAL, learn: \"20\"}\n": {Endpoints: []string{"logout"}, Sample: 50, Learn: 20},
	} {
		text = strings.ReplaceAll(text, "JOURNAL", journal)
		f, all, err := configtest.Resolve(t, shadowBegin+text, "--store", attached)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		got := *all[0].Front.Shadow
		want.Journal, want.At = journal, got.At
		if d := cmp.Diff(want, got); d != "" || !strings.HasSuffix(got.At, ": listeners.front.shadow.journal") {
			t.Errorf("%s at %s (-want +got):\n%s", text, got.At, d)
		}
		var out strings.Builder
		if err := f.WriteYAML(t.Context(), &out); err != nil || !strings.Contains(out.String(), text) {
			t.Errorf("%v: printed %s", err, out.String())
		}
		lines := strings.Join(all[0].Front.Lines(), "\n")
		if line := "compared with this server, " + want.Sample.String() + " of the requests, in " + journal + ": " + strings.Join(want.Endpoints, ", "); !strings.Contains(lines, line) {
			t.Errorf("said %s", lines)
		}
		if _, err := os.Stat(journal); err == nil {
			t.Error("to check the settings makes a journal")
		}
	}
}

// TestShadowProblems names what is wrong, with its position.
func TestShadowProblems(t *testing.T) {
	t.Chdir(t.TempDir())
	const notSwitched = "so that the old server never answers it: add it to switch (it stays on the old side until cutover set moves it)"
	const notOurs = "goes on to an application: only what this server would answer itself is compared, the endpoints of the profile"
	for text, want := range map[string]string{
		"yes":                                    "7:13: listeners.front.shadow: want a map with journal, the file that results are written to",
		"{}":                                     "7:13: listeners.front.shadow: want journal, the file that results are written to",
		"{journal: '', sample: [1]}":             "7:23: listeners.front.shadow.journal: want a value\n7:35: listeners.front.shadow.sample: want a value",
		"{journal: none/j}":                      "7:23: listeners.front.shadow.journal: there is no folder none for it",
		"{journal: .}":                           "7:23: listeners.front.shadow.journal: . is no regular file",
		"{journal: j, sample: 0%}":               "7:34: listeners.front.shadow.sample: 0% compares nothing: take the section shadow out to turn it off",
		"{journal: j, sample: all}":              `7:34: listeners.front.shadow.sample: "all" is no share: want 0% to 100%, with two decimals at most`,
		"{journal: j, learn: many}":              `7:33: listeners.front.shadow.learn: "many": want how many GET and HEAD requests the old server may get a second time, of an endpoint and in an hour: 0 to 1000`,
		"{journal: j, file: x}":                  "7:26: listeners.front.shadow.file: unknown key; the keys here are sample, journal, learn, endpoints",
		"{journal: j, endpoints: login}":         "7:37: listeners.front.shadow.endpoints: want a list of endpoints that are switched; without it, all of them are compared",
		"{journal: j, endpoints: []}":            "7:37: listeners.front.shadow.endpoints: want a list of endpoints that are switched; without it, all of them are compared",
		"{journal: j, endpoints: [logn]}":        `7:38: listeners.front.shadow.endpoints: "logn" is no endpoint; did you mean login?`,
		"{journal: j, endpoints: [x]}":           `7:38: listeners.front.shadow.endpoints: "x" is no endpoint; the profile has register, login, logout, logoutall`,
		"{journal: j, endpoints: [register]}":    "7:38: listeners.front.shadow.endpoints: register is not switched, " + notSwitched,
		"{journal: j, endpoints: [/a/, other]}":  "7:38: listeners.front.shadow.endpoints: /a/ " + notOurs + "\n7:43: listeners.front.shadow.endpoints: other " + notOurs,
		"{journal: j, endpoints: [login,login]}": "7:44: listeners.front.shadow.endpoints: login is there twice",
	} {
		_, _, err := configtest.Resolve(t, shadowBegin+"    shadow: "+text+"\n", "--store", attached)
		if err == nil {
			err = fmt.Errorf("nothing")
		}
		if d := cmp.Diff(want, err.Error()); d != "" {
			t.Errorf("%s (-want +got):\n%s", text, d)
		}
	}
	_, _, err := configtest.Resolve(t, strings.Replace(shadowBegin, "[login, logout]", "[]", 1)+"    shadow: {journal: j}\n", "--store", attached)
	const want = "7:13: listeners.front.shadow: nothing is compared: switch has no endpoint of profile ocd-users, so that the old server answers none. List them in switch (they stay on the old side until cutover set moves them)"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
