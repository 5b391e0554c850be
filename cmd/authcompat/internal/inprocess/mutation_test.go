package inprocess

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/authcompat/authcompat/conformance"
	"github.com/authcompat/authcompat/profiles"
	"github.com/authcompat/authcompat/store"
)

// TestOneByteOfAProfileIsNoticed changes one byte of each path and each message of a
// built-in profile, and expects its exchanges to fail: every statement of a profile must
// be covered by an exchange.
func TestOneByteOfAProfileIsNoticed(t *testing.T) {
	stores := store.NewTemps("")
	for _, name := range profiles.Builtin() {
		source, err := os.ReadFile(filepath.Join("..", "..", "..", "..", "profiles", name+".yaml"))
		if err != nil {
			t.Fatal(err)
		}
		for _, node := range spoken(t, source) {
			t.Run(name+"/"+node.Value, func(t *testing.T) {
				t.Parallel()
				p, err := profiles.Parse(name+".yaml", changed(source, node))
				if err != nil {
					t.Fatalf("the changed profile does not load: %v", err)
				}
				if !mismatches(t, stores, p) {
					t.Error("no exchange fails")
				}
			})
		}
	}
}

// spoken returns the scalars of a profile that clients see unchanged: paths
// and messages.
func spoken(t *testing.T, source []byte) []*yaml.Node {
	t.Helper()
	var profile struct {
		Endpoints map[string]struct{ Path yaml.Node }
		Messages  map[string]yaml.Node
	}
	if err := yaml.Unmarshal(source, &profile); err != nil {
		t.Fatal(err)
	}
	var nodes []*yaml.Node
	for _, e := range profile.Endpoints {
		nodes = append(nodes, &e.Path)
	}
	for _, m := range profile.Messages {
		nodes = append(nodes, &m)
	}
	return nodes
}

// changed returns the source with one letter of the scalar replaced, outside
// any placeholder.
func changed(source []byte, node *yaml.Node) []byte {
	lines := strings.SplitAfter(string(source), "\n")
	line := lines[node.Line-1]
	for i := node.Column; i < len(line); i++ {
		before, after := line[:i], line[i:]
		if after[0] >= 'a' && after[0] <= 'z' && strings.Count(before, "{") == strings.Count(before, "}") {
			letter := byte('q')
			if after[0] == letter {
				letter = 'j'
			}
			lines[node.Line-1] = before + string(letter) + after[1:]
			break
		}
	}
	return []byte(strings.Join(lines, ""))
}

// mismatches reports whether an exchange of the profile fails, and stops at the
// first that does.
func mismatches(t *testing.T, stores *store.Temps, p *profiles.Profile) bool {
	t.Helper()
	file, err := conformance.Builtin(p.Name)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	found := false
	conformance.Run(ctx, []*conformance.File{file}, NewLauncher([]*profiles.Profile{p}, stores), conformance.Options{
		Each: func(_ string, r conformance.Result) {
			if r.Outcome == conformance.Mismatch {
				found = true
				stop()
			}
		},
	})
	return found
}
