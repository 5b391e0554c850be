package reference_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/authcompat/authcompat/conformance/reference"
)

// TestPackage looks for a package that Debian does not have where the variable says that it lies.
func TestPackage(t *testing.T) {
	folder := t.TempDir()
	knox := filepath.Join(folder, "src", "knox5")
	rest := filepath.Join(folder, "src", "djra5")
	for _, file := range []string{filepath.Join(knox, "knox", "views.py"), filepath.Join(rest, "dj_rest_auth", "views.py"), filepath.Join(folder, "lib", "allauth", "account", "models.py")} {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct{ api, peers, want, problem string }{
		{"ocd-users", "", "", ""},
		{"drf-authtoken", folder, "", ""},
		{"knox-5", folder, knox, ""},
		{"dj-rest-auth", folder, rest + " " + filepath.Join(folder, "lib"), ""},
		{"knox", folder, "", "PEERS=FOLDER, with its sources in FOLDER/src/knox (conformance/peers/README.md): stat "},
		{"dj-rest-auth", "", "", "Debian has no package of dj-rest-auth: PEERS=FOLDER, with its sources in FOLDER/src/djra5 (conformance/peers/README.md)"},
		{"knox-5", "", "", "Debian has no package of django-rest-knox: PEERS=FOLDER, with its sources in FOLDER/src/knox5 (conformance/peers/README.md)"},
	} {
		t.Setenv(reference.Peers, test.peers)
		folders, err := reference.Packages(test.api)
		got := strings.Join(folders, " ")
		if got != test.want || (err == nil) != (test.problem == "") || err != nil && !strings.Contains(err.Error(), test.problem) {
			t.Errorf("%s in %q: %q, %v", test.api, test.peers, got, err)
		}
	}
}
