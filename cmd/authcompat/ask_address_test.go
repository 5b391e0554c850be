package main

import (
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/testenv"
)

// takesBasic writes a profile whose views take a password with each request, as those of Django REST framework
// do by default, and returns its file.
func takesBasic(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "basic.yaml")
	const given = "\nauthentication: [token]\n"
	text := command(t, "", "profile", "show", "drf-authtoken")
	if !strings.Contains(text, given) {
		t.Fatal(text)
	}
	text = strings.Replace(text, "name: drf-authtoken\n", "name: with-basic\n", 1)
	put(t, file, strings.Replace(text, given, "\nauthentication: [basic, token]\n", 1))
	return file
}

// otherAddress is an address of the machine from which a proxy at 127.0.0.1 is asked: what it says of the client
// can be told from what the connection says of the proxy.
const otherAddress = "127.0.0.2"

// fromAnotherAddress returns a transport that connects from there.
func fromAnotherAddress(t *testing.T) *http.Transport {
	t.Helper()
	at := &net.TCPAddr{IP: net.ParseIP(otherAddress)}
	if probe, err := net.ListenTCP("tcp", at); err != nil {
		testenv.Missing(t, "another address of this machine: %v", err)
	} else if err := probe.Close(); err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{DialContext: (&net.Dialer{LocalAddr: at}).DialContext}
	t.Cleanup(transport.CloseIdleConnections)
	return transport
}

// guessAs sends a request with a wrong password through a proxy, as a client that says it were another, and checks
// that the address of the connection is recorded, and no id that the client chose.
func guessAs(t *testing.T, transport *http.Transport, r *http.Request, status int, action core.Action, db string) {
	t.Helper()
	r.Header["X-Forwarded-For"] = []string{"203.0.113.9", "198.51.100.7, 203.0.113.10"}
	r.Header.Set("X-Request-Id", "forged")
	answer, err := transport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := answer.Body.Close(); err != nil || answer.StatusCode != status {
		t.Fatalf("%d, %v", answer.StatusCode, err)
	}
	newest, _, _ := strings.Cut(command(t, "", "audit", "--action", string(action), "--json", "--store", db), "\n")
	var entry struct{ Address, Request string }
	if err := json.Unmarshal([]byte(newest), &entry); err != nil {
		t.Fatalf("%v: %s", err, newest)
	}
	if entry.Address != otherAddress || entry.Request == "" || entry.Request == "forged" {
		t.Errorf("recorded: %s", newest)
	}
}

// TestAskAddress guesses passwords through each of the proxies, as they are configured by front snippet, from another
// address of the machine: the guesses are counted, and recorded, as those of that address, whatever the client says
// of itself. Otherwise one client could use up the guesses of all, or of another.
func TestAskAddress(t *testing.T) {
	transport := fromAnotherAddress(t)
	profile, db, at := takesBasic(t), database(t), freeAddress(t)
	p := start(t, append(cheap, "--profile", profile, "--store", db, "--ask", at, "--trusted-proxy", "127.0.0.1")...)
	application := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(application.Close)
	for _, name := range askingProxies {
		for _, flags := range [][]string{nil, {"--identity"}} {
			t.Run(strings.Join(append([]string{name}, flags...), " "), func(t *testing.T) {
				url := askingProxy(t, name, profile, at, strings.TrimPrefix(application.URL, "http://"), flags...)
				r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/x", nil)
				if err != nil {
					t.Fatal(err)
				}
				r.SetBasicAuth("nobody", "wrong")
				guessAs(t, transport, r, http.StatusUnauthorized, core.ActionAuthenticate, db)
			})
		}
	}
	if strings.Contains(p.log.String(), "X-Forwarded-For is ignored") {
		t.Error(p.log.String())
	}
}

// TestAskUntrusted warns that all clients of a proxy share one limit of guesses, which one of them can use up, where
// questions can have passwords in them, and not where they have tokens alone.
func TestAskUntrusted(t *testing.T) {
	for profile, want := range map[string]bool{takesBasic(t): true, "drf-authtoken": false} {
		at := freeAddress(t)
		p := start(t, append(cheap, "--profile", profile, "--store", database(t), "--ask", at)...)
		name := "drf-authtoken"
		if want {
			name = "with-basic"
		}
		p.want(t, http.StatusUnauthorized, http.MethodGet, "http://"+at+"/"+name+"/forward", "", "", "X-Forwarded-For", "192.0.2.7", "Authorization", "Basic bm9ib2R5Ondyb25n")
		if got := strings.Contains(p.log.String(), "X-Forwarded-For is ignored"); got != want {
			t.Errorf("%s: warned: %v: %s", name, got, p.log.String())
		}
	}
}
