package main

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// rsaKey makes a key of the kind that clients of old TLS need.
func rsaKey(t *testing.T) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// oldClient is a client that offers one version of TLS, and these suites, of which the
// last is the best; none: those of Go.
type oldClient struct {
	version uint16
	suites  []uint16
}

func speaks(version uint16, suites ...uint16) oldClient { return oldClient{version, suites} }

// shakeHands connects to a server as the client, sends a request, and reports whether it
// was answered.
func (c oldClient) shakeHands(t *testing.T, url string) bool {
	t.Helper()
	transport := &http.Transport{TLSClientConfig: &tls.Config{
		MinVersion: c.version, MaxVersion: c.version, CipherSuites: c.suites, InsecureSkipVerify: true, //#nosec
	}}
	defer transport.CloseIdleConnections()
	resp, err := (&http.Client{Transport: transport, Timeout: time.Minute}).Get(url)
	if err != nil {
		if !strings.Contains(err.Error(), "remote error: tls: ") {
			t.Errorf("%v", err)
		}
		return false
	}
	defer resp.Body.Close()
	if got := resp.TLS; got.Version != c.version || len(c.suites) > 0 && got.CipherSuite != c.suites[len(c.suites)-1] {
		t.Errorf("%x with %x: got %x with %s", c.version, c.suites, got.Version, tls.CipherSuiteName(got.CipherSuite))
	}
	return true
}

// TestOldTLS lets clients of old TLS in at the listeners that are told to, until they are
// told otherwise. Each of the others refuses, counts and logs them.
func TestOldTLS(t *testing.T) {
	t.Chdir(t.TempDir())
	writeCertificateOf(t, ".", 1, rsaKey(t))
	const (
		rest = "tls: {cert_file: cert.pem, key_file: key.pem}\nstore: sqlite:a.db\npassword_iterations: 100\n"
		now  = "listeners:\n- {profile: ocd-users, address: '127.0.0.1:0'}\n"
	)
	put(t, "c.yaml", now+`- {profile: authtokens, address: '127.0.0.1:0', tls_min_version: 1.0, tls_legacy_ciphers: true}
- {profile: form-auth, address: '127.0.0.1:0', tls_min_version: "1.1"}
- {profile: snippit, address: '127.0.0.1:0', tls_legacy_ciphers: on}
- {profile: knox-auth, address: '127.0.0.1:0', tls_min_version: "1.3"}
`+rest)
	p := start(t, "--config", "c.yaml")
	profiles := []string{"ocd-users", "authtokens", "form-auth", "snippit", "knox-auth"}
	clients := []struct {
		oldClient
		want string // the profiles that serve it
	}{
		{speaks(tls.VersionTLS10), "authtokens"},
		{speaks(tls.VersionTLS10, tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA), "authtokens"},
		{speaks(tls.VersionTLS10, tls.TLS_RSA_WITH_AES_128_CBC_SHA), "authtokens"},
		{speaks(tls.VersionTLS10, tls.TLS_RSA_WITH_AES_256_CBC_SHA), "authtokens"},
		{speaks(tls.VersionTLS10, tls.TLS_RSA_WITH_3DES_EDE_CBC_SHA), "authtokens"},
		{speaks(tls.VersionTLS10, tls.TLS_RSA_WITH_RC4_128_SHA), ""},
		{speaks(tls.VersionTLS12, tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256), ""},
		{speaks(tls.VersionTLS11), "authtokens form-auth"},
		{speaks(tls.VersionTLS11, tls.TLS_RSA_WITH_AES_128_CBC_SHA), "authtokens"},
		{speaks(tls.VersionTLS12), "ocd-users authtokens form-auth snippit"},
		{speaks(tls.VersionTLS12, tls.TLS_RSA_WITH_AES_128_CBC_SHA), "authtokens snippit"},
		{speaks(tls.VersionTLS12, tls.TLS_RSA_WITH_AES_128_GCM_SHA256), "authtokens snippit"},
		{speaks(tls.VersionTLS12, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256), "ocd-users authtokens form-auth snippit"},
		{speaks(tls.VersionTLS12, tls.TLS_RSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256), "ocd-users authtokens form-auth snippit"},
		{speaks(tls.VersionTLS10, tls.TLS_RSA_WITH_3DES_EDE_CBC_SHA, tls.TLS_RSA_WITH_AES_128_CBC_SHA, tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA), "authtokens"},
		{speaks(tls.VersionTLS13), "ocd-users authtokens form-auth snippit knox-auth"},
	}
	refused := 0.0
	served := func(c oldClient) string {
		t.Helper()
		var all []string
		for _, name := range profiles {
			if c.shakeHands(t, p.urls[name]+"/") {
				all = append(all, name)
			} else {
				refused++
			}
		}
		return strings.Join(all, " ")
	}
	for _, c := range clients {
		if got := served(c.oldClient); got != c.want {
			t.Errorf("%x with %x is served by %q, want %q", c.version, c.suites, got, c.want)
		}
	}
	if got := p.metric(t, `authcompat_rejected_requests_total{reason="tls_handshake"}`); got != refused || got == 0 {
		t.Errorf("%v handshakes are counted as refused, want %v", got, refused)
	}
	warned := func(profile string) bool {
		for line := range strings.Lines(p.log.String()) {
			if strings.Contains(line, "accepts weak TLS") && strings.Contains(line, profile) {
				return true
			}
		}
		return false
	}
	for name, want := range map[string]bool{"authtokens": true, "form-auth": true, "snippit": true, "ocd-users": false, "knox-auth": false} {
		if warned(name) != want {
			t.Errorf("%s: warned of: %t, want %t\n%s", name, !want, want, p.log.String())
		}
	}
	// What is weak is taken back without a restart.
	put(t, "c.yaml", now+"- {profile: authtokens, address: '127.0.0.1:0'}\n- {profile: form-auth, address: '127.0.0.1:0'}\n- {profile: snippit, address: '127.0.0.1:0'}\n- {profile: knox-auth, address: '127.0.0.1:0'}\n"+rest)
	p.sighup(t, "reloaded")
	for _, c := range clients[:5] {
		if got := served(c.oldClient); got != "" {
			t.Errorf("%x with %x is still served by %q", c.version, c.suites, got)
		}
	}
}

// TestOldTLSSettings checks and prints settings of TLS.
func TestOldTLSSettings(t *testing.T) {
	t.Chdir(t.TempDir())
	writeCertificateOf(t, ".", 1, rsaKey(t))
	const cert = "tls: {cert_file: cert.pem, key_file: key.pem, "
	put(t, "c.yaml", "listeners:\n- {profile: snippit, address: '127.0.0.1:1', tls_min_version: '1.2'}\n- {profile: knox-auth, address: '127.0.0.1:2', tls_legacy_ciphers: off}\n"+cert+"min_version: 1.0, legacy_ciphers: on}\n")
	const rsaExchange = "  accepts weak TLS: RSA key exchange (no forward secrecy: whoever gets the certificate's key can read what was recorded before)\n"
	want := "profile snippit at 127.0.0.1:1\n" + rsaExchange + "  accepts weak TLS: 3DES (64-bit blocks)\n" +
		"profile knox-auth at 127.0.0.1:2\n  accepts weak TLS: TLS 1.0 and 1.1 (deprecated by RFC 8996)\nthe settings are good\n"
	if diff := cmp.Diff(want, command(t, "", "config", "check", "c.yaml")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	printed := command(t, "", "config", "print", "c.yaml")
	for _, want := range []string{"    tls_min_version: \"1.2\"\n", "    tls_legacy_ciphers: off\n", "  min_version: \"1.0\" # c.yaml:4\n", "  legacy_ciphers: on # c.yaml:4\n"} {
		if !strings.Contains(printed, want) {
			t.Errorf("no %q in\n%s", want, printed)
		}
	}
	put(t, "printed.yaml", strings.Replace(printed, "listen: 127.0.0.1:8000 # default\n", "", 1))
	if again := command(t, "", "config", "check", "printed.yaml"); again != want {
		t.Errorf("what was printed is read as %s", again)
	}
	for _, test := range []struct {
		name, text string
		want       []string
	}{
		{"values", "listeners: [{profile: snippit, tls_min_version: '0.9', tls_legacy_ciphers: RC4}]\n" + cert + "min_version: SSLv3, legacy_ciphers: yes}\n", []string{
			`c.yaml:1:49: listeners.tls_min_version: "0.9": want one of 1.0, 1.1, 1.2, 1.3`,
			`c.yaml:1:76: listeners.tls_legacy_ciphers: "RC4": want on or off`,
			`c.yaml:2:60: tls.min_version: "SSLv3": want one of 1.0, 1.1, 1.2, 1.3`,
			`c.yaml:2:83: tls.legacy_ciphers: "yes": want on or off`,
		}},
		{"no TLS", "listeners: [{profile: snippit, tls_min_version: '1.1', tls_legacy_ciphers: on}]\ntls: {min_version: 1.0, legacy_ciphers: on}\n", []string{
			"c.yaml:2:20: tls.min_version: needs TLS: give a certificate too (--tls-cert, tls.cert_file)",
			"c.yaml:2:41: tls.legacy_ciphers: needs TLS: give a certificate too (--tls-cert, tls.cert_file)",
			"c.yaml:1:49: listeners.tls_min_version: needs TLS: give a certificate too (--tls-cert, tls.cert_file)",
			"c.yaml:1:76: listeners.tls_legacy_ciphers: needs TLS: give a certificate too (--tls-cert, tls.cert_file)",
		}},
		{"nothing for them", "listeners: [{profile: snippit, tls_min_version: '1.3'}]\n" + cert + "legacy_ciphers: on}\n", []string{
			"c.yaml:2:63: tls.legacy_ciphers: TLS 1.3 has none: allow TLS 1.2 or older too",
		}},
		{"another key", "listeners: [{profile: snippit, tls_legacy_ciphers: on}]\ntls: {cert_file: cert.pem, key_file: key.pem}\n", []string{
			"c.yaml:1:52: listeners.tls_legacy_ciphers: needs a certificate with an RSA key, which that of cert.pem is not",
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.name == "another key" {
				writeCertificate(t, ".", 1)
			}
			put(t, "c.yaml", test.text)
			got := strings.TrimPrefix(refused(t, "", "config", "check", "c.yaml"), "authcompat: ")
			if diff := cmp.Diff(strings.Join(test.want, "\n")+"\n", got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
