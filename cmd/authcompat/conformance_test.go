package main

import (
	"bufio"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"
)

// TestResultsAsTheyCome replays two exchanges at a server that keeps the second one waiting until the
// first one's line has been read.
func TestResultsAsTheyCome(t *testing.T) {
	t.Parallel()
	shown := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/second" {
			select {
			case <-shown:
			case <-time.After(30 * time.Second):
				w.WriteHeader(http.StatusInternalServerError)
			}
		}
		w.Header().Set("Content-Type", "text/plain")
		io.WriteString(w, "hello")
	}))
	defer server.Close()
	file := filepath.Join(t.TempDir(), "exchanges.yaml")
	put(t, file, `profile: hello
usernames: {max: 30}
defaults: {response: {headers: {Content-Type: text/plain}}}
exchanges:
  - {name: first, source: nowhere, steps: [{request: {method: GET, path: /first}, response: {status: 200, body: hello}}]}
  - {name: second, source: nowhere, steps: [{request: {method: GET, path: /second}, response: {status: 200, body: hello}}]}
`)
	cmd := programCommand(t, "conformance", "run", "--exchanges", file, "--target", server.URL)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var said lockedBuffer
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() }) // if it is still there
	lines := bufio.NewScanner(out)
	for _, want := range []string{"hello at " + server.URL, "  ok    first", "  ok    second", "hello: 2 passed"} {
		if !lines.Scan() || lines.Text() != want {
			t.Fatalf("%q, want %q\n%s", lines.Text(), want, said.String())
		}
		if want == "  ok    first" {
			close(shown)
		}
	}
	_, _ = io.Copy(io.Discard, out)
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v\n%s", err, said.String())
	}
}
