package main

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/authcompat/authcompat/core/testenv"
	"github.com/authcompat/authcompat/store"
	"github.com/authcompat/authcompat/store/postgres/postgrestest"
)

// showsTokens are the flags of a server whose logins show a token again.
func showsTokens(dsn string) []string {
	return append(cheap, "--profile", "authtokens", "--store", dsn, "--limits", "off")
}

// keyFileOf returns the path of the key file beside a database.
func keyFileOf(t testing.TB, dsn string) string {
	t.Helper()
	path, ok := store.SQLitePath(dsn)
	if !ok {
		t.Fatal(dsn)
	}
	return path + ".key"
}

func member(i int) string { return fmt.Sprintf(`{"username": "user-%d", "password": "secret"}`, i) }

// sealSome registers users at a server that it starts and stops, and returns their
// tokens.
func sealSome(t testing.TB, dsn string, users int) []string {
	t.Helper()
	p := start(t, showsTokens(dsn)...)
	var tokens []string
	for i := range users {
		tokens = append(tokens, tokenIn(t, p.want(t, 201, "POST", p.urls["authtokens"]+"/api/register/", "", member(i)).body))
	}
	p.end(t)
	return tokens
}

func (p *process) end(t testing.TB) {
	t.Helper()
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := p.Wait(); err != nil {
		t.Errorf("server: %v\n%s", err, p.log.String())
	}
}

// wantShown logs all users in: each must be shown the earlier token.
func (p *process) wantShown(t testing.TB, tokens []string) {
	t.Helper()
	for i, want := range tokens {
		if got := tokenIn(t, p.want(t, 200, "POST", p.urls["authtokens"]+"/api/login/", "", member(i)).body); got != want {
			t.Errorf("user %d: another token", i)
		}
	}
}

// atOnce runs commands in parallel, all of which must succeed.
func atOnce(t testing.TB, commands ...[]string) {
	t.Helper()
	var all sync.WaitGroup
	for _, args := range commands {
		all.Go(func() {
			if out, err := programCommand(t, args...).CombinedOutput(); err != nil {
				t.Errorf("%v: %v %s", args, err, out)
			}
		})
	}
	all.Wait()
}

// TestRotationsAtOnce checks that no key is lost when several processes change the file.
func TestRotationsAtOnce(t *testing.T) {
	t.Parallel()
	dsn := database(t)
	tokens := sealSome(t, dsn, 5)
	rotate := []string{"secret", "rotate", "--store", dsn}
	atOnce(t, rotate, rotate, rotate, rotate, rotate, rotate)
	if n := strings.Count(slurp(t, keyFileOf(t, dsn)), "\n"); n != 7 {
		t.Errorf("%d keys after 6 rotations, want 7", n)
	}
	prune := []string{"secret", "prune", "--force", "--store", dsn}
	atOnce(t, rotate, prune, rotate, prune, rotate, prune)
	if got := command(t, "", "secret", "show", "--store", dsn); strings.Contains(got, "missing") {
		t.Errorf("a key is lost:\n%s", got)
	}
	start(t, showsTokens(dsn)...).wantShown(t, tokens)
}

// TestFirstKeyOfServersAtOnce checks that servers that start together share one key.
func TestFirstKeyOfServersAtOnce(t *testing.T) {
	t.Parallel()
	dsn := database(t)
	command(t, "", "user", "create", "alice", "--no-password", "--store", dsn)
	nodes := make([]*process, 3)
	var all sync.WaitGroup
	for i := range nodes {
		all.Go(func() {
			var err error
			if nodes[i], err = launch(t, showsTokens(dsn)...); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if t.Failed() {
		t.FailNow()
	}
	var tokens []string
	for i, p := range nodes {
		tokens = append(tokens, tokenIn(t, p.want(t, 201, "POST", p.urls["authtokens"]+"/api/register/", "", member(i)).body))
	}
	for _, p := range nodes {
		p.wantShown(t, tokens)
		p.end(t)
	}
}

// TestRotationKeepsTheFile checks that the new file is readable by the same users.
func TestRotationKeepsTheFile(t *testing.T) {
	dsn := database(t)
	tokens := sealSome(t, dsn, 1)
	path, real := keyFileOf(t, dsn), filepath.Join(t.TempDir(), "real.key")
	if err := os.Rename(path, real); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(real, path); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(real, 0o440); err != nil {
		t.Fatal(err)
	}
	const owner, group = 12345, 23456
	root := os.Geteuid() == 0
	if root {
		if err := os.Chown(real, owner, group); err != nil {
			t.Fatal(err)
		}
	}
	command(t, "", "secret", "rotate", "--store", dsn)
	if link, err := os.Readlink(path); err != nil || link != real {
		t.Errorf("the link is %q, %v", link, err)
	}
	info, err := os.Stat(real)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode() != 0o440 {
		t.Errorf("mode %v", info.Mode())
	}
	if uid, gid := ownerOf(info); root && (uid != owner || gid != group) {
		t.Errorf("owner %d, group %d", uid, gid)
	}
	if n := strings.Count(slurp(t, real), "\n"); n != 2 {
		t.Errorf("%d keys", n)
	}
	start(t, showsTokens(dsn)...).wantShown(t, tokens)
}

// TestRotationByAnother checks that a rotation is refused if it would lock the owner out
// of the new file.
func TestRotationByAnother(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		testenv.Missing(t, "takes root, to be another user")
	}
	folder, err := os.MkdirTemp("", "authcompat-test-") // other users can't enter t.TempDir
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	dsn := "sqlite:" + filepath.Join(folder, "auth.db")
	sealSome(t, dsn, 1)
	text, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(folder, "program")
	if err := os.WriteFile(program, text, 0o755); err != nil {
		t.Fatal(err)
	}
	everyone := func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Chmod(path, 0o777)
	}
	if err := filepath.WalkDir(folder, everyone); err != nil {
		t.Fatal(err)
	}
	show := func() string { return command(t, "", "secret", "show", "--store", dsn) }
	before := show()
	if err := filepath.WalkDir(folder, everyone); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "secret", "rotate", "--store", dsn)
	cmd.Env = append(os.Environ(), asProgram+"=1")
	runAs(cmd, 12345)
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "nothing is changed: a new "+folder+"/auth.db.key would not belong to whom the old one does") {
		t.Errorf("%v %s", err, out)
	}
	if diff := cmp.Diff(before, show()); diff != "" {
		t.Errorf("keys (-before +after):\n%s", diff)
	}
	if left, err := filepath.Glob(filepath.Join(folder, "*auth.db.key.*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}

// TestMissingKeyFile removes the key file of a database with sealed tokens: no new key is
// made, and everything that needs no key keeps working.
func TestMissingKeyFile(t *testing.T) {
	dsn := database(t)
	tokens := sealSome(t, dsn, 1)
	path := keyFileOf(t, dsn)
	away := path + ".away"
	move := func(from, to string) {
		t.Helper()
		if err := os.Rename(from, to); err != nil {
			t.Fatal(err)
		}
	}
	gone := func(after string) {
		t.Helper()
		if _, err := os.Stat(path); !os.IsNotExist(err) {
			t.Fatalf("after %s there is a key file: %v", after, err)
		}
	}
	move(path, away)
	if got := command(t, "", "secret", "show", "--store", dsn); !strings.Contains(got, "1       missing") {
		t.Errorf("keys:\n%s", got)
	}
	gone("secret show")
	const lost = ": no such file or directory; the database holds tokens that are sealed with its keys: bring it back\n"
	if got := refused(t, "", "secret", "rotate", "--store", dsn); !strings.HasSuffix(got, "missing: open "+path+lost) {
		t.Errorf("rotate: %s", got)
	}
	gone("secret rotate")

	p := start(t, showsTokens(dsn)...)
	api := p.urls["authtokens"]
	eventually(t, "a log of the start", func() bool { return strings.Contains(p.log.String(), "\n") })
	if log := p.log.String(); strings.Count(log, "the sealing keys are missing") != 1 || !strings.Contains(log, path) {
		t.Errorf("log of the start: %s", log)
	}
	p.want(t, 503, "POST", api+"/api/login/", "", member(0))
	eventually(t, "log of the login", func() bool {
		return strings.Contains(p.log.String(), "read keys again: the file of the sealing keys is missing: open "+path)
	})
	p.want(t, 200, "POST", api+"/api/logout/", tokens[0], "")
	p.sighup(t, "reloaded")
	gone("a start and SIGHUP")

	move(away, path)
	p.sighup(t, "reloaded")
	tokens[0] = tokenIn(t, p.want(t, 200, "POST", api+"/api/login/", "", member(0)).body)
	move(path, away)
	p.sighup(t, "goes on with those it has in memory")
	p.sighup(t, "reloaded")
	eventually(t, "a log of the start", func() bool { return strings.Contains(p.log.String(), "\n") })
	if log := p.log.String(); strings.Count(log, "goes on with those it has in memory") != 1 {
		t.Errorf("the warning is repeated: %s", log)
	}
	p.wantShown(t, tokens)
	gone("SIGHUP")
	move(away, path)
	p.sighup(t, "the sealing keys are there again")
	p.wantShown(t, tokens)
}

// TestForeignKeyFile replaces the key file of a running server by another one: the server
// keeps its keys in memory, since they may exist nowhere else.
func TestForeignKeyFile(t *testing.T) {
	dsn := database(t)
	tokens := sealSome(t, dsn, 1)
	path := keyFileOf(t, dsn)
	p := start(t, showsTokens(dsn)...)
	own, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	const key = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
	put(t, path, key)
	p.sighup(t, "tokens are sealed with it")
	p.wantShown(t, tokens)
	put(t, path, key+"\n"+string(own)) // a rotation by hand
	p.sighup(t, "reloaded")
	p.wantShown(t, tokens)
}

// TestKeysBehindALink checks that the keys of a database are found through any link to
// it.
func TestKeysBehindALink(t *testing.T) {
	dsn := database(t)
	tokens := sealSome(t, dsn, 1)
	path, _ := store.SQLitePath(dsn)
	link := filepath.Join(t.TempDir(), "link.db")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	start(t, showsTokens("sqlite:"+link)...).wantShown(t, tokens)
	if _, err := os.Stat(link + ".key"); !os.IsNotExist(err) {
		t.Errorf("a second key is made: %v", err)
	}
}

// TestKeyFileLinkedNowhere refuses a dangling link, since a new key can't be written through it.
func TestKeyFileLinkedNowhere(t *testing.T) {
	dsn := database(t)
	path := keyFileOf(t, dsn)
	if err := os.Symlink(path+".away", path); err != nil {
		t.Fatal(err)
	}
	out, err := programCommand(t, append([]string{"serve"}, showsTokens(dsn)...)...).CombinedOutput()
	if want := path + " is a link to a file that is not there"; err == nil || !strings.Contains(string(out), want) {
		t.Errorf("%v: %s", err, out)
	}
}

// TestRotationBeforeTheFirstKey checks that the error says what creates the first key.
func TestRotationBeforeTheFirstKey(t *testing.T) {
	dsn := database(t)
	command(t, "", "user", "create", "alice", "--no-password", "--store", dsn)
	for _, command := range []string{"rotate", "reseal", "prune"} {
		args := []string{"secret", command, "--store", dsn}
		if command == "prune" {
			args = append(args, "--force")
		}
		got := refused(t, "", args...)
		if want := "missing: open " + keyFileOf(t, dsn) + ": no such file or directory (serve makes it)\n"; !strings.HasSuffix(got, want) {
			t.Errorf("%s: %s", command, got)
		}
	}
	if _, err := os.Stat(keyFileOf(t, dsn)); !os.IsNotExist(err) {
		t.Errorf("a key is made: %v", err)
	}
}

// TestNoKeyOnPostgres checks for a warning if a profile needs a key and there is none.
func TestNoKeyOnPostgres(t *testing.T) {
	p := start(t, append(cheap, "--store", postgrestest.Start(t, postgrestest.Options{}).DSN(), "--profile", "authtokens")...)
	const warning = "there is no sealing key"
	// Not just the first line: others may be warned of before.
	eventually(t, "a warning", func() bool { return strings.Contains(p.log.String(), warning) })
	p.want(t, 503, "POST", p.urls["authtokens"]+"/api/register/", "", credentials)
	if log := p.log.String(); strings.Count(log, warning) != 1 || !strings.Contains(log, `"profile":"authtokens"`) {
		t.Errorf("log of the start: %s", log)
	}
}
