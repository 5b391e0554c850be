package main

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
)

// sessions are what clients of a server know for certain.
type sessions struct {
	mu         sync.Mutex
	live       map[string]string // token to name
	ended      []string          // tokens whose logout was acknowledged
	registered chan string       // names, as their registration is acknowledged
}

// client registers users until stop is closed, and logs every second one out after the
// next has been registered.
func (l *sessions) client(t *testing.T, p *process, prefix string, stop chan struct{}) {
	api := p.urls["ocd-users"]
	var before string
	for n := 0; ; n++ {
		select {
		case <-stop:
			return
		default:
		}
		name := fmt.Sprintf("%s-%d", prefix, n)
		a, err := p.send("POST", api+"/api/register/", "", fmt.Sprintf(`{"username": %q, "password": "secret", "email": ""}`, name))
		if err != nil || a.status != http.StatusOK {
			t.Errorf("register %s: %v %d %s", name, err, a.status, a.body)
			return
		}
		token := tokenIn(t, a.body)
		l.mu.Lock()
		l.live[token] = name
		l.mu.Unlock()
		l.registered <- name
		if n%2 == 0 {
			before = token
			continue
		}
		l.mu.Lock()
		delete(l.live, before) // in doubt until it is acknowledged
		l.mu.Unlock()
		if a, err := p.send("POST", api+"/api/logout/", before, ""); err != nil || a.status != http.StatusNoContent {
			t.Errorf("logout: %v %d", err, a.status)
			return
		}
		l.mu.Lock()
		l.ended = append(l.ended, before)
		l.mu.Unlock()
	}
}

// await waits until n registrations more are acknowledged.
func (l *sessions) await(t *testing.T, n int) {
	t.Helper()
	timeout := time.After(2 * time.Minute)
	for range n {
		select {
		case <-l.registered:
		case <-timeout:
			t.Fatal("clients don't get on")
		}
	}
}

// snapshot returns copies of what is known now.
func (l *sessions) snapshot() (live map[string]string, ended []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	live = make(map[string]string, len(l.live))
	for token, name := range l.live {
		live[token] = name
	}
	return live, append(ended, l.ended...)
}

// logoutOneOf ends one of the tokens, which clients may have left all alive.
func (l *sessions) logoutOneOf(t *testing.T, p *process, tokens map[string]string) {
	t.Helper()
	for token := range tokens {
		if _, live := l.live[token]; live {
			p.want(t, http.StatusNoContent, "POST", p.urls["ocd-users"]+"/api/logout/", token, "")
			delete(l.live, token)
			l.ended = append(l.ended, token)
			return
		}
	}
	t.Fatal("no token that was alive is left")
}

// answers checks the status with which the server accepts or refuses a token.
func answers(t *testing.T, p *process, token string, want int) {
	t.Helper()
	p.want(t, want, "GET", p.urls["snippit"]+"/api/account/x/", token, "")
}

// TestBackupAndRestore makes a backup of a server's database under load, and restores it
// elsewhere and over the database, while the server runs.
func TestBackupAndRestore(t *testing.T) {
	t.Parallel()
	dsn := database(t)
	dir := t.TempDir()
	file := filepath.Join(dir, "backup.db")
	args := []string{"--profile", "ocd-users@127.0.0.1:0", "--profile", "snippit@127.0.0.1:0", "--password-iterations", "1", "--limits", "off"}
	p := start(t, append(args, "--store", dsn)...)
	l := &sessions{live: make(map[string]string), registered: make(chan string, 1<<16)}
	stop := make(chan struct{})
	var clients sync.WaitGroup
	for client := range 4 {
		clients.Go(func() { l.client(t, p, fmt.Sprint("c", client), stop) })
	}
	l.await(t, 20)
	live, ended := l.snapshot()
	out := command(t, "", "backup", file, "--store", dsn)
	if !strings.Contains(out, "the sealing keys are not in it: keep those of "+strings.TrimPrefix(dsn, "sqlite:")+".key too") {
		t.Errorf("backup: %s", out)
	}
	l.await(t, 20)
	close(stop)
	clients.Wait()
	l.logoutOneOf(t, p, live)
	liveAfter, endedAfter := l.snapshot()

	// In a new place with its tokens: all that was acknowledged before, and no logout is
	// undone that was.
	place := "sqlite:" + filepath.Join(dir, "place.db")
	command(t, "", "restore", file, "--keep-tokens", "--store", place)
	other := start(t, append(args, "--store", place)...)
	// A client may have ended a token after the moment at which it was looked for.
	byThen := make(map[string]bool)
	for _, token := range endedAfter {
		byThen[token] = true
	}
	checked := 0
	for token, name := range live {
		other.want(t, http.StatusBadRequest, "POST", other.urls["ocd-users"]+"/api/register/", "", fmt.Sprintf(`{"username": %q, "password": "other"}`, name))
		if !byThen[token] {
			answers(t, other, token, http.StatusNotFound)
			checked++
		}
	}
	for _, token := range ended {
		answers(t, other, token, http.StatusUnauthorized)
	}
	if checked == 0 || len(ended) == 0 || len(endedAfter) == len(ended) {
		t.Fatalf("%d live tokens, %d and %d logouts: nothing was checked", checked, len(ended), len(endedAfter))
	}

	// In a new place, nothing tells which tokens have ended since.
	elsewhere := "sqlite:" + filepath.Join(dir, "elsewhere.db")
	if out := command(t, "", "restore", file, "--store", elsewhere); !strings.Contains(out, "live tokens were ended, because nothing tells which have ended since: there was no database") {
		t.Errorf("restore elsewhere: %s", out)
	}
	if out := command(t, "", "token", "list", "--live", "--json", "--store", elsewhere); out != "" {
		t.Errorf("live tokens elsewhere: %s", out)
	}

	// The database of the running server tells which tokens have ended: it can't be asked to keep them.
	if said := refused(t, "", "restore", file, "--keep-tokens", "--store", dsn); !strings.Contains(said, "it tells that tokens of the backup are not live any more (") || !strings.Contains(said, "nothing was changed") {
		t.Errorf("keep tokens: %s", said)
	}

	// Over the database of the running server: who logged out since stays so, who
	// registered since is gone, and the others don't notice.
	for token := range liveAfter { // in the server's memory
		answers(t, p, token, http.StatusNotFound)
	}
	if out := command(t, "", "restore", file, "--store", dsn); !strings.Contains(out, "what was there is kept in ") {
		t.Errorf("restore: %s", out)
	}
	for _, token := range endedAfter {
		answers(t, p, token, http.StatusUnauthorized)
	}
	kept := make(map[string]bool)
	for line := range strings.Lines(command(t, "", "token", "list", "--live", "--json", "--store", place)) {
		kept[line[len(`{"id":"`):len(`{"id":"`)+16]] = true
	}
	for token := range liveAfter {
		want := http.StatusUnauthorized // it is younger than the backup
		if kept[core.TokenID(core.Presented(token).SHA256())] {
			want = http.StatusNotFound
		}
		answers(t, p, token, want)
	}
	p.want(t, http.StatusOK, "GET", p.manage+"/readyz", "", "")
	fresh := p.want(t, http.StatusOK, "POST", p.urls["ocd-users"]+"/api/register/", "", `{"username": "fresh", "password": "secret"}`)
	answers(t, p, tokenIn(t, fresh.body), http.StatusNotFound)
}

// TestRestoreMissesKeys checks that a restore names the keys that its tokens need and that
// are not there.
func TestRestoreMissesKeys(t *testing.T) {
	t.Parallel()
	dsn := database(t)
	dir := t.TempDir()
	file, place := filepath.Join(dir, "backup.db"), filepath.Join(dir, "place.db")
	sealSome(t, dsn, 2)
	command(t, "", "backup", file, "--store", dsn)
	restore := func(store string) string {
		t.Helper()
		cmd := programCommand(t, "restore", file, "--keep-tokens", "--store", store)
		var stderr strings.Builder
		cmd.Stderr = &stderr
		if err := cmd.Run(); err != nil {
			t.Fatalf("%v: %s", err, stderr.String())
		}
		return stderr.String()
	}
	if got := restore("sqlite:" + place); !strings.Contains(got, "2 tokens are sealed with the key ") || !strings.Contains(got, "put back the key file from the time of the backup") {
		t.Errorf("without the key: %s", got)
	}
	if got := restore(dsn); got != "" {
		t.Errorf("with the key: %s", got)
	}
}

// TestRestoreNotCommitted has the sync fail that ends a restore. The copy of what was there stays, because SQLite finds
// the restored database in its log if everything is killed before the next write.
func TestRestoreNotCommitted(t *testing.T) {
	t.Parallel()
	dsn := database(t)
	path := strings.TrimPrefix(dsn, "sqlite:")
	file := filepath.Join(t.TempDir(), "backup.db")
	create := func(name string) {
		command(t, "secret\n", "user", "create", name, "--password-stdin", "--password-iterations", "1", "--store", dsn)
	}
	create("before")
	command(t, "", "backup", file, "--store", dsn)
	create("since")
	p := start(t, "--profile", "ocd-users@127.0.0.1:0", "--store", dsn)
	out, err := traced(t, "fsync,fdatasync", path+"-wal", "error=EIO", "restore", file, "--store", dsn)
	if err == nil {
		t.Fatalf("restored: %s", out)
	}
	if err := p.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = p.Wait() // reports the kill
	kept := filesLike(t, path+".before-restore-*")
	if len(kept) != 1 || !strings.Contains(out, fmt.Sprintf("what was there is kept in %q", kept[0])) {
		t.Fatalf("kept %v, and said %s", kept, out)
	}
	if users := command(t, "", "user", "list", "--store", "sqlite:"+kept[0]); !strings.Contains(users, "since") {
		t.Errorf("kept is %s", users)
	}
	if users := command(t, "", "user", "list", "--store", dsn); strings.Contains(users, "since") {
		t.Error("what was not committed is not in place after a crash: the copy is kept for nothing")
	}
}
