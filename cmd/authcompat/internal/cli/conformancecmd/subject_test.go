package conformancecmd

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/authcompat/authcompat/profiles"
)

// TestChooseAllAndMore has all stand for the built-in profiles, beside files, each once; what is served may be without
// exchanges, and what is replayed may not.
func TestChooseAllAndMore(t *testing.T) {
	text, ok := profiles.Source("snippit")
	if !ok {
		t.Fatal("there is no snippit")
	}
	file := filepath.Join(t.TempDir(), "mine.yaml")
	if err := os.WriteFile(file, bytes.Replace(text, []byte("\nname: snippit\n"), []byte("\nname: mine\n"), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	f := selection{profiles: []string{"snippit", allProfiles, file}, serves: true}
	chosen, err := f.choose(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, s := range chosen {
		if names = append(names, s.name); s.profile == nil || (s.file == nil) != (s.name == "mine") {
			t.Errorf("%s has the profile %v and the exchanges %v", s.name, s.profile, s.file)
		}
	}
	if diff := cmp.Diff(append(profiles.Builtin(), "mine"), names); diff != "" {
		t.Error(diff)
	}
	f.serves = false
	if _, err := f.choose(t.Context()); err == nil {
		t.Error("a profile without exchanges is replayed")
	}
}
