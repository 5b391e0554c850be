package djangosettings

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/djangosettings/python"
)

// TestFiles inspects settings files of several styles. Lines with "#: " say which API they have, and what is not known
// of them. Their profiles load.
func TestFiles(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.py")
	if err != nil || len(paths) == 0 {
		t.Fatalf("%v, %d files", err, len(paths))
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]bool{}
		for line := range strings.Lines(string(text)) {
			if expected, ok := strings.CutPrefix(line, "#: "); ok {
				want[strings.TrimSpace(expected)] = true
			}
		}
		r, err := Inspect(python.File{Name: filepath.Base(path), Text: text})
		if err != nil {
			t.Error(err)
			continue
		}
		got := map[string]bool{"API: " + r.Base: true}
		if r.Base == "" {
			got = map[string]bool{"API: not known": true}
		} else {
			mustProfile(t, r)
		}
		for _, f := range r.Settings {
			if f.Result == NotKnown {
				got[f.Position+": "+f.Setting+" "+f.Why] = true
			}
		}
		for _, n := range r.Notes {
			got[n.Position+": "+n.Text] = true
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s\n%s", path, diff)
		}
	}
}
