package main

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/testenv"
)

// documentedProxy starts a proxy before a server with the configuration that
// docs/old-clients.md has in a block of this language. Only its files and ports are others.
func documentedProxy(t *testing.T, language, server string, command func(file string) *exec.Cmd) (plain, secure string) {
	t.Helper()
	doc, err := os.ReadFile(filepath.Join("..", "..", "docs", "old-clients.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, config, found := strings.Cut(string(doc), "```"+language+"\n")
	config, _, closed := strings.Cut(config, "```")
	if !found || !closed {
		t.Fatalf("docs/old-clients.md has no configuration for %s", language)
	}
	folder := t.TempDir()
	writeCertificateOf(t, folder, 1, rsaKey(t))
	var both []byte
	for _, name := range []string{"cert.pem", "key.pem"} {
		text, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		both = append(both, text...)
	}
	put(t, filepath.Join(folder, "both.pem"), string(both))
	plain, secure = freeAddress(t), freeAddress(t)
	for _, replace := range [][2]string{
		{"/etc/authcompat", folder}, {"127.0.0.1:8000", server}, {"listen 80;", "listen " + plain + ";"}, {"listen 443 ssl;", "listen " + secure + " ssl;"},
		{"http {\n", "http { access_log off; client_body_temp_path a; proxy_temp_path b; fastcgi_temp_path c; uwsgi_temp_path d; scgi_temp_path e;\n"},
		{"bind :80\n", "bind " + plain + "\n"}, {"bind :443 ", "bind " + secure + " "},
	} {
		config = strings.ReplaceAll(config, replace[0], replace[1])
	}
	file := filepath.Join(folder, "proxy.conf")
	put(t, file, config)
	var log lockedBuffer
	cmd := command(file)
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		testenv.Missing(t, "%s: %v", language, err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended
		<-ended
	})
	eventually(t, language+" listens", func() bool {
		conn, err := net.DialTimeout("tcp", plain, time.Second)
		if err != nil {
			return false
		}
		return conn.Close() == nil
	})
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("%s: %s", language, log.String())
		}
	})
	return plain, secure
}

// daemon returns the path of a program that may not be in the path of users.
func daemon(name string) string {
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	return filepath.Join("/usr/sbin", name)
}

// freeAddress returns an address that nobody listens at.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// TestOldClients sends what old clients send to a server, and to the documented proxies
// before it: what docs/old-clients.md says of each.
func TestOldClients(t *testing.T) {
	p := start(t, append(cheap, "--profile", "ocd-users", "--store", database(t), "--trusted-proxy", "127.0.0.1")...)
	direct := strings.TrimPrefix(p.urls["ocd-users"], "http://")
	folder := t.TempDir()
	nginx, nginxTLS := documentedProxy(t, "nginx", direct, func(file string) *exec.Cmd {
		return exec.Command(daemon("nginx"), "-p", folder, "-e", "stderr", "-c", file, "-g", "daemon off; pid nginx.pid;")
	})
	haproxy, haproxyTLS := documentedProxy(t, "haproxy", direct, func(file string) *exec.Cmd { return exec.Command(daemon("haproxy"), "-db", "-f", file) })
	const served, body = `{"password":["This field is required."]}`, `{"username": "ann"}`
	post := func(version, path, fields string) string {
		return fmt.Sprintf("POST %s HTTP/%s\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: 19\r\n%s\r\n%s", path, version, fields, body)
	}
	const login, host = "/api/login/", "Host: auth.example.org\r\n"
	for _, test := range []struct {
		name, request          string
		direct, nginx, haproxy string // a status, or what is served
	}{
		{"today's", post("1.1", login, host), served, served, served},
		{"HTTP/1.0", post("1.0", login, ""), served, served, served},
		{"no host", post("1.1", login, ""), "400", "400", served},
		{"fragment", post("1.1", login+"#top", host), "404", served, "400"},
		{"fragment of a query", post("1.1", login+"?format=json#top", host), "404", served, "400"},
		{"expectation", post("1.1", login, host+"Expect: a-reply\r\n"), "417", served, served},
		{"100-continue", post("1.1", login, host+"Expect: 100-continue\r\n"), served, served, served},
		{"identity", post("1.1", login, host+"Transfer-Encoding: identity\r\n"), "501", "501", "400"},
	} {
		for name, at := range map[string]struct{ address, want string }{
			"authcompat": {direct, test.direct}, "nginx": {nginx, test.nginx}, "HAProxy": {haproxy, test.haproxy},
		} {
			reply := strings.TrimPrefix(untilClosed(t, at.address, test.request), "HTTP/1.1 100 Continue\r\n\r\n")
			status, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(reply, "HTTP/1.0 "), "HTTP/1.1 "), " ")
			if at.want != status && (at.want != served || !strings.HasSuffix(reply, served)) {
				t.Errorf("%s at %s: %q, want %s", test.name, name, reply, at.want)
			}
		}
	}
	for name, address := range map[string]string{"authcompat": direct, "nginx": nginx, "HAProxy": haproxy} {
		c := halfClosing{address: address}
		if status, reply := c.send(t, http.MethodPost, login, "", `{"username": "nobody", "password": "wrong"}`); status != http.StatusBadRequest {
			t.Errorf("a client that shuts its sending side, at %s: %d %s", name, status, reply)
		}
	}
	for _, c := range []oldClient{
		speaks(tls.VersionTLS10, tls.TLS_RSA_WITH_AES_128_CBC_SHA), speaks(tls.VersionTLS10, tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA),
		speaks(tls.VersionTLS11, tls.TLS_RSA_WITH_AES_256_CBC_SHA), speaks(tls.VersionTLS12, tls.TLS_RSA_WITH_AES_128_GCM_SHA256),
		speaks(tls.VersionTLS12, tls.TLS_RSA_WITH_AES_128_CBC_SHA, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256), speaks(tls.VersionTLS13),
	} {
		for name, address := range map[string]string{"nginx": nginxTLS, "HAProxy": haproxyTLS} {
			if !c.shakeHands(t, "https://"+address+"/") {
				t.Errorf("%x with %x is refused by %s", c.version, c.suites, name)
			}
		}
	}
}

// TestDocumentedProxiesNameTheClient guesses a password through both, from another address of the machine: whatever
// the client says of itself, its own address is recorded, and an id that it has not chosen.
func TestDocumentedProxiesNameTheClient(t *testing.T) {
	transport := fromAnotherAddress(t)
	db := database(t)
	p := start(t, append(cheap, "--profile", "ocd-users", "--store", db, "--trusted-proxy", "127.0.0.1")...)
	direct := strings.TrimPrefix(p.urls["ocd-users"], "http://")
	folder := t.TempDir()
	for language, command := range map[string]func(file string) *exec.Cmd{
		"nginx": func(file string) *exec.Cmd {
			return exec.Command(daemon("nginx"), "-p", folder, "-e", "stderr", "-c", file, "-g", "daemon off; pid nginx.pid;")
		},
		"haproxy": func(file string) *exec.Cmd { return exec.Command(daemon("haproxy"), "-db", "-f", file) },
	} {
		t.Run(language, func(t *testing.T) {
			plain, _ := documentedProxy(t, language, direct, command)
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+plain+"/api/login/", strings.NewReader(`{"username": "nobody", "password": "wrong"}`))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Content-Type", "application/json")
			guessAs(t, transport, r, http.StatusBadRequest, core.ActionLogin, db)
		})
	}
}
