package djangosettings

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// document is the page that has the table.
const document = "../../../../docs/settings.md"

// rows writes the settings of one dictionary, or those that begin with a prefix, as docs/settings.md has them.
func rows(keep func(Setting) bool) string {
	var b strings.Builder
	b.WriteString("| setting | becomes | |\n|---|---|---|\n")
	for _, s := range Settings() {
		if !keep(s) {
			continue
		}
		becomes := string(s.Use)
		switch {
		case s.Use == InProfile:
			becomes = "`" + s.Key + "`"
		case s.Key != "":
			becomes = string(s.Use) + ": `" + s.Key + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", s.Name, becomes, s.Why)
	}
	return b.String()
}

// TestDocument holds the tables of docs/settings.md to those that inspect goes by. UPDATE=1 writes them.
func TestDocument(t *testing.T) {
	text, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	got := string(text)
	want := got
	for _, dict := range []string{"REST_FRAMEWORK", "REST_KNOX", "DJOSER", "REST_AUTH", "Django", "CORS_", "ACCOUNT_"} {
		table := rows(func(s Setting) bool {
			prefixed := strings.HasPrefix(s.Name, "CORS_") || strings.HasPrefix(s.Name, "ACCOUNT_")
			switch {
			case s.Dict != "":
				return s.Dict == dict
			case dict == "Django":
				return !prefixed
			}
			return strings.HasPrefix(s.Name, dict) && prefixed
		})
		begin, end := "<!-- "+dict+" -->\n\n", "\n<!-- end -->"
		before, rest, found := strings.Cut(want, begin)
		_, after, ended := strings.Cut(rest, end)
		if !found || !ended {
			t.Fatalf("%s: no place for %s", document, dict)
		}
		want = before + begin + table + end + after
	}
	if os.Getenv("UPDATE") != "" && want != got {
		if err := os.WriteFile(document, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("run it with UPDATE=1:\n%s", diff)
	}
}
