package profiles

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestBuiltin(t *testing.T) {
	want := []string{"authtokens", "dj-rest-auth", "djoser", "drf-authtoken", "form-auth", "knox", "knox-5", "knox-auth", "ocd-users", "snippit"}
	if diff := cmp.Diff(want, Builtin()); diff != "" {
		t.Error(diff)
	}
	for _, name := range Builtin() {
		p, err := Load(name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if p.Name != name || p.Title == "" || p.Document == "" {
			t.Errorf("%s has name %q, title %q, document %q", name, p.Name, p.Title, p.Document)
		}
	}
}

func TestBuiltinSource(t *testing.T) {
	for _, name := range Builtin() {
		p, err := Load(name)
		if err != nil || !Has(name) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, e := range p.Endpoints { // mails show names
			if f, ok := e.Field(RoleUsername); ok && p.SendsMails() && e.Action != Login && !f.ReadOnly && f.Characters != CharactersDjango {
				t.Errorf("%s: %s takes names of %s characters", name, e.Path, f.Characters)
			}
		}
		checkRoundTrip(t, p)
		if text, there := Source(name); !there || !strings.Contains(string(text), "\nname: "+name+"\n") {
			t.Errorf("%s has no source", name)
		}
	}
	for _, name := range []string{"", "nope", "examples/djoser", "drf-3.14", "djoser.yaml"} {
		if Has(name) {
			t.Errorf("there is a profile %q", name)
		}
		if _, there := Source(name); there {
			t.Errorf("%q has a source", name)
		}
	}
}

func TestLoadFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sixth.yaml")
	if err := os.WriteFile(path, []byte(restProfile), 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if p.Name != "sixth" {
		t.Errorf("name is %q", p.Name)
	}
}

func TestLoadProblems(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "bad.yaml")
	if err := os.WriteFile(path, []byte(strings.Replace(restProfile, "hex: 40", "hex: 4", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Load(path)
	want := &Problems{List: []Problem{{
		Position: Position{File: path, Line: 4, Column: 15},
		Key:      "tokens.hex",
		Text:     "want a whole number from 32 to 128, not the number 4",
	}}}
	var got *Problems
	if !errors.As(err, &got) {
		t.Fatalf("got %v", err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}

	large := filepath.Join(folder, "large.yaml")
	if err := os.WriteFile(large, make([]byte, MaxFile+5), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(large); err == nil || err.Error() != large+":1:1: the file is larger than 1 MiB" {
		t.Errorf("large: got %v", err)
	}

	_, err = Load("snippet")
	const missing = `profile "snippet" is neither built in (authtokens, dj-rest-auth, djoser, drf-authtoken, form-auth, knox, knox-5, knox-auth, ocd-users, snippit) nor a file; did you mean snippit?`
	if !errors.Is(err, fs.ErrNotExist) || err.Error() != missing {
		t.Errorf("missing: got %v", err)
	}

	_, err = Load(folder)
	if err == nil || err.Error() != "read profile: read "+folder+": is a directory" {
		t.Errorf("folder: got %v", err)
	}
}
