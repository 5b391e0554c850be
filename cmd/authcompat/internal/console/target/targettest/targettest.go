// Package targettest makes targets of built-in profiles, for the tests of the console and of its views.
package targettest

import (
	"bytes"
	"net/http"
	"testing"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/target"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/inprocess"
	"github.com/authcompat/authcompat/conformance"
	"github.com/authcompat/authcompat/profiles"
	"github.com/authcompat/authcompat/store"
)

// API returns a built-in profile with its documented exchanges, as a target of the same name that has no server.
func API(t testing.TB, profile string) target.Target {
	t.Helper()
	p, err := profiles.Load(profile)
	if err != nil {
		t.Fatal(err)
	}
	file, err := conformance.Builtin(profile)
	if err != nil {
		t.Fatal(err)
	}
	return target.Target{Name: profile, URL: "http://127.0.0.1:9", Profile: p, Exchanges: file}
}

// Launched returns API as a target whose exchanges get servers of this process, and which has no other. Around, if not
// nil, is put around their handlers.
func Launched(t testing.TB, profile string, around func(http.Handler) http.Handler) target.Target {
	t.Helper()
	there := API(t, profile)
	launcher := inprocess.NewLauncher([]*profiles.Profile{there.Profile}, store.NewTemps(""))
	launcher.Around = around
	t.Cleanup(launcher.Close)
	there.Own, there.Launcher = true, launcher
	return there
}

// Served returns API as a target that is served in this process until the test ends, on a store of its own.
func Served(t testing.TB, profile string, o inprocess.Options) target.Target {
	t.Helper()
	there := API(t, profile)
	server, err := inprocess.Start(t.Context(), there.Profile, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	there.URL, there.Own, there.State = server.URL, true, server.State
	return there
}

// Misspelled returns a handler whose answers differ from what is documented: credentials begin with a capital.
func Misspelled(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { next.ServeHTTP(misspeller{w}, r) })
}

type misspeller struct{ http.ResponseWriter }

func (m misspeller) Write(b []byte) (int, error) {
	return m.ResponseWriter.Write(bytes.ReplaceAll(b, []byte("credentials"), []byte("Credentials")))
}
