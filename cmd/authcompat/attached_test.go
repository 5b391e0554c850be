package main

import (
	"database/sql"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/authcompat/authcompat/store/postgres/postgrestest"
)

// djangoDDL are the tables of Django 3.2 and knox 5, with a column of usernames that SQLite
// compares without case.
const djangoDDL = `
	CREATE TABLE auth_user (id ID, password varchar(128) NOT NULL, last_login TIME NULL, is_superuser boolean NOT NULL,
		username varchar(150) BLIND NOT NULL UNIQUE, last_name varchar(150) NOT NULL, email varchar(254) NOT NULL,
		is_staff boolean NOT NULL, is_active boolean NOT NULL, date_joined TIME NOT NULL, first_name varchar(150) NOT NULL);
	CREATE TABLE knox_authtoken (digest varchar(128) NOT NULL PRIMARY KEY, created TIME NOT NULL, expiry TIME NULL,
		token_key varchar(25) NOT NULL, user_id integer NOT NULL REFERENCES auth_user (id))`

// mustMakeKnox makes a Django database with knox.
func mustMakeKnox(t *testing.T, driver, dsn string) {
	t.Helper()
	db, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	words := strings.NewReplacer("ID", "integer PRIMARY KEY AUTOINCREMENT", "TIME", "datetime", "BLIND", "COLLATE NOCASE")
	if driver == "postgres" {
		words = strings.NewReplacer("ID", "serial PRIMARY KEY", "TIME", "timestamp with time zone", "BLIND", "")
	}
	if _, err := db.Exec(words.Replace(djangoDDL)); err != nil {
		t.Fatal(err)
	}
}

// TestSilentDjangoDatabase has the network to Django's database stop forwarding: checks and
// logins answer 503 soon, and right again when the network is back.
func TestSilentDjangoDatabase(t *testing.T) {
	t.Parallel()
	cluster := postgrestest.Start(t, postgrestest.Options{})
	mustMakeKnox(t, "postgres", cluster.DSN())
	proxy, through := postgrestest.NewSharedProxy(t, cluster.DSN())
	p := start(t, append(cheap, "--profile", "ocd-users", "--store", "django+"+through)...)
	url := p.urls["ocd-users"]
	token := tokenIn(t, p.want(t, http.StatusOK, "POST", url+"/api/register/", "", annsAccount).body)
	proxy.Judge(func(string) postgrestest.Action { return postgrestest.Silence })
	const patience = 12 * time.Second // for 2 s on a busy machine
	for range 2 {
		for _, call := range []struct{ what, path, token, body string }{
			{"a check", "/api/logout/", token, ""}, {"a login", "/api/login/", "", annsAccount},
		} {
			began := time.Now()
			p.want(t, http.StatusServiceUnavailable, "POST", url+call.path, call.token, call.body)
			if took := time.Since(began); took > patience {
				t.Errorf("%s answered after %v", call.what, took)
			}
		}
	}
	p.want(t, http.StatusServiceUnavailable, "GET", p.manage+"/readyz", "", "")
	proxy.Judge(nil)
	eventually(t, "readiness", func() bool {
		got, err := p.send("GET", p.manage+"/readyz", "", "")
		return err == nil && got.status == http.StatusOK
	})
	p.want(t, http.StatusOK, "POST", url+"/api/login/", "", annsAccount)
	p.want(t, http.StatusNoContent, "POST", url+"/api/logout/", token, "")
}

// TestSpellingsOfADjangoName guesses at one user by the spellings that Django's case-blind
// column finds it by.
func TestSpellingsOfADjangoName(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "django.sqlite3")
	mustMakeKnox(t, "sqlite", path)
	dsn := "django+sqlite:" + path
	p := start(t, append(cheap, "--profile", "ocd-users", "--store", dsn)...)
	url := p.urls["ocd-users"] + "/api/login/"
	p.want(t, http.StatusOK, "POST", p.urls["ocd-users"]+"/api/register/", "", annsAccount)
	as := func(name, password string) string {
		return fmt.Sprintf(`{"username": %q, "password": %q}`, name, password)
	}
	const right = "correct horse battery"
	p.want(t, http.StatusOK, "POST", url, "", as("ANN", right))
	const hashes = "authcompat_password_hashes_total"
	before := p.metric(t, hashes)
	for _, spelling := range []string{"ann", "Ann", "aNn", "anN", "ANn", "AnN", "aNN", "ANN"} {
		for range 3 {
			p.want(t, http.StatusBadRequest, "POST", url, "", as(spelling, "wrong"))
		}
	}
	if n := p.metric(t, hashes) - before; n != 10 {
		t.Errorf("%v guesses were hashed, want 10", n)
	}
	p.want(t, http.StatusBadRequest, "POST", url, "", as("ann", right))
	command(t, "", "limits", "clear", "--store", dsn, "--user", "aNN")
	p.want(t, http.StatusOK, "POST", url, "", as("Ann", right))
}

// TestCutoverListsTheAccount lists a user by another spelling than the account's: what is
// compared with later is the account's own.
func TestCutoverListsTheAccount(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "django.sqlite3")
	mustMakeKnox(t, "sqlite", path)
	dsn := "django+sqlite:" + path
	command(t, "", "user", "create", "Ann", "--no-password", "--store", dsn)
	mustDeclare(t, dsn, "login")
	command(t, "", "cutover", "set", "login", "--user", "aNN", "--user", "ann", "--store", dsn)
	if got := command(t, "", "cutover", "status", "--json", "--store", dsn); !strings.Contains(got, `"users":["Ann"]`) {
		t.Errorf("status: %s", got)
	}
}

// TestCutoverWithoutATable has a role that may not make the table of the cutover: the commands
// say what to run, and work after that.
func TestCutoverWithoutATable(t *testing.T) {
	t.Parallel()
	cluster := postgrestest.Start(t, postgrestest.Options{})
	mustMakeKnox(t, "postgres", cluster.DSN())
	command(t, "", "user", "create", "ann", "--no-password", "--store", "django+"+cluster.DSN())
	cluster.Exec(t, `DROP TABLE authcompat_cutover`, `CREATE ROLE app LOGIN`,
		`GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO app`, `GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO app`)
	address, err := url.Parse(cluster.DSN())
	if err != nil {
		t.Fatal(err)
	}
	address.User = url.User("app")
	dsn := "django+" + address.String()
	const want = "authcompat: this database has no table authcompat_cutover, and the role may not make it: " +
		"run this command once as the owner of the tables authcompat_… (docs/moving-in.md)\n"
	for _, args := range [][]string{{"status"}, {"rollback"}, {"set", "all=1%"}} {
		if got := refused(t, "", append(append([]string{"cutover"}, args...), "--store", dsn)...); got != want {
			t.Errorf("%s: %s", args[0], got)
		}
	}
	command(t, "", "cutover", "status", "--store", "django+"+cluster.DSN())
	cluster.Exec(t, `GRANT SELECT, INSERT, UPDATE ON authcompat_cutover TO app`)
	mustDeclare(t, dsn, "login")
	if got := command(t, "", "cutover", "set", "all=1%", "--store", dsn); !strings.HasPrefix(got, "login 0% → 1%\n") {
		t.Errorf("set: %s", got)
	}
}
