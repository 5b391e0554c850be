package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/authcompat/authcompat/core/testenv"
	"github.com/google/go-cmp/cmp"
)

// traced runs a command of the program with a fault injected into its system calls, as strace says it, those about one path
// or, with an empty one, all. It returns what the command printed, and how it ended.
func traced(t *testing.T, call, path, fault string, args ...string) (out string, err error) {
	t.Helper()
	if _, err := exec.LookPath("strace"); err != nil {
		testenv.Missing(t, "takes Debian's strace: %v", err)
	}
	options := []string{"-f", "-o", "/dev/null", "-e", "trace=" + call, "-e", "inject=" + call + ":" + fault}
	if path != "" {
		options = append(options, "-P", path)
	}
	cmd := exec.Command("strace", append(append(options, os.Args[0]), args...)...)
	cmd.Env = append(os.Environ(), asProgram+"=1")
	printed, err := cmd.CombinedOutput()
	if strings.Contains(string(printed), "Operation not permitted") {
		testenv.Missing(t, "may not trace processes: %s", printed)
	}
	return string(printed), err
}

// killedAt runs a command of the program that is killed instead of making a system call
// for the first time.
func killedAt(t *testing.T, call string, args ...string) {
	t.Helper()
	if out, err := traced(t, call, "", "error=EIO:signal=KILL", args...); err == nil {
		t.Fatalf("%v was not killed: %s", args, out)
	}
}

// TestKilledRotation kills rotations and a first start while they write the new key file.
// What they leave has keys in it: the next command that changes the file and the next start
// of a server remove it.
func TestKilledRotation(t *testing.T) {
	const first, rotate = "serve", "secret"
	for _, tt := range []struct{ killed, call, next string }{
		{rotate, "rename,renameat,renameat2", rotate},
		{rotate, "rename,renameat,renameat2", "serve"},
		{first, "link,linkat", "serve"},
	} {
		t.Run(tt.killed+" then "+tt.next, func(t *testing.T) {
			dsn := database(t)
			var tokens []string
			if tt.killed == rotate {
				tokens = sealSome(t, dsn, 1)
				killedAt(t, tt.call, "secret", "rotate", "--store", dsn)
			} else {
				killedAt(t, tt.call, append([]string{"serve"}, showsTokens(dsn)...)...)
			}
			path := keyFileOf(t, dsn)
			folder, name := filepath.Split(path)
			if left := filesLike(t, folder+"."+name+"*"); len(left) != 1 {
				t.Errorf("the killed command has left %v", left)
			}
			if tt.next == rotate {
				command(t, "", "secret", "rotate", "--store", dsn)
			}
			p := start(t, showsTokens(dsn)...)
			p.wantShown(t, tokens)
			if diff := cmp.Diff([]string{path}, filesLike(t, folder+"*"+name+"*")); diff != "" {
				t.Errorf("key files (-want +got):\n%s", diff)
			}
		})
	}
}

// TestUnfinishedIdentityKey starts a server where one was killed that had made the key which signs identities, and had still
// to remove the other name of its file.
func TestUnfinishedIdentityKey(t *testing.T) {
	t.Parallel()
	dsn := database(t)
	args := []string{"--profile", "ocd-users", "--listen", "127.0.0.1:0", "--ask", "127.0.0.1:0", "--ask-identity", "on", "--store", dsn}
	start(t, args...).end(t)
	path := strings.TrimPrefix(dsn, "sqlite:") + ".identity-key"
	folder, name := filepath.Split(path)
	if err := os.Link(path, folder+"."+name+".authcompat-unfinished"); err != nil {
		t.Fatal(err)
	}
	start(t, args...)
	if diff := cmp.Diff([]string{path}, filesLike(t, folder+"*"+name+"*")); diff != "" {
		t.Errorf("files with identity keys (-want +got):\n%s", diff)
	}
}

// filesLike returns the files that match a pattern.
func filesLike(t *testing.T, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	return files
}
