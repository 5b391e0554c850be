package shadow

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestReadAll reads what is named, and the older parts of it, once.
func TestReadAll(t *testing.T) {
	folder := t.TempDir()
	a, b := filepath.Join(folder, "a.jsonl"), filepath.Join(folder, "b.jsonl")
	for path, profile := range map[string]string{a: "new", a + ".1": "old", b: "other"} {
		if err := os.WriteFile(path, []byte(`{"verdict": "same", "profile": "`+profile+"\"}\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	records, err := ReadAll(t.Context(), []string{b, a, a + ".1", b})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range records {
		got = append(got, r.Profile)
	}
	if d := cmp.Diff([]string{"other", "old", "new"}, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if _, err := ReadAll(t.Context(), []string{a, filepath.Join(folder, "c.jsonl")}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a journal that is not there: %v", err)
	}
}
