//go:build originals

package reference_test

import (
	"errors"
	"testing"

	"github.com/authcompat/authcompat/conformance"
	"github.com/authcompat/authcompat/conformance/reference"
)

// TestLook looks at each reference server with the exchange file of each API, with the password of a
// user and with a wrong one. What the servers answer otherwise than documented is no reason to refuse
// them.
func TestLook(t *testing.T) {
	versions(t)
	for _, spoken := range reference.APIs() {
		t.Run(spoken, func(t *testing.T) {
			t.Parallel()
			server := start(t, spoken, nil)
			if err := server.CreateUser(t.Context(), conformance.User{Username: "alice", Password: "correct horse", Email: "alice@example.com"}); err != nil {
				t.Fatal(err)
			}
			for _, expected := range reference.APIs() {
				file, err := conformance.Builtin(expected)
				if err != nil {
					t.Fatal(err)
				}
				for password, want := range map[string]conformance.UnfitKind{"correct horse": 0, "wrong horse": conformance.NoLogin} {
					if file.RegistersUsers() {
						want = 0
					}
					if expected != spoken {
						want = conformance.OtherAPI
					}
					err := conformance.Look(t.Context(), file, server.URL, conformance.Options{User: "alice", Password: password})
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
