package main

import (
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestReady asks servers whether they are ready: one that is, by its address and by its configuration file, one whose
// application can't be reached, one that says nothing, and none.
func TestReady(t *testing.T) {
	t.Parallel()
	good := start(t, append(cheap, "--profile", "ocd-users", "--store", database(t))...)
	at := strings.TrimPrefix(good.manage, "http://")
	lacking := start(t, append(cheap, "--profile", "ocd-users", "--store", database(t), "--front", "http://127.0.0.1:1")...)
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	file := filepath.Join(t.TempDir(), "authcompat.yaml")
	if err := os.WriteFile(file, []byte("manage: "+at+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, port, _ := strings.Cut(at, ":")
	for name, test := range map[string]struct {
		args      []string
		out, said string
		code      int
	}{
		"ready":                   {[]string{"--manage", at}, "ready\n", "", 0},
		"by its file":             {[]string{"--config", file}, "ready\n", "", 0},
		"at all addresses":        {[]string{"--manage", ":" + port}, "ready\n", "", 0},
		"an application is away":  {[]string{"--manage", strings.TrimPrefix(lacking.manage, "http://")}, "", "authcompat: not ready: an application behind an API can't be reached\n", 1},
		"no answer":               {[]string{"--manage", silent.Addr().String(), "--timeout", "50ms"}, "", "authcompat: " + silent.Addr().String() + " did not answer within 50ms\n", 2},
		"nobody":                  {[]string{"--manage", "127.0.0.1:1"}, "", "authcompat: 127.0.0.1:1 does not answer: dial tcp 127.0.0.1:1: connect: connection refused\n", 2},
		"the address of an API":   {[]string{"--manage", strings.TrimPrefix(good.urls["ocd-users"], "http://")}, "", "authcompat: " + strings.TrimPrefix(good.urls["ocd-users"], "http://") + " answers with 404 Not Found: that is no management listener of authcompat\n", 2},
		"no address is given":     {nil, "", "authcompat: which server? Give --manage HOST:PORT, as serve has it, or its --config FILE with manage\n", 2},
		"no time":                 {[]string{"--manage", at, "--timeout", "0"}, "", "authcompat: --timeout 0: a server has to have some time, such as 5s\n", 2},
		"something else is given": {[]string{"--manage", "here"}, "", "authcompat: --manage: \"here\" is no address: want HOST:PORT, for instance 127.0.0.1:8081; did you mean here:8081?\n", 2},
	} {
		out, said, code := runCommand(t, append([]string{"ready"}, test.args...)...)
		if out != test.out || said != test.said || code != test.code {
			t.Errorf("%s: exit code %d\n%s%s", name, code, out, said)
		}
	}
}

// TestVersion compares what tells one build from another: the command, the flag, the first line of a server's log, and
// its metric.
func TestVersion(t *testing.T) {
	t.Parallel()
	var build struct{ Version, Commit, Go string }
	decoder := json.NewDecoder(strings.NewReader(command(t, "", "version", "--json")))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&build); err != nil || build.Version == "" || build.Commit == "" || !strings.HasPrefix(build.Go, "go1.") {
		t.Fatalf("%v: %+v", err, build)
	}
	want := "authcompat " + build.Version + " (commit " + build.Commit + ", " + build.Go + ")\n"
	for _, args := range []string{"version", "--version"} {
		if got := command(t, "", args); got != want {
			t.Errorf("%s: %q, want %q", args, got, want)
		}
	}
	p := start(t, append(cheap, "--profile", "ocd-users", "--store", database(t))...)
	if got := p.metric(t, `authcompat_build_info{commit="`+build.Commit+`",go="`+build.Go+`",version="`+build.Version+`"}`); got != 1 {
		t.Errorf("authcompat_build_info: %v", got)
	}
	logs(t, p, `"msg":"authcompat has started","version":"`+build.Version+`","commit":"`+build.Commit+`","go":"`+build.Go+`"`)
	p.end(t) // its log is whole
	if got := strings.Count(p.log.String(), `"commit":"`); got != 1 {
		t.Errorf("%d lines of the log have the commit: %s", got, p.log.String())
	}
}
