package operate_test

import (
	"database/sql"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/django/djangotest"
)

// TestSecrets has no page show a token, a digest, a hash, or what stands for a name that nobody has.
func TestSecrets(t *testing.T) {
	o := open(t, sqliteDSN(t), true)
	ann := o.user(t, "ann")
	text, id, err := o.login(t, "ann", "correct horse")
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := o.login(t, "hunter2", "hunter3"); err == nil {
		t.Fatal("nobody has logged in")
	}
	account, err := o.Backend.Account(t.Context(), "ann")
	if err != nil {
		t.Fatal(err)
	}
	digest := core.Presented(text).SHA256()
	secrets := []string{text, strings.ToUpper(text), account.PasswordHash, account.PasswordHash[len(account.PasswordHash)-20:], "hunter2", "hunter3", core.TokenID(digest[8:])}
	secrets = append(secrets, o.Pseudonyms("hunter2")...)
	for _, path := range []string{"users/", userPath(ann), "tokens/", "tokens/?id=" + id[:8], "tokens/" + id + "/revoke", "audit/", "callers/?by=all", "cutover/", "metrics/"} {
		hasNot(t, o.want(t, http.StatusOK, path), secrets...)
	}
	has(t, o.want(t, http.StatusOK, "tokens/"), id)
	has(t, o.want(t, http.StatusOK, "audit/?failed=1"), "nobody’s name", "invalid_credentials")
}

// TestMarkup shows names that look like markup, or turn the direction of text, as text.
func TestMarkup(t *testing.T) {
	onEachStore(t, func(t *testing.T, dsn string) {
		o := open(t, dsn, true)
		const evil = `<script>alert(1)</script>"'><img src=x onerror=alert(2)>`
		u, err := o.CreateUser(t.Context(), core.Policy{}, core.Registration{Username: evil, Email: "<b>\u202e@example.com", Password: "x", Attributes: map[string]string{"<i>k": "<i>v"}})
		if err != nil {
			t.Fatal(err)
		}
		_, id, err := o.login(t, evil, "x")
		if err != nil {
			t.Fatal(err)
		}
		if err := o.DeclareEndpoints(t.Context(), "<u>login"); err != nil {
			t.Fatal(err)
		}
		name := url.QueryEscape(evil)
		for _, path := range []string{
			"users/", "users/?q=" + name, userPath(u), userPath(u) + "disable", "tokens/", "tokens/?user=" + name, "tokens/" + id + "/revoke", "audit/", "audit/?user=" + name,
			"callers/?profile=" + name, "cutover/", "cutover/set?endpoint=%3Cu%3Elogin&user=" + name,
		} {
			body := o.want(t, http.StatusOK, path)
			hasNot(t, body, "<script>alert", "<img", "<b>", "<i>", "<u>", "\u202e")
			has(t, body, "&lt;")
		}
		has(t, o.want(t, http.StatusOK, userPath(u)), "&lt;script&gt;alert(1)&lt;/script&gt;", `\u202e`)
		has(t, o.post(t, http.StatusOK, userPath(u)+"disable", url.Values{"name": {evil}}), "The user is disabled.")
	})
}

// TestDjango shows what there is in a Django database that is worked on, and says what can't be done there.
func TestDjango(t *testing.T) {
	file := filepath.Join(t.TempDir(), "django.sqlite3")
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	words := strings.NewReplacer(" ID", " integer PRIMARY KEY AUTOINCREMENT", "TIME", "datetime")
	for _, ddl := range []string{djangotest.UsersDDL, djangotest.AuthtokenDDL} {
		if _, err := db.Exec(words.Replace(ddl)); err != nil {
			t.Fatal(err)
		}
	}
	const key = "0123456789abcdef0123456789abcdef01234567"
	if _, err := db.Exec(`INSERT INTO auth_user VALUES (1, 'x', '2026-11-22 06:07:08', false, 'ann', '', 'ann@example.com', false, true, '2026-11-01 00:00:00', '');
		INSERT INTO authtoken_token VALUES ('` + key + `', '2026-11-02 01:02:03', 1)`); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	o := open(t, "django+sqlite:"+file, true)
	has(t, o.want(t, http.StatusOK, "users/"), "ann@example.com", "2026-11-22 06:07:08")
	body := o.want(t, http.StatusOK, "users/1/")
	has(t, body, "Django’s own admin", "2026-11-02 01:02:03")
	hasNot(t, body, key, "/disable", "/revoke")
	has(t, o.want(t, http.StatusOK, "tokens/"), "tokens are not listed here")
	has(t, o.want(t, http.StatusConflict, "users/1/disable"), "Django’s own admin")
	has(t, o.post(t, http.StatusConflict, "users/1/disable", url.Values{"name": {"ann"}}), "Django’s own admin")
	o.post(t, http.StatusConflict, "tokens/0123456789abcdef/revoke", nil)
	o.want(t, http.StatusOK, "audit/")
	o.want(t, http.StatusOK, "callers/")
	if err := o.DeclareEndpoints(t.Context(), "login"); err != nil {
		t.Fatal(err)
	}
	has(t, o.post(t, http.StatusOK, "cutover/set", url.Values{"endpoint": {"login"}, "share": {"5%"}, "version": {"1"}}), "The cutover is set.", "5%")
	if entries := o.entries(t, core.Console); len(entries) != 1 || entries[0].Action != core.ActionCutover {
		t.Errorf("the console did %v", entries)
	}
}
