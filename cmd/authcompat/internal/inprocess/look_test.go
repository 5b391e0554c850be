package inprocess

import (
	"errors"
	"slices"
	"testing"

	"github.com/authcompat/authcompat/conformance"
	"github.com/authcompat/authcompat/profiles"
	"github.com/authcompat/authcompat/store"
)

// alike are profiles that a look need not tell apart: versions of one package, at the same paths.
func alike(a, b string) bool {
	return slices.Contains([]string{"knox", "knox-5"}, a) && slices.Contains([]string{"knox", "knox-5"}, b)
}

// TestLookTellsAPIsApart looks at a server of each profile with the exchange file of each: only those of
// the same API go on to be replayed, and only with the user's password.
func TestLookTellsAPIsApart(t *testing.T) {
	names, stores := conformance.Profiles(), store.NewTemps("")
	for _, spoken := range names {
		t.Run(spoken, func(t *testing.T) {
			t.Parallel()
			p, err := profiles.Load(spoken)
			if err != nil {
				t.Fatal(err)
			}
			server, err := NewLauncher([]*profiles.Profile{p}, stores).Launch(t.Context(), spoken)
			if err != nil {
				t.Fatal(err)
			}
			defer server.Close()
			alice := conformance.User{Username: "alice", Password: "correct horse", Email: "alice@example.com"}
			if err := server.State.CreateUser(t.Context(), alice); err != nil {
				t.Fatal(err)
			}
			for _, expected := range names {
				file, err := conformance.Builtin(expected)
				if err != nil {
					t.Fatal(err)
				}
				for password, want := range map[string]conformance.UnfitKind{"correct horse": 0, "wrong horse": conformance.NoLogin} {
					if file.RegistersUsers() {
						want = 0
					}
					if expected != spoken && !alike(expected, spoken) {
						want = conformance.OtherAPI
					}
					err = conformance.Look(t.Context(), file, server.URL, conformance.Options{User: "alice", Password: password})
					got := conformance.UnfitKind(0)
					var unfit *conformance.Unfit
					if errors.As(err, &unfit) {
						got = unfit.Kind
					} else if err != nil {
						t.Fatal(err)
					}
					if got != want {
						t.Errorf("exchanges of %s, %s: %v, want kind %d", expected, password, err, want)
					}
				}
			}
		})
	}
}
