package transfer_test

import (
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/hashing"
	"github.com/authcompat/authcompat/store/django/tables"
	"github.com/authcompat/authcompat/store/django/transfer"
	"github.com/authcompat/authcompat/store/sqlite/sqlitetest"
)

// Parts of Django-shaped schemas.
const (
	columns   = `password varchar(128) NOT NULL, last_login datetime NULL, username varchar(150) NOT NULL UNIQUE, email varchar(254) NOT NULL, is_active bool NULL, date_joined datetime NOT NULL`
	authtoken = `CREATE TABLE authtoken_token (key varchar(40) NOT NULL PRIMARY KEY, created datetime NOT NULL, user_id integer NOT NULL UNIQUE REFERENCES %s DEFERRABLE INITIALLY DEFERRED)`
	joined    = `'2026-01-02 03:04:05'`
)

// hashed is the password "pw-NAME" in a cheap format.
func hashed(name string) string {
	sum := md5Hex("salt" + "pw-" + name)
	return "md5$salt$" + sum
}

// mustSQL runs statements on a new SQLite file and returns its path.
func mustSQL(t *testing.T, statements ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "old.sqlite3")
	mustExec(t, path, statements...)
	return path
}

func mustExec(t *testing.T, path string, statements ...string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, s := range statements {
		if _, err := db.Exec(s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

// user returns the values of the columns above.
func user(name string) string {
	return fmt.Sprintf(`'%s', NULL, '%s', '%s@example.org', 1, %s`, hashed(name), name, name, joined)
}

// text returns an authtoken token for a user.
func text(name string) string { return (md5Hex(name) + md5Hex(name+name))[:40] }

// try imports into the house, or rehearses that, and returns the report.
func (h house) try(t *testing.T, m tables.Mapping, change func(*transfer.Options), sources ...string) (*transfer.Report, error) {
	t.Helper()
	from, err := tables.Open(t.Context(), m, sources...)
	if err != nil {
		return nil, err
	}
	defer from.Close()
	o := transfer.Options{Policy: policy, Sealer: h.sealer, Random: rand.Reader, Zone: time.UTC, Clock: time.Now}
	if change != nil {
		change(&o)
	}
	return transfer.Import(t.Context(), from, h.store, o)
}

// both rehearses and imports, and checks that the reports are equal.
func (h house) both(t *testing.T, m tables.Mapping, change func(*transfer.Options), sources ...string) (*transfer.Report, error) {
	t.Helper()
	scratch := sqlitetest.MustOpen(t)
	rehearsed, rehearsing := h.try(t, m, func(o *transfer.Options) {
		if change != nil {
			change(o)
		}
		o.Rehearsal = scratch
	}, sources...)
	report, err := h.try(t, m, change, sources...)
	if fmt.Sprint(err) != fmt.Sprint(rehearsing) {
		t.Errorf("the rehearsal says %v, the import %v", rehearsing, err)
	}
	if report != nil && rehearsed != nil {
		copied := *rehearsed
		copied.DryRun, copied.Started, copied.Finished = false, report.Started, report.Finished
		var ending *transfer.EndingError
		if errors.As(err, &ending) {
			copied.Ended = report.Ended
		}
		if diff := cmp.Diff(report, &copied); diff != "" {
			t.Errorf("the rehearsal (+) is not the import (-):\n%s", diff)
		}
	}
	return report, err
}

// wantOwners checks that each token authenticates its user, and that each password logs
// in its user and does not return another user's token; "" is a token that must not
// work.
func (h house) wantOwners(t *testing.T, tokens map[string]string) {
	t.Helper()
	for token, want := range tokens {
		session, err := h.service.Authenticate(t.Context(), policy, core.Presented(token))
		if want == "" {
			if err == nil {
				t.Errorf("token %.6s… speaks for %q, want nobody", token, session.User.Username)
			}
			continue
		}
		if err != nil || session.User.Username != want {
			t.Errorf("token %.6s… speaks for %q, want %q: %v", token, session.User.Username, want, err)
			continue
		}
		session, err = h.service.Login(t.Context(), policy, want, "pw-"+want)
		if err != nil || session.User.Username != want {
			t.Errorf("login of %q: %v as %q", want, err, session.User.Username)
		} else if owner, known := tokens[session.Key]; known && owner != want {
			t.Errorf("login of %q shows the token of %q", want, owner)
		}
	}
}

// dumpOf writes the files of a dump and returns their paths.
func dumpOf(t *testing.T, contents ...string) []string {
	t.Helper()
	folder := t.TempDir()
	var paths []string
	for n, content := range contents {
		path := filepath.Join(folder, fmt.Sprintf("dump%d.json", n))
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	return paths
}

// wantRefusal checks that there is an error before the first row, and that it names the
// remedy.
func wantRefusal(t *testing.T, h house, err error, remedy string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), remedy) || strings.Contains(err.Error(), "\n") {
		t.Errorf("error %v, want one line that names %q", err, remedy)
	}
	users, err := h.store.ExportUsers(t.Context(), 0, 10)
	if err != nil || len(users) > 0 {
		t.Errorf("%d users were written, %v", len(users), err)
	}
}

// objects returns a dump of users and tokens.
func objects(list ...string) string { return "[" + strings.Join(list, ",\n") + "]" }

// dumpUserObject is a user; an empty pk is omitted.
func dumpUserObject(model, pk, name string) string {
	if pk != "" {
		pk = `"pk": ` + pk + `, `
	}
	return fmt.Sprintf(`{"model": "%s", %s"fields": {"password": "%s", "last_login": null, "username": "%s", "email": "%s@example.org", "is_active": true, "date_joined": "2026-01-02T03:04:05Z"}}`,
		model, pk, hashed(name), name, name)
}

// dumpTokenObject is a token that refers to its user by owner.
func dumpTokenObject(name, owner string) string {
	return fmt.Sprintf(`{"model": "authtoken.token", "pk": "%s", "fields": {"user": %s, "created": "2026-01-02T03:04:05Z"}}`, text(name), owner)
}

// named makes an import use the identity of another dump.
func named(path string) func(*transfer.Options) {
	return func(o *transfer.Options) { o.Name = "dumpdata:" + path }
}

func contains(s, part string) bool { return strings.Contains(s, part) }

// policyTime is later than any time in the sources of these tests.
func policyTime() time.Time { return time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC) }

// hasher returns a cheap hasher.
func (house) hasher(t *testing.T) *hashing.DjangoHasher {
	t.Helper()
	p, err := hashing.NewDjangoHasher(quick)
	if err != nil {
		t.Fatal(err)
	}
	p.KeepHashes = true
	return p
}

var utc = time.UTC

// exportTo exports to an open target.
func exportTo(t *testing.T, h house, to *tables.Target) (*transfer.ExportReport, error) {
	t.Helper()
	return transfer.Export(t.Context(), h.store, to, transfer.ExportOptions{Realm: policy.Realm, Sealer: h.sealer, Clock: time.Now})
}
