//go:build !no_ui

package main

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// TestExplore starts the command, opens its console with the printed key, logs example users in, and interrupts it: the
// data is gone, and the key was printed on that one line alone.
func TestExplore(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	put(t, filepath.Join(folder, "mine.yaml"), "name: mine\nfamily: drf\nstack: drf-3.14\ntokens: {hex: 40, ttl: never, per_user: many}\nendpoints:\n  login: {path: /in/, fields: {username: {}, password: {}}, reply: {status: 200, body: {token: $token.key}}}\n")
	cmd := programCommand(t, "explore", "--profile", "snippit", "--profile", filepath.Join(folder, "mine.yaml"), "--target", "snippit=http://127.0.0.1:9/api")
	scratch := filepath.Join(folder, "scratch")
	if err := os.Mkdir(scratch, 0o700); err != nil {
		t.Fatal(err)
	}
	cmd.Env = append(cmd.Env, "TMPDIR="+scratch)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() }) // it has ended, if all is well
	lines := bufio.NewReader(out)
	wants := []string{
		`^console: (http://127\.0\.0\.1:\d+/console/\?key=[A-Z2-7]{26})$`,
		`^profile snippit at (http://127\.0\.0\.1:\d+), with the example users john, bahattincinic$`,
		`^profile mine at (http://127\.0\.0\.1:\d+), with the example users alice$`,
		`^target (snippit@127\.0\.0\.1:9) at http://127\.0\.0\.1:9/api: what is sent there is really done there$`,
		`^(Ctrl-C) ends all of it, and their data is gone$`,
	}
	found := make([]string, len(wants))
	for i, want := range wants {
		line, err := lines.ReadString('\n')
		if m := regexp.MustCompile(want).FindStringSubmatch(strings.TrimSuffix(line, "\n")); m != nil {
			found[i] = m[1]
		} else {
			t.Fatalf("line %d is %q (%v), want %s\n%s", i+1, line, err, want, stderr.String())
		}
	}

	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Jar: jar}
	res, err := client.Get(found[0])
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusOK || strings.Contains(res.Request.URL.String(), "key") {
		t.Errorf("the address leads to %s: %s", res.Request.URL, res.Status)
	}
	for address, body := range map[string]string{
		found[1] + "/api/auth/login/": `{"username": "john", "password": "password"}`,
		found[2] + "/in/":             `{"username": "alice", "password": "correct horse battery"}`,
	} {
		res, err := http.Post(address, "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if res.StatusCode != http.StatusOK || !strings.Contains(string(text), `"token"`) {
			t.Errorf("%s: %s\n%s", address, res.Status, text)
		}
	}

	if entries, err := os.ReadDir(scratch); err != nil || len(entries) != 2 {
		t.Errorf("while it runs, %d folders, want one an API (%v)", len(entries), err)
	}
	// A run of the suite, which has servers of its own, ends with it.
	console, _, _ := strings.Cut(found[0], "?")
	if res, err = client.PostForm(console+"suite/run", url.Values{"target": {"snippit"}}); err != nil {
		t.Fatal(err)
	}
	page, _ := io.ReadAll(res.Body)
	_ = res.Body.Close()
	if res.StatusCode != http.StatusOK || !bytes.Contains(page, []byte("Run 1")) {
		t.Errorf("no run: %s\n%s", res.Status, page)
	}
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	rest, _ := io.ReadAll(lines)
	if err := cmd.Wait(); err != nil {
		t.Errorf("it ended with %v", err)
	}
	if len(rest) > 0 || stderr.Len() > 0 {
		t.Errorf("it says more: %s%s", rest, stderr.String())
	}
	if entries, err := os.ReadDir(scratch); err != nil || len(entries) != 0 {
		t.Errorf("afterwards, %v are left (%v)", entries, err)
	}
}
