package main

import (
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/authcompat/authcompat/profiles"
	"github.com/authcompat/authcompat/store/postgres/postgrestest"
)

const annsAccount = `{"username": "ann", "password": "correct horse battery", "email": "ann@example.org"}`

// logs waits for texts in the log of a server, which comes through a pipe.
func logs(t *testing.T, p *process, texts ...string) {
	t.Helper()
	for _, text := range texts {
		eventually(t, "a log of "+text, func() bool { return strings.Contains(p.log.String(), text) })
	}
}

// TestReplacedDatabase puts another file in the place of the database of a running server,
// or removes it, or truncates or removes its WAL-index, which the server has mapped: nothing
// is acknowledged any more, and it is not ready. It does not crash, and a restart mends it.
func TestReplacedDatabase(t *testing.T) {
	t.Parallel()
	const replaced, damaged, emptied = "replaced or removed while it was open", "truncated or removed while it was open", "emptied while it was open"
	for name, tt := range map[string]struct {
		replace func(path string) error
		log     string
	}{
		"replaced": {func(path string) error {
			if err := os.WriteFile(path+".new", nil, 0o600); err != nil {
				return err
			}
			return os.Rename(path+".new", path)
		}, replaced},
		"removed":         {os.Remove, replaced},
		"emptied":         {func(path string) error { return os.Truncate(path, 0) }, emptied},
		"index truncated": {func(path string) error { return os.Truncate(path+"-shm", 0) }, damaged},
		"index shortened": {func(path string) error { return os.Truncate(path+"-shm", 8192) }, damaged},
		"index removed":   {func(path string) error { return os.Remove(path + "-shm") }, damaged},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := database(t)
			p := start(t, "--profile", "ocd-users", "--listen", "127.0.0.1:0", "--store", store, "--manage", "127.0.0.1:0")
			url := p.urls["ocd-users"]
			token := tokenIn(t, p.want(t, http.StatusOK, "POST", url+"/api/register/", "", annsAccount).body)
			p.want(t, http.StatusOK, "GET", p.manage+"/readyz", "", "")
			if err := tt.replace(strings.TrimPrefix(store, "sqlite:")); err != nil {
				t.Fatal(err)
			}
			other := strings.ReplaceAll(annsAccount, "ann", "bob")
			p.want(t, http.StatusServiceUnavailable, "POST", url+"/api/register/", "", other)
			p.want(t, http.StatusServiceUnavailable, "GET", p.manage+"/readyz", "", "")
			// A token of the file that is gone is not accepted on, or ended, here.
			p.want(t, http.StatusServiceUnavailable, "POST", url+"/api/logout/", token, "")
			logs(t, p, tt.log)
			p.end(t)
			if tt.log == emptied { // it does not begin anew without a word
				want := "authcompat: database \"" + strings.TrimPrefix(store, "sqlite:") + "\": it is empty, and the write-ahead log beside it (-wal) is not: "
				if got := refused(t, "", "serve", "--profile", "ocd-users", "--store", store); !strings.HasPrefix(got, want) {
					t.Errorf("%q", got)
				}
			}
			if tt.log != damaged {
				return
			}
			again := start(t, "--profile", "ocd-users", "--listen", "127.0.0.1:0", "--store", store, "--manage", "127.0.0.1:0")
			again.want(t, http.StatusNoContent, "POST", again.urls["ocd-users"]+"/api/logout/", token, "")
		})
	}
}

// TestReplacedLog takes the write-ahead log, or its index, away from a running server while
// its tokens are in its cache: it notices, acknowledges nothing more and undoes nothing of
// other processes. What it has acknowledged before is there after it was killed, unless the
// log was taken away with its index; so is what another process writes meanwhile.
func TestReplacedLog(t *testing.T) {
	t.Parallel()
	move := func(suffixes ...string) func(path string) error {
		return func(path string) (err error) {
			for _, suffix := range suffixes {
				err = errors.Join(err, os.Rename(path+suffix, path+suffix+".moved"))
			}
			return err
		}
	}
	replace := func(path string) error {
		content, err := os.ReadFile(path + "-wal")
		return errors.Join(err, os.WriteFile(path+".new", content, 0o600), os.Rename(path+".new", path+"-wal"))
	}
	for name, tt := range map[string]struct {
		replace func(path string) error
		log     string
		kept    bool // what was acknowledged is found without what was taken away
		inUse   bool // nobody else may open it while the server lives
	}{
		"log removed":    {func(path string) error { return os.Remove(path + "-wal") }, "file -wal", true, false},
		"log moved":      {move("-wal"), "file -wal", true, false},
		"log replaced":   {replace, "file -wal", true, false},
		"index moved":    {move("-shm"), "file -shm", true, true},
		"both are moved": {move("-wal", "-shm"), "file -shm", false, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := database(t)
			path := strings.TrimPrefix(store, "sqlite:")
			serve := func() *process {
				return start(t, append(slices.Clone(cheap), "--profile", "snippit", "--store", store, "--manage", "127.0.0.1:0")...)
			}
			command(t, "secret\n", "user", "create", "ann", "--password-stdin", "--password-iterations", "100", "--store", store)
			p := serve()
			url := p.urls["snippit"]
			token := tokenIn(t, p.want(t, http.StatusOK, "POST", url+"/api/auth/login/", "", `{"username": "ann", "password": "secret"}`).body)
			account := func(p *process) int {
				a, err := p.send("GET", p.urls["snippit"]+"/api/account/ann/", token, "")
				if err != nil {
					t.Fatal(err)
				}
				return a.status
			}
			for range 3 { // from the cache, at last
				if status := account(p); status != http.StatusOK {
					t.Fatal(status)
				}
			}
			if err := tt.replace(path); err != nil {
				t.Fatal(err)
			}
			eventually(t, "the token is not accepted from the cache", func() bool { return account(p) == http.StatusServiceUnavailable })
			p.want(t, http.StatusServiceUnavailable, "POST", url+"/api/auth/logout/", token, "")
			p.want(t, http.StatusServiceUnavailable, "GET", p.manage+"/readyz", "", "")
			logs(t, p, tt.log)
			revoke := func() {
				if out := command(t, "", "token", "revoke", "--user", "ann", "--store", store); out != "revoked 1 token\n" {
					t.Errorf("another process: %q", out)
				}
			}
			switch {
			case tt.inUse:
				if said := refused(t, "", "token", "revoke", "--user", "ann", "--store", store); !strings.Contains(said, "it is in use") {
					t.Error(said)
				}
			case tt.kept:
				revoke()
			}
			if err := p.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			_ = p.Wait() // it was killed
			if tt.inUse {
				revoke()
			}
			if tt.kept {
				if status := account(serve()); status != http.StatusUnauthorized {
					t.Errorf("after a restart, the revoked token is answered with %d", status)
				}
				return
			}
			for _, suffix := range []string{"-wal", "-shm"} {
				if err := os.Rename(path+suffix+".moved", path+suffix); err != nil {
					t.Fatal(err)
				}
			}
			if status := account(serve()); status != http.StatusOK {
				t.Errorf("with the files back, the token is answered with %d", status)
			}
		})
	}
}

// TestReplacedDjangoDatabase puts another file in the place of a Django database that a server
// works on.
func TestReplacedDjangoDatabase(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "django.db")
	mustMakeDjango(t, path)
	mustMakeDjango(t, path+".new")
	p := start(t, append(cheap, "--profile", "authtokens", "--listen", "127.0.0.1:0", "--manage", "127.0.0.1:0", "--store", "django+sqlite:"+path)...)
	p.want(t, http.StatusOK, "GET", p.manage+"/readyz", "", "")
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
	p.want(t, http.StatusServiceUnavailable, "GET", p.manage+"/readyz", "", "")
	p.want(t, http.StatusServiceUnavailable, "POST", p.urls["authtokens"]+"/api/login/", "", `{"username": "ann@example.org", "password": "wrong"}`)
	logs(t, p, "replaced or removed while it was open")
}

// TestUnsafeFiles checks that a server warns of a database and keys that others may write.
func TestUnsafeFiles(t *testing.T) {
	t.Parallel()
	store := database(t)
	path := strings.TrimPrefix(store, "sqlite:")
	args := []string{"--profile", "snippit", "--listen", "127.0.0.1:0", "--store", store}
	first := start(t, args...)
	if log := first.log.String(); strings.Contains(log, "may write") {
		t.Errorf("files of its own making: %s", log)
	}
	first.end(t)
	for _, file := range []string{path, path + ".key"} {
		if err := os.Chmod(file, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	unsafe := start(t, args...)
	logs(t, unsafe, `others may read the file of the sealing keys`, `others may replace the file of the database`, `"file":"`+filepath.Dir(path)+`","mode":"0777"`)
	logs(t, unsafe, `others may write the file of the database: chmod go-w","file":"`+path+`"`, `others may write the file of the sealing keys: chmod go-w","file":"`+path+`.key"`)

	// What decides about accounts, and where links to them lead.
	folder := t.TempDir()
	templates := filepath.Join(folder, "mails")
	profile, template := filepath.Join(folder, "api.yaml"), filepath.Join(templates, "password_reset.txt")
	text, ok := profiles.Source("snippit")
	if !ok {
		t.Fatal("no such profile")
	}
	if err := errors.Join(os.WriteFile(profile, text, 0o600), os.Mkdir(templates, 0o700), os.WriteFile(template, []byte("{{.URL}}"), 0o600)); err != nil {
		t.Fatal(err)
	}
	named := append(slices.Clone(cheap), "--profile", profile, "--store", database(t), "--mail-templates", templates)
	owned := start(t, named...)
	if log := owned.log.String(); strings.Contains(log, "others may") {
		t.Errorf("files of one user: %s", log)
	}
	owned.end(t)
	if err := errors.Join(os.Chmod(profile, 0o666), os.Chmod(template, 0o662)); err != nil {
		t.Fatal(err)
	}
	shared := start(t, named...)
	logs(t, shared, `others may write the file of the profile: chmod go-w","file":"`+profile+`"`, `others may write the file of the mail templates: chmod go-w","file":"`+template+`"`)

	django := filepath.Join(t.TempDir(), "django.db")
	mustMakeDjango(t, django)
	if err := os.Chmod(django, 0o666); err != nil {
		t.Fatal(err)
	}
	logs(t, start(t, append(cheap, "--profile", "authtokens", "--store", "django+sqlite:"+django)...), `others may write the file of the database: chmod go-w","file":"`+django+`"`)
}

// TestUnsafePostgres checks that a server warns of a PostgreSQL that may lose what it has
// acknowledged.
func TestUnsafePostgres(t *testing.T) {
	t.Parallel()
	dsn := postgrestest.Start(t, postgrestest.Options{Settings: map[string]string{"synchronous_commit": "off"}}).DSN()
	p := start(t, "--profile", "ocd-users", "--listen", "127.0.0.1:0", "--store", dsn)
	logs(t, p, "synchronous_commit is off", "fsync is off")
}

// TestUntrustedForwarded checks that X-Forwarded-For of an untrusted peer is warned of,
// once, and that of a trusted one is not.
func TestUntrustedForwarded(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]int{"untrusted": 1, "trusted": 0} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			args := []string{"--profile", "ocd-users", "--listen", "127.0.0.1:0", "--store", database(t)}
			if name == "trusted" {
				args = append(args, "--trusted-proxy", "127.0.0.1")
			}
			p := start(t, args...)
			for range 3 {
				p.want(t, http.StatusBadRequest, "POST", p.urls["ocd-users"]+"/api/login/", "", annsAccount, "X-Forwarded-For", "192.0.2.7")
			}
			p.end(t) // its log is whole
			if got := strings.Count(p.log.String(), "X-Forwarded-For is ignored"); got != want {
				t.Errorf("%d warnings, want %d: %s", got, want, p.log.String())
			}
		})
	}
}

// TestDatabasePutBack moves a database away from under a server, has a command make another one
// in its place, and puts it back: nothing of the other one is in it, also after a restart.
func TestDatabasePutBack(t *testing.T) {
	t.Parallel()
	store := database(t)
	path := strings.TrimPrefix(store, "sqlite:")
	create := func(name string) *exec.Cmd {
		cmd := programCommand(t, "user", "create", name, "--password-stdin", "--password-iterations", "100", "--store", store)
		cmd.Stdin = strings.NewReader("secret\n")
		return cmd
	}
	p := start(t, append(slices.Clone(cheap), "--profile", "snippit", "--store", store, "--manage", "127.0.0.1:0")...)
	if out, err := create("ann").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if err := os.Rename(path, path+".moved"); err != nil {
		t.Fatal(err)
	}
	for began := time.Now(); ; time.Sleep(50 * time.Millisecond) { // until the server has noticed
		out, err := create("oops").CombinedOutput()
		if err == nil {
			break
		}
		if time.Since(began) > 20*time.Second {
			t.Fatalf("%v: %s", err, out)
		}
	}
	if err := os.Rename(path+".moved", path); err != nil {
		t.Fatal(err)
	}
	p.end(t)
	for range 2 {
		if users := command(t, "", "user", "list", "--store", store); !strings.Contains(users, "ann") || strings.Contains(users, "oops") {
			t.Errorf("users: %s", users)
		}
	}
}
