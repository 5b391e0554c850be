package main

import (
	"bufio"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// startRecording runs conformance record and returns the URL of its proxy, and a function that ends it
// with SIGINT and returns its exit code and what it has printed.
func startRecording(t *testing.T, arguments ...string) (url string, end func() (code int, stdout, stderr string)) {
	t.Helper()
	recorder := programCommand(t, append([]string{"conformance", "record", "--listen", "127.0.0.1:0"}, arguments...)...)
	var out strings.Builder
	recorder.Stdout = &out
	said, err := recorder.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := recorder.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = recorder.Process.Kill() }) // if it is still there
	lines := bufio.NewReader(said)
	first, err := lines.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	at := regexp.MustCompile(`^recording http://\S+: send clients to (http://127.0.0.1:[0-9]+); Ctrl-C ends it and writes \S+\n$`).FindStringSubmatch(first)
	if at == nil {
		t.Fatal(first)
	}
	return at[1], func() (int, string, string) {
		if err := recorder.Process.Signal(syscall.SIGINT); err != nil {
			t.Fatal(err)
		}
		rest, err := io.ReadAll(lines)
		if err != nil {
			t.Fatal(err)
		}
		_ = recorder.Wait() // the exit code is in its state
		return recorder.ProcessState.ExitCode(), out.String(), string(rest)
	}
}

// TestRecord records a server, and replays the file at another and, with what a person gives, at the
// recorded one.
func TestRecord(t *testing.T) {
	t.Parallel()
	dsn := database(t)
	command(t, "correct horse\n", "user", "create", "ann", "--password-stdin", "--store", dsn)
	server := start(t, "--store", dsn, "--profile", "drf-authtoken", "--listen", "127.0.0.1:0", "--limits", "off")
	file := filepath.Join(t.TempDir(), "my.yaml")
	url, end := startRecording(t, "--profile", "drf-authtoken", "--upstream", server.urls["drf-authtoken"], "-o", file)
	for _, body := range []string{`{"username":"ann","password":"correct horse"}`, `{"username": "ann", "password": "wr0ng battery"}`, `{"username":"ann"}`, `{"username":"ann"}`} {
		if _, err := server.send("POST", url+"/api-token-auth/", "", body); err != nil {
			t.Fatal(err)
		}
	}
	code, out, said := end()
	if want := file + ": 3 exchanges of 4 sequences, from 4 requests; 1 had the same text as others\n"; code != 0 || out != want || said != "" {
		t.Errorf("exit code %d, %q, want %q\n%s", code, out, want, said)
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v, %v", info, err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"horse", "wr0ng", "battery", "ann"} {
		if strings.Contains(string(text), secret) {
			t.Errorf("the file has %s:\n%s", secret, text)
		}
	}
	if got := command(t, "", "conformance", "run", "--exchanges", file); !strings.Contains(got, "\ndrf-authtoken: 3 passed\n") {
		t.Error(got)
	}
	given := filepath.Join(t.TempDir(), "given.yaml")
	put(t, given, "users:\n  user1: {username: ann, password: correct horse}\n")
	if got := command(t, "", "conformance", "run", "--exchanges", file, "--target", server.urls["drf-authtoken"], "--given", given); !strings.Contains(got, "\ndrf-authtoken: 3 passed\n") {
		t.Error(got)
	}
}

// TestRecordNothing ends a recording before anything was recorded.
func TestRecordNothing(t *testing.T) {
	t.Parallel()
	server := start(t, "--store", database(t), "--profile", "drf-authtoken", "--listen", "127.0.0.1:0")
	file := filepath.Join(t.TempDir(), "my.yaml")
	_, end := startRecording(t, "--profile", "drf-authtoken", "--upstream", server.urls["drf-authtoken"], "-o", file)
	code, out, said := end()
	if want := "authcompat: nothing was recorded, and no file is written: send the requests of your clients through the proxy, or give another archive\n"; code != 2 || out != "" || said != want {
		t.Errorf("exit code %d, %q, %q", code, out, said)
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("there is a file")
	}
}

// TestRecordWithoutPermission is of a folder in which nothing can be written.
func TestRecordWithoutPermission(t *testing.T) {
	folder := t.TempDir()
	if os.Getuid() == 0 {
		folder = "/sys" // where root may make no files either
	} else if err := os.Chmod(folder, 0o500); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(folder, "my.yaml")
	got := refused(t, "", "conformance", "record", "har", "--profile", "snippit", "-o", file, "x.har")
	if want := "authcompat: -o " + file + ": no permission to write there: give a file in a folder of yours\n"; got != want {
		t.Error(got)
	}
}
