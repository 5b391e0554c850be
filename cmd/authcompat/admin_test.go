package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store"
)

func TestAdministration(t *testing.T) {
	dsn := database(t)
	f := newFaulty(t, start(t, append(bothAt, "--store", dsn)...))
	account := f.urls["snippit"] + "/api/account/alice/"
	do := func(input string, args ...string) string { return command(t, input, append(args, "--store", dsn)...) }

	do("", "user", "disable", "alice")
	f.want(t, 401, "GET", account, f.token, "")
	f.want(t, 400, "POST", f.urls["ocd-users"]+"/api/login/", "", credentials)
	do("", "user", "enable", "alice")
	f.want(t, 200, "GET", account, f.token, "")

	do("another\n", "user", "set-password", "alice", "--password-stdin", "--password-iterations", "1")
	f.want(t, 400, "POST", f.urls["ocd-users"]+"/api/login/", "", credentials)
	second := tokenIn(t, f.want(t, 200, "POST", f.urls["ocd-users"]+"/api/login/", "", `{"username": "alice", "password": "another"}`).body)
	f.want(t, 200, "GET", account, f.token, "")

	var user struct {
		Username, Password string
		Active             bool
		Tokens             int
	}
	if err := json.Unmarshal([]byte(do("", "user", "show", "alice", "--json")), &user); err != nil {
		t.Fatal(err)
	}
	if user.Username != "alice" || !user.Active || user.Password != "pbkdf2_sha256 iterations=1" || user.Tokens != 2 {
		t.Errorf("user %+v", user)
	}
	id := core.TokenID(core.Presented(second).SHA256())
	if list := do("", "token", "list", "--user", "alice"); strings.Count(list, "\n") != 3 || !strings.Contains(list, id) {
		t.Errorf("tokens:\n%s", list)
	}
	do("", "token", "revoke", id)
	f.want(t, 401, "GET", account, second, "")
	f.want(t, 200, "GET", account, f.token, "")
	do("", "token", "revoke", "--user", "alice")
	f.want(t, 401, "GET", account, f.token, "")
	do("", "user", "delete", "alice")
	f.want(t, 400, "POST", f.urls["ocd-users"]+"/api/login/", "", `{"username": "alice", "password": "another"}`)

	var acts []string
	for line := range strings.Lines(do("", "audit", "--user", "alice", "--json")) {
		var e struct{ Act, Actor string }
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatal(err)
		}
		if e.Actor == core.Operator {
			acts = append([]string{e.Act}, acts...)
		}
	}
	want := "disable-user enable-user set-password revoke-token revoke-tokens delete-user"
	if got := strings.Join(acts, " "); got != want {
		t.Errorf("acts of the operator: %s, want %s", got, want)
	}
	if out, err := programCommand(t, "user", "show", "nobody", "--store", dsn).CombinedOutput(); err == nil || string(out) != "authcompat: there is no user \"nobody\"\n" {
		t.Errorf("%v %s", err, out)
	}
}

// TestRotation rotates sealing keys while clients log in: each is shown the token it
// already had.
func TestRotation(t *testing.T) {
	dsn := database(t)
	p := start(t, "--profile", "authtokens", "--listen", "127.0.0.1:0", "--store", dsn, "--password-iterations", "1", "--limits", "off")
	const users = 20
	tokens := make([]string, users)
	for i := range users {
		tokens[i] = tokenIn(t, p.want(t, 201, "POST", p.urls["authtokens"]+"/api/register/", "", member(i)).body)
	}
	stop := make(chan struct{})
	var clients sync.WaitGroup
	for client := range 4 {
		clients.Go(func() {
			for i := client; ; i = (i + 1) % users {
				select {
				case <-stop:
					return
				default:
				}
				a, err := p.send("POST", p.urls["authtokens"]+"/api/login/", "", member(i))
				if err != nil || a.status != 200 || tokenIn(t, a.body) != tokens[i] {
					t.Errorf("user %d: %d %s %v", i, a.status, a.body, err)
					return
				}
			}
		})
	}
	for range 3 {
		command(t, "", "secret", "rotate", "--store", dsn)
	}
	close(stop)
	clients.Wait()
	show := func() string { return command(t, "", "secret", "show", "--store", dsn) }
	if got := show(); strings.Count(got, "\n") != 5 {
		t.Errorf("keys:\n%s", got)
	}
	p.sighup(t, "reloaded")
	prune := []string{"secret", "prune", "--store", dsn}
	if got := refused(t, "", prune...); !strings.Contains(got, "a server may still seal with an old key") {
		t.Errorf("prune at once: %s", got)
	}
	command(t, "", append(prune, "--force")...)
	if got := command(t, "", "audit", "--action", "drop-secrets", "--json", "--store", dsn); strings.Count(got, "\n") != 1 {
		t.Errorf("record: %s", got)
	}
	for since, want := range map[string]int{"1h": 1, "2026-01-01": 1, "9000-01-01T00:00:00Z": 0} {
		if got := command(t, "", "audit", "--action", "drop-secrets", "--json", "--since", since, "--store", dsn); strings.Count(got, "\n") != want {
			t.Errorf("record since %s: %s", since, got)
		}
	}
	if got := show(); strings.Count(got, "\n") != 2 || !strings.Contains(got, fmt.Sprintf("%d      seals", users)) {
		t.Errorf("keys after the old ones are dropped:\n%s", got)
	}
	p.wantShown(t, tokens)
}

func TestPurge(t *testing.T) {
	dsn := database(t)
	command(t, "", "user", "create", "alice", "--no-password", "--store", dsn)
	s, err := store.Open(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	alice, err := s.Account(t.Context(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	const old, recent = 1001, 3 // more than two batches of 500
	for i := range old + recent {
		ended := time.Now().Add(-100 * day)
		if i < recent {
			ended = time.Now().Add(-80 * day)
		}
		if err := s.IssueToken(t.Context(), core.Token{
			Digest: core.Presented(fmt.Sprint(i)).SHA256(), UserID: alice.ID, Realm: "default", Issuer: "x", CreatedAt: ended.Add(-day), ExpiresAt: ended,
		}, "", 0,

			nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if got := command(t, "", "token", "purge", "--expired-token-retention", "90d", "--store", dsn); got != fmt.Sprintf("purged %d tokens\n", old) {
		t.Errorf("the old: %s", got)
	}
	if got := command(t, "", "token", "purge", "--expired-token-retention", "1d", "--store", dsn, "--json"); got != fmt.Sprintf("{\"purged\":%d}\n", recent) {
		t.Errorf("the rest: %s", got)
	}
}

// TestPurgeAudit checks that the purge itself is recorded, too.
func TestPurgeAudit(t *testing.T) {
	dsn := database(t)
	command(t, "", "user", "create", "alice", "--no-password", "--store", dsn)
	s, err := store.Open(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	const old, recent = 501, 3 // more than one batch of 500
	for i := range old + recent {
		at := time.Now().Add(-500 * day)
		if i >= old {
			at = time.Now().Add(-300 * day)
		}
		if err := s.Auditor.Record(t.Context(), core.AuditEntry{At: at, Action: core.ActionLogin, Outcome: core.OK}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	// The entry about alice comes first, and is from today.
	if got := command(t, "", "audit", "purge", "--audit-retention", "600d", "--store", dsn); got != "purged 0 entries\n" {
		t.Errorf("nothing is so old: %s", got)
	}
	if got := command(t, "", "audit", "purge", "--audit-retention", "400d", "--store", dsn, "--json"); got != fmt.Sprintf("{\"purged\":%d}\n", old) {
		t.Errorf("the old: %s", got)
	}
	got := command(t, "", "audit", "--limit", "0", "--json", "--store", dsn)
	if n := strings.Count(got, "\n"); n != recent+2 || strings.Count(got, `"act":"purge-audit"`) != 1 || strings.Count(got, `"act":"create-user"`) != 1 {
		t.Errorf("left:\n%s", got)
	}
}

// writeCertificate writes a self-signed certificate for 127.0.0.1.
func writeCertificate(t *testing.T, folder string, serial int64) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	writeCertificateOf(t, folder, serial, key)
}

// writeCertificateOf is writeCertificate with a key that is given.
func writeCertificateOf(t *testing.T, folder string, serial int64, key crypto.Signer) {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{
		"cert.pem": {Type: "CERTIFICATE", Bytes: der}, "key.pem": {Type: "PRIVATE KEY", Bytes: private},
	} {
		if err := os.WriteFile(filepath.Join(folder, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTLS(t *testing.T) {
	folder := t.TempDir()
	writeCertificate(t, folder, 1)
	p := start(t, append(cheap, "--profile", "authtokens", "--store", database(t),
		"--tls-cert", filepath.Join(folder, "cert.pem"), "--tls-key", filepath.Join(folder, "key.pem"))...)
	address, ok := strings.CutPrefix(p.urls["authtokens"], "https://")
	if !ok {
		t.Fatalf("at %s", p.urls["authtokens"])
	}
	serial := func() int64 {
		conn, err := tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2", "http/1.1"}})
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if protocol := conn.ConnectionState().NegotiatedProtocol; protocol != "http/1.1" {
			t.Errorf("protocol %q", protocol)
		}
		return conn.ConnectionState().PeerCertificates[0].SerialNumber.Int64()
	}
	if got := serial(); got != 1 {
		t.Errorf("certificate %d", got)
	}
	writeCertificate(t, folder, 2)
	p.sighup(t, "reloaded")
	if got := serial(); got != 2 {
		t.Errorf("certificate %d after another", got)
	}
	if err := os.WriteFile(filepath.Join(folder, "cert.pem"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	p.sighup(t, "reload failed")
	if got := serial(); got != 2 {
		t.Errorf("certificate %d after a bad one", got)
	}
}
