package main

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/authcompat/authcompat/dialects/identity"
)

// identityBehindProxies is an application that believes identities, and a server that tells
// proxies of them.
type identityBehindProxies struct {
	*process
	at, application string
	keys            identity.Keys
	token           string // of ann
}

func startIdentityBehindProxies(t *testing.T) *identityBehindProxies {
	t.Helper()
	folder := t.TempDir()
	keys, file := filepath.Join(folder, "keys"), filepath.Join(folder, "c.yaml")
	put(t, keys, identityKeyA+"\n")
	s := &identityBehindProxies{at: freeAddress(t), application: startBeliever(t, keys, "username", "keep"), keys: mustIdentityKeys(t, identityKeyA)}
	put(t, file, "ask: {address: '"+s.at+"', identity: {key_file: "+keys+"}}\nlisteners: [{profile: ocd-users, address: '127.0.0.1:0'}]\n")
	s.process = start(t, "--config", file, "--password-iterations", "100", "--store", database(t))
	s.token = s.register(t, "ann")
	return s
}

// spelled is a request with an identity of the client's own.
type spelled struct{ headers, trailers string }

// send sends the request, and returns its answer as answerOf does. ok is false if it was refused
// before an application saw it.
func (r spelled) send(t *testing.T, at, line, authorization string) (answer string, ok bool) {
	t.Helper()
	whole := untilClosed(t, at, line+" HTTP/1.1\r\nHost: x\r\n"+authorization+r.headers+"Connection: close\r\n\r\n"+r.trailers)
	parsed, err := http.ReadResponse(bufio.NewReader(strings.NewReader(whole)), nil)
	if err != nil {
		t.Fatalf("%q: %v", whole, err)
	}
	body, err := io.ReadAll(parsed.Body)
	if err != nil {
		t.Fatalf("%q: %v", whole, err)
	}
	return fmt.Sprintf("%d %s", parsed.StatusCode, body), parsed.StatusCode == http.StatusOK
}

// spellings returns requests with an identity of the client's own, even one of authcompat's own
// making: the usual ones, and then any.
func (s *identityBehindProxies) spellings(n int) (all []spelled) {
	g := generated{rand.New(rand.NewPCG(15, 3))}
	value := func() string {
		return identity.Sign(s.keys, identity.Identity{UserID: 7, Name: "j\u00fcrgen", Time: time.Now()})
	}
	for _, headers := range []string{"X-Authcompat-Identity: %s\r\n", "X_Authcompat_Identity: %s\r\n", "x-authcompat_identity: %s\r\nRemote_User: root\r\n", "Connection: x-authcompat-identity\r\nAccept: %s\r\n"} {
		all = append(all, spelled{headers: fmt.Sprintf(headers, value())})
	}
	for range n - len(all) {
		headers, trailers := g.identityHeaders(value())
		if trailers != "" {
			trailers += "\r\n"
		}
		all = append(all, spelled{headers, trailers})
	}
	return all
}

// TestFrontIdentityAtProxies sends spellings of identity headers, 200 with AUTHCOMPAT_LONG,
// through each proxy with the configuration that is printed for it to gunicorn: with a good
// token, the receivers of docs/identity believe what authcompat has told the proxy, and
// nothing else; without one, nothing gets there.
func TestFrontIdentityAtProxies(t *testing.T) {
	t.Parallel()
	s := startIdentityBehindProxies(t)
	n := 20
	if os.Getenv("AUTHCOMPAT_LONG") != "" {
		n = 200
	}
	straight := 0
	for _, r := range s.spellings(n) {
		if answer, ok := r.send(t, s.application, "POST /wsgi/", ""); ok && environOf(t, answer)["REMOTE_USER"] != "" {
			straight++
		}
	}
	if straight < n/20 {
		t.Errorf("only %d of %d spellings are believed straight", straight, n)
	}
	for _, proxy := range askingProxies {
		t.Run(proxy, func(t *testing.T) {
			at, err := url.Parse(askingProxy(t, proxy, "ocd-users", s.at, s.application, "--identity"))
			if err != nil {
				t.Fatal(err)
			}
			answered, seen := 0, 0
			for _, r := range s.spellings(n) {
				through, others := s.sendThrough(t, r, at.Host, proxy)
				answered, seen = answered+through, seen+others
			}
			t.Logf("straight, %d of %d spellings are believed; of %d that are answered through the proxy, 0; %d are seen in variables that nobody believes", straight, n, answered, seen)
			if answered < n/2 || (proxy == "haproxy" || proxy == "traefik") && seen > 0 {
				t.Errorf("%d of %d spellings are answered, and %d seen", answered, n, seen)
			}
		})
	}
	if log := s.log.String(); strings.Contains(log, "v1;id") || strings.Contains(log, "mac=") {
		t.Errorf("logged: %s", log)
	}
}

// sendThrough sends a spelling through a proxy, with a good token, a bad one and none. It
// returns 1 if the good one is answered, and if the application sees something of the client's
// in a variable.
func (s *identityBehindProxies) sendThrough(t *testing.T, r spelled, at, proxy string) (answered, seen int) {
	t.Helper()
	for _, authorization := range []string{"", "Authorization: Token 0123456789012345678901234567890123456789\r\n"} {
		if answer, ok := r.send(t, at, "POST /x", authorization); ok {
			t.Errorf("%q with %q: %s", r.headers, authorization, answer)
		}
	}
	good := "Authorization: Token " + s.token + "\r\n"
	answer, ok := r.send(t, at, "POST /x", good)
	if !ok {
		return 0, 0
	}
	left := identityVariables(environOf(t, answer))
	// What emulates these two is a Go proxy, from which a client can have headers removed.
	lost := (proxy == "traefik" || proxy == "envoy") && left[identityVariable] == "" && strings.Contains(r.headers, "Connection:")
	got, err := identity.Verify(s.keys, left[identityVariable], time.Now())
	if !lost && (err != nil || got.Name != "ann" || len(got.TokenID) != 16) {
		t.Errorf("%q: %q, %+v, %v", r.headers, left, got, err)
	}
	if delete(left, identityVariable); len(left) > 0 {
		seen = 1
	}
	believes := regexp.MustCompile(`^200 \[1,"ann","[0-9a-f]{16}"\]$`)
	if answer, ok := r.send(t, at, "GET /drf/", good); ok && !believes.MatchString(answer) || !ok && !lost && strings.HasPrefix(answer, "401") {
		t.Errorf("%q: Django: %s", r.headers, answer)
	}
	if answer, ok := r.send(t, at, "POST /wsgi/", good); ok {
		environ := environOf(t, answer)
		user := environ["REMOTE_USER"]
		if delete(environ, "REMOTE_USER"); !(user == "ann" || lost && user == "") || len(identityVariables(environ)) > 0 {
			t.Errorf("%q: WSGI: %q, and %q", r.headers, user, identityVariables(environ))
		}
	}
	return 1, seen
}

// identityVariable is what WSGI makes of the name of our header.
const identityVariable = "HTTP_X_AUTHCOMPAT_IDENTITY"
