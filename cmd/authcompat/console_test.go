//go:build !no_ui

package main

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// consoleSession opens a console, and returns a client that is in, and the URL of its root.
func consoleSession(t *testing.T, address string) (*http.Client, string) {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Jar: jar}
	if status, body := consolePage(t, client, address); status != http.StatusOK {
		t.Fatalf("the printed address: status %d\n%s", status, body)
	}
	url, _, _ := strings.Cut(address, "?")
	return client, url
}

func consolePage(t *testing.T, client *http.Client, url string) (int, string) {
	t.Helper()
	res, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(body)
}

// TestConsole opens the operator's console of a server, whose key is printed on one line and is nowhere else; the
// rest of the management listener is as it is without.
func TestConsole(t *testing.T) {
	t.Parallel()
	p := start(t, "--profile", "snippit", "--listen", "127.0.0.1:0", "--store", database(t), "--console", "--log-requests", "all", "--log-format", "json")
	m := regexp.MustCompile(`^` + regexp.QuoteMeta(p.manage) + `/console/\?key=([A-Z2-7]{26})$`).FindStringSubmatch(p.console)
	if m == nil {
		t.Fatalf("the console is at %q, the management listener at %q", p.console, p.manage)
	}
	stranger := new(http.Client)
	if status, _ := consolePage(t, stranger, p.manage+"/console/"); status != http.StatusUnauthorized {
		t.Errorf("without the key: status %d", status)
	}
	if status, _ := consolePage(t, stranger, p.manage+"/console/?key="+m[1][1:]+"A"); status != http.StatusUnauthorized {
		t.Errorf("with another key: status %d", status)
	}
	client, root := consoleSession(t, p.console)
	_, page := consolePage(t, client, root)
	if !strings.Contains(page, "Read only") || strings.Contains(page, "/console/suite/") || !strings.Contains(page, "/console/users/") {
		t.Errorf("the console of an operator who may not write:\n%s", page)
	}
	if strings.Contains(page, m[1]) {
		t.Error("a page has the key")
	}
	for _, path := range []string{"/livez", "/readyz"} {
		if status, body := consolePage(t, stranger, p.manage+path); status != http.StatusOK || body != "ok\n" {
			t.Errorf("%s: status %d, %q", path, status, body)
		}
	}
	if status, body := consolePage(t, stranger, p.manage+"/metrics"); status != http.StatusOK || strings.Contains(body, m[1]) {
		t.Errorf("/metrics: status %d, with the key: %v", status, strings.Contains(body, m[1]))
	}
	if log := p.log.String(); strings.Contains(log, m[1]) || strings.Contains(log, "console") {
		t.Errorf("the log knows of it:\n%s", log)
	}

	q := start(t, "--profile", "snippit", "--listen", "127.0.0.1:0", "--store", database(t), "--console", "--console-write")
	client, root = consoleSession(t, q.console)
	if _, page := consolePage(t, client, root); !strings.Contains(page, "Changes are possible") || !strings.Contains(page, "/console/suite/") {
		t.Errorf("the console of an operator who may write:\n%s", page)
	}
	if status, _ := consolePage(t, client, root+"?key="+m[1]); status != http.StatusUnauthorized {
		t.Errorf("with the key of another server: status %d", status)
	}
}

// TestConsoleIsOff has a server without --console have none, and --console-write no variable.
func TestConsoleIsOff(t *testing.T) {
	t.Parallel()
	p := startWith(t, func(cmd *exec.Cmd) { cmd.Env = append(cmd.Env, "AUTHCOMPAT_CONSOLE_WRITE=on") },
		"--profile", "snippit", "--listen", "127.0.0.1:0", "--store", database(t))
	if status, _ := consolePage(t, new(http.Client), p.manage+"/console/"); status != http.StatusNotFound || p.console != "" {
		t.Errorf("status %d, and %q is printed", status, p.console)
	}
	logs(t, p, "AUTHCOMPAT_CONSOLE_WRITE")
}

// TestConsoleLeftOut has a program that was built without the console say so.
func TestConsoleLeftOut(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	if out, err := exec.Command("go", "build", "-tags", "no_ui", "-o", folder, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"explore", "--profile", "snippit"}, "explore: this program was built without the console (-tags no_ui)"},
		{[]string{"serve", "--profile", "snippit", "--listen", "127.0.0.1:0", "--manage", "127.0.0.1:0", "--console"}, "--console: this program was built without the console (-tags no_ui)"},
	} {
		cmd := exec.Command(folder+"/authcompat", test.args...)
		cmd.Dir, cmd.Env = t.TempDir(), os.Environ()
		out, err := cmd.CombinedOutput()
		if lines := strings.Split(strings.TrimSpace(string(out)), "\n"); err == nil || lines[len(lines)-1] != "authcompat: "+test.want {
			t.Errorf("%v: %v\n%s", test.args, err, out)
		}
	}
	if out, err := exec.Command("go", "list", "-deps", "-tags", "no_ui", ".").Output(); err != nil || strings.Contains(string(out), "/internal/console") {
		t.Errorf("it has the console in it (%v):\n%s", err, out)
	}
}

// TestConsoleSpeaksToItsOwnListener has the operator's console send a request to the API of its own process, whose
// certificate nobody trusts.
func TestConsoleSpeaksToItsOwnListener(t *testing.T) {
	t.Parallel()
	cert, key := filepath.Join(t.TempDir(), "cert.pem"), filepath.Join(t.TempDir(), "key.pem")
	writeNamedCertificate(t, cert, key)
	for name, flags := range map[string][]string{"plain": nil, "TLS": {"--tls-cert", cert, "--tls-key", key}} {
		p := start(t, append([]string{"--profile", "snippit", "--listen", "127.0.0.1:0", "--store", database(t), "--console"}, flags...)...)
		client, root := consoleSession(t, p.console)
		origin, _, _ := strings.Cut(root, "/console/")
		form := url.Values{"do": {"send"}, "target": {"snippit"}, "method": {"GET"}, "path": {"/api/auth/logout/"}}
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, root+"try/", strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		request.Header.Set("Origin", origin)
		res, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if err != nil || res.StatusCode != http.StatusOK || !strings.Contains(string(body), "Answered with status 401.") {
			t.Errorf("%s: status %d, %v\n%s", name, res.StatusCode, err, body)
		}
	}
}
