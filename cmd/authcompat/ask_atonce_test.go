package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/authcompat/authcompat/dialects/identity"
)

// TestAskAtOnce has proxies and services ask at the same time, about tokens that are good, bad
// and ended meanwhile, while keys, callers and settings are reloaded: each is told of the token
// that it asks about.
func TestAskAtOnce(t *testing.T) {
	const users, rounds, reloads = 6, 30, 8
	folder, at := t.TempDir(), freeAddress(t)
	file, keys, secrets := filepath.Join(folder, "c.yaml"), filepath.Join(folder, "keys"), filepath.Join(folder, "callers")
	put(t, secrets, callersFile(callerSecret))
	put(t, keys, identityKeyA+"\n")
	put(t, file, "ask: {address: '"+at+"', callers_file: "+secrets+", identity: {key_file: "+keys+"}}\nlisteners: [{profile: ocd-users, address: 127.0.0.1:0}]\n")
	s := &askedServer{at: at, process: start(t, "--config", file, "--password-iterations", "1", "--store", database(t))}
	both := mustIdentityKeys(t, identityKeyA+"\n"+identityKeyB)
	var tokens []string
	for i := range users {
		tokens = append(tokens, s.register(t, fmt.Sprint("user", i)))
	}
	ask := func(path, token string) (answer, error) {
		return s.send(http.MethodGet, "http://"+at+"/ocd-users/"+path, token, "")
	}
	var all sync.WaitGroup
	for i := range users {
		name, token := fmt.Sprint("user", i), tokens[i]
		all.Go(func() {
			for range rounds {
				for path, want := range map[string]int{"forward": 200, "request": 204, "envoy/x": 200, "denied": 503} {
					a, err := ask(path, token)
					if err != nil || a.status != want {
						t.Errorf("%s: %v, %v", path, a, err)
						return
					}
					if want == http.StatusServiceUnavailable {
						continue
					}
					if got, err := identity.Verify(both, strings.Join(a.header[identity.Header], ","), time.Now()); err != nil || got.Name != name {
						t.Errorf("%s of %s: %+v, %v", path, name, got, err)
						return
					}
				}
				if a, err := ask("forward", "0123456789012345678901234567890123456789"); err != nil || a.status != http.StatusUnauthorized || a.header[identity.Header] != nil {
					t.Errorf("a bad token: %v, %v", a, err)
					return
				}
				if a := s.introspected(t, callerSecret, token); a.status != http.StatusOK || !strings.Contains(a.body, `"username":"`+name+`"`) {
					t.Errorf("introspection of %s: %v", name, a)
					return
				}
			}
			if a, err := s.send(http.MethodPost, s.urls["ocd-users"]+"/api/logout/", token, ""); err != nil || a.status != http.StatusNoContent {
				t.Errorf("logout: %v, %v", a, err)
			}
			if a, err := ask("forward", token); err != nil || a.status != http.StatusUnauthorized || a.header[identity.Header] != nil {
				t.Errorf("a token that has ended: %v, %v", a, err)
			}
		})
	}
	for i := range reloads {
		first, second := identityKeyA, identityKeyB
		if i%2 == 0 {
			first, second = second, first
		}
		// At once: whoever reads the file meanwhile finds one of both.
		put(t, keys+".new", first+"\n"+second+"\n")
		if err := os.Rename(keys+".new", keys); err != nil {
			t.Fatal(err)
		}
		before := strings.Count(s.log.String(), "reloaded settings")
		if err := s.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the keys are reloaded", func() bool { return strings.Count(s.log.String(), "reloaded settings") > before })
	}
	all.Wait()
}
