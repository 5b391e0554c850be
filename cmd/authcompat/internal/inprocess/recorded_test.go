package inprocess

import (
	"os"
	"testing"

	"github.com/authcompat/authcompat/conformance"
	"github.com/authcompat/authcompat/conformance/deviations"
	"github.com/authcompat/authcompat/conformance/recorded"
	"github.com/authcompat/authcompat/profiles"
	"github.com/authcompat/authcompat/store"
)

// recordings is the folder of the recordings of reference servers.
const recordings = "../../../../conformance/recorded/testdata/"

// TestRecorded replays the recordings of reference servers. Known
// deviations are listed in conformance/deviations.
func TestRecorded(t *testing.T) {
	known, err := deviations.Known()
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		profile string
		byValue bool // the recording has Python 2's key order and spacing
		steps   int
	}{
		{"ocd-users", false, 156}, {"knox-auth", false, 124}, {"form-auth", false, 79}, {"snippit", true, 117},
	} {
		t.Run(test.profile, func(t *testing.T) {
			sequences, err := recorded.Parse(read(t, recordings+test.profile+".json"))
			if err != nil {
				t.Fatal(err)
			}
			results, err := recorded.Replay(t.Context(), recordedServer(t, test.profile), sequences,
				recorded.Options{Profile: test.profile, ByValue: test.byValue, Known: known})
			if err != nil {
				t.Fatal(err)
			}
			if len(results) != test.steps {
				t.Errorf("%d results, want %d", len(results), test.steps)
			}
			for _, r := range results {
				if r.Failed() {
					t.Error(r)
				}
			}
		})
	}
}

// TestCorners replays edge cases of parsing, recorded from Debian's reference servers
// (conformance/reference, TestCorners).
func TestCorners(t *testing.T) {
	for _, profile := range []string{"ocd-users", "form-auth"} {
		t.Run(profile, func(t *testing.T) {
			sequences, err := recorded.Parse(read(t, recordings+"corners/"+profile+".json"))
			if err != nil {
				t.Fatal(err)
			}
			results, err := recorded.Replay(t.Context(), recordedServer(t, profile), sequences, recorded.Options{Profile: profile})
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range results {
				if r.Failed() {
					t.Error(r)
				}
			}
			t.Logf("%d steps", len(results))
		})
	}
}

// recordedServer starts a server with the same users as the recorded servers.
func recordedServer(t *testing.T, profile string) string {
	t.Helper()
	p, err := profiles.Load(profile)
	if err != nil {
		t.Fatal(err)
	}
	server, err := NewLauncher([]*profiles.Profile{p}, store.NewTemps("")).Launch(t.Context(), profile)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	for _, u := range []conformance.User{
		{Username: "john", Password: "password", Email: "john@example.com"},
		{Username: "ghost", Password: "password", Email: "ghost@example.com", Inactive: true},
	} {
		if err := server.State.CreateUser(t.Context(), u); err != nil {
			t.Fatal(err)
		}
	}
	return server.URL
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
