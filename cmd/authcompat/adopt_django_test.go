package main

import (
	"fmt"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// startOld serves the old server of testdata/front, and returns its address.
func startOld(t *testing.T) (address string) {
	t.Helper()
	return startGunicorn(t, "old:application", "OLD_DATABASE="+filepath.Join(t.TempDir(), "old.db"))
}

// djoser is a server of the profile of djoser.
type djoser struct {
	*process
	url, file, dsn string
}

// startDjoser serves the token endpoints of djoser with a section front: what changes names and passwords
// stays with the old server while its users are adopted.
func startDjoser(t *testing.T, section string, args ...string) *djoser {
	t.Helper()
	d := &djoser{file: filepath.Join(t.TempDir(), "c.yaml"), dsn: database(t)}
	d.put(t, section)
	d.process = start(t, append([]string{"--config", d.file, "--password-iterations", "100", "--store", d.dsn, "--log-requests", "all"}, args...)...)
	d.url = d.urls["djoser"]
	return d
}

func (d *djoser) put(t *testing.T, section string) {
	t.Helper()
	profile, err := filepath.Abs(filepath.Join("testdata", "front", "djoser-tokens.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	put(t, d.file, "listeners: [{profile: "+profile+", address: 127.0.0.1:0, front: "+section+"}]\n")
}

// reload sets another section.
func (d *djoser) reload(t *testing.T, section string) {
	t.Helper()
	const done = "reloaded settings"
	before := strings.Count(d.log.String(), done)
	d.put(t, section)
	if err := d.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	eventually(t, done, func() bool { return strings.Count(d.log.String(), done) > before })
}

// login logs in, and returns the status and the token.
func (d *djoser) login(t *testing.T, name, password string) (status int, token string) {
	t.Helper()
	a, err := d.send(http.MethodPost, d.url+"/auth/token/login/", "", fmt.Sprintf(`{"username": %q, "password": %q}`, name, password))
	if err != nil {
		t.Fatal(err)
	}
	switch m := regexp.MustCompile(`^{"auth_token":"([0-9a-f]{40})"}$`).FindStringSubmatch(a.body); {
	case a.status == http.StatusOK && m != nil:
		return a.status, m[1]
	case a.status == http.StatusBadRequest && a.body == `{"non_field_errors":["Unable to log in with provided credentials."]}`:
	case a.status == http.StatusServiceUnavailable && a.header.Get("Retry-After") != "":
	default:
		t.Errorf("%s: %d %s", name, a.status, a.body)
	}
	return a.status, ""
}

// TestAdoptFromDjango moves the users of genuine Django, with djoser, whose database is never
// read: those who log in are kept with the passwords that they type.
func TestAdoptFromDjango(t *testing.T) {
	t.Parallel()
	old := "http://" + startOld(t)
	const paths = "paths: [{path: /private/, token: needed}]"
	section := func(login, until string) string {
		return "{old: " + old + ", identity: {}, adopt: {login: " + login + "/auth/token/login/, probe: " + login + "/auth/users/me/, until: " + until + "}, " + paths + "}"
	}
	d := startDjoser(t, section(old, "2099-01-01"))
	private := func(token string) string {
		a, err := d.send(http.MethodGet, d.url+"/private/", token, "")
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf("%d %s", a.status, a.body)
	}
	wantLogin := func(name, password string, want int) (token string) {
		t.Helper()
		status, token := d.login(t, name, password)
		if status != want {
			t.Fatalf("%s: %d, want %d\n%s", name, status, want, d.log.String())
		}
		return token
	}
	djangos := wantLogin("ann", "django's ann", http.StatusOK)
	d.want(t, http.StatusOK, http.MethodGet, old+"/auth/users/me/", djangos, "") // it is Django's own
	if got := private(djangos); !strings.Contains(got, ";name=ann;") {
		t.Errorf("with Django's token: %s", got)
	}
	ours := wantLogin("ann", "django's ann", http.StatusOK)
	d.want(t, http.StatusUnauthorized, http.MethodGet, old+"/auth/users/me/", ours, "")
	if got := private(ours); !strings.Contains(got, ";name=ann;") {
		t.Errorf("with our token: %s", got)
	}
	straight := djosersToken(t, d.want(t, http.StatusOK, http.MethodPost, old+"/auth/token/login/", "", `{"username": "jürgen", "password": "django's jürgen"}`).body)
	if got := private(straight); got != "200 identity: none" {
		t.Errorf("with a token that Django issued before: %s", got)
	}
	wantLogin("jürgen", "django's jürgen", http.StatusOK)
	for name, password := range map[string]string{"ann": "wrong", "bob": "wrong", "nobody": "x", "gone": "django's gone"} {
		wantLogin(name, password, http.StatusBadRequest)
	}

	d.want(t, http.StatusNoContent, http.MethodPost, d.url+"/auth/users/set_password/", djangos, `{"current_password": "django's ann", "new_password": "another one of ann"}`)
	changed := wantLogin("ann", "another one of ann", http.StatusOK)
	if changed != djangos {
		t.Error("the login with another password was not Django's")
	}
	wantLogin("ann", "django's ann", http.StatusBadRequest)

	for _, token := range []string{djangos, ours} {
		d.want(t, http.StatusNoContent, http.MethodPost, d.url+"/auth/token/logout/", token, "")
		if got := private(token); !strings.HasPrefix(got, "401 ") {
			t.Errorf("after the logout: %s", got)
		}
	}
	d.want(t, http.StatusUnauthorized, http.MethodGet, old+"/auth/users/me/", djangos, "")

	bobs := wantLogin("bob", "django's bob", http.StatusOK)
	if got := private(bobs); !strings.Contains(got, ";name=bob;") {
		t.Errorf("bob: %s", got)
	}
	d.reload(t, section(old, "2099-01-02"))
	if got := private(bobs); !strings.Contains(got, ";name=bob;") {
		t.Errorf("bob, after a reload: %s", got)
	}
	command(t, "", "user", "disable", "bob", "--store", d.dsn)
	if got := private(bobs); !strings.HasPrefix(got, "401 ") {
		t.Errorf("disabled: %s", got)
	}
	wantLogin("bob", "django's bob", http.StatusBadRequest)

	if n := d.metric(t, `authcompat_adopted_users_total{profile="djoser",result="created"}`); n != 3 {
		t.Errorf("%v users were created", n)
	}
	if n := d.metric(t, `authcompat_adopted_users_total{profile="djoser",result="replaced"}`); n != 1 {
		t.Errorf("%v passwords were replaced", n)
	}
	audit := command(t, "", "audit", "--action", "adopt", "--store", d.dsn)
	if strings.Count(audit, "\n") != 5 || strings.Count(audit, " 127.0.0.1 ") != 4 || strings.Count(audit, " djoser ") != 4 {
		t.Errorf("audit: %s", audit)
	}

	nobody := "http://" + freeAddress(t)
	d.reload(t, section(nobody, "2099-01-01"))
	wantLogin("ann", "another one of ann", http.StatusOK)
	wantLogin("ann", "wrong", http.StatusServiceUnavailable)
	wantLogin("new", "x", http.StatusServiceUnavailable)
	if got := private("0123"); !strings.HasPrefix(got, "503 ") {
		t.Errorf("while Django is away: %s", got)
	}
	for _, after := range []string{section(nobody, "2020-01-01"), "{old: " + old + ", " + paths + "}"} {
		d.reload(t, after)
		wantLogin("ann", "another one of ann", http.StatusOK)
		wantLogin("new", "x", http.StatusBadRequest)
		if got := private("0123"); !strings.HasPrefix(got, "401 ") {
			t.Errorf("afterwards: %s", got)
		}
	}
	if log := d.log.String(); !strings.Contains(log, `"outcome":"adopted"`) || strings.Contains(log, "django's") || strings.Contains(log, djangos) {
		t.Errorf("logged: %s", log)
	}
}

func djosersToken(t *testing.T, body string) string {
	t.Helper()
	m := regexp.MustCompile(`"auth_token":"([0-9a-f]+)"`).FindStringSubmatch(body)
	if m == nil {
		t.Fatalf("no token in %q", body)
	}
	return m[1]
}
