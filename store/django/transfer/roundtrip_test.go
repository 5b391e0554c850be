package transfer_test

import (
	"crypto/rand"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/hashing"
	"github.com/authcompat/authcompat/core/sealing"
	"github.com/authcompat/authcompat/store/django/djangotest"
	"github.com/authcompat/authcompat/store/django/tables"
	"github.com/authcompat/authcompat/store/django/transfer"
	"github.com/authcompat/authcompat/store/sqlite"
	"github.com/authcompat/authcompat/store/sqlite/sqlitetest"
)

// quick is the cost of new passwords in these tests, and in the Django project that
// they import from and export to.
const quick = 1000

// policy is that of an API that returns a user's only token again, as Django REST
// framework's own login does.
var policy = core.Policy{Issuer: "old-api", Realm: core.DefaultRealm, TokenHex: 40, Reuse: true}

// house is a store with an engine on it.
type house struct {
	store   *sqlite.Store
	service *core.Service
	sealer  sealing.Sealer
}

func mustHouse(t *testing.T) house {
	t.Helper()
	sealer, err := sealing.NewSealer(make([]byte, sealing.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	hasher, err := hashing.NewDjangoHasher(quick)
	if err != nil {
		t.Fatal(err)
	}
	s := sqlitetest.MustOpen(t)
	return house{store: s, sealer: sealer, service: core.New(core.Config{Backend: core.Backend{Store: s}, Hasher: hasher, Sealer: sealer})}
}

// take imports a source.
func (h house) take(t *testing.T, source string) *transfer.Report {
	t.Helper()
	from, err := tables.Open(t.Context(), tables.Mapping{}, source)
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	report, err := transfer.Import(t.Context(), from, h.store, transfer.Options{
		Policy: policy, Sealer: h.sealer, Random: rand.Reader, Zone: time.UTC, Clock: time.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// give exports to a target.
func (h house) give(t *testing.T, target string) *transfer.ExportReport {
	t.Helper()
	return h.giveWith(t, target, func(*transfer.ExportOptions) {})
}

// giveWith exports to a target with other options.
func (h house) giveWith(t *testing.T, target string, change func(*transfer.ExportOptions)) *transfer.ExportReport {
	t.Helper()
	to, err := tables.OpenTarget(t.Context(), target, tables.Mapping{}, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	o := transfer.ExportOptions{Realm: policy.Realm, Sealer: h.sealer, Clock: time.Now}
	change(&o)
	report, err := transfer.Export(t.Context(), h.store, to, o)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// wantTokens checks which user each token authenticates at Django; "" is none.
func wantTokens(t *testing.T, d *djangotest.Django, want map[string]string) {
	t.Helper()
	var tokens []string
	for token := range want {
		tokens = append(tokens, token)
	}
	wrong := 0
	for i, name := range d.Users(tokens) {
		if name != want[tokens[i]] {
			if wrong++; wrong < 5 {
				t.Errorf("a token of %q speaks for %q", want[tokens[i]], name)
			}
		}
	}
	if wrong > 0 {
		t.Errorf("%d of %d tokens are not as they have to be", wrong, len(tokens))
	}
}

// wantPasswords checks that all users can log in at Django.
func wantPasswords(t *testing.T, d *djangotest.Django, pairs [][2]string) {
	t.Helper()
	if wrong := d.WrongPasswords(pairs); len(wrong) > 0 {
		t.Errorf("%d of %d users can't log in at Django: %.5q", len(wrong), len(pairs), wrong)
	}
}

// TestRoundTrip imports a thousand users of genuine Django, uses them here, and exports
// them.
func TestRoundTrip(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "db.sqlite3")
		thereAndBack(t, djangotest.Start(t, path), path)
	})
	t.Run("postgres", func(t *testing.T) {
		old, dsn := djangoOnPostgres(t)
		thereAndBack(t, old, dsn)
	})
}

func thereAndBack(t *testing.T, old *djangotest.Django, database string) {
	const users, some = 1000, 100
	made := old.Make(users)
	h := mustHouse(t)
	report := h.take(t, database)
	if report.Users.Added != users || report.Tokens["authtoken_token"].Added != users || len(report.Problems) > 0 {
		t.Fatalf("import: %+v", report)
	}

	pairs, tokens := [][2]string{}, map[string]string{}
	for _, u := range made {
		session, err := h.service.Authenticate(t.Context(), policy, core.Presented(u.Token))
		if err != nil || session.User.Username != u.Username {
			t.Fatalf("old token of %s: %v", u.Username, err)
		}
		if session, err = h.service.Login(t.Context(), policy, u.Username, u.Password); err != nil || session.Key != u.Token {
			t.Fatalf("login of %s: %v; the old token is shown again: %t", u.Username, err, session.Key == u.Token)
		}
		pairs, tokens[u.Token] = append(pairs, [2]string{u.Username, u.Password}), u.Username
	}
	for n := range some {
		name, password := fmt.Sprint("new-", n), fmt.Sprint("a new password ", n)
		session, err := h.service.Register(t.Context(), policy, core.Registration{Username: name, Email: name + "@example.org", Password: password})
		if err != nil {
			t.Fatal(err)
		}
		pairs, tokens[session.Key] = append(pairs, [2]string{name, password}), name
	}
	for n, u := range made[:some] {
		session, err := h.service.Authenticate(t.Context(), policy, core.Presented(u.Token))
		if err == nil {
			err = h.service.Logout(t.Context(), session)
		}
		if err != nil {
			t.Fatal(err)
		}
		tokens[u.Token] = ""
		if n%2 == 0 {
			if session, err = h.service.Login(t.Context(), policy, u.Username, u.Password); err != nil {
				t.Fatal(err)
			}
			tokens[session.Key] = u.Username
		}
	}

	back := h.give(t, database)
	if back.Users.Added != some || back.Users.Refused+back.Tokens.Refused > 0 || back.Dropped != some {
		t.Errorf("export: %+v", back)
	}
	wantPasswords(t, old, pairs)
	wantTokens(t, old, tokens)
	var rights []any
	old.Ask(&rights, "rights", made[50].Username)
	if got := fmt.Sprint(rights); got != "[true true FF]" {
		t.Errorf("is_staff, is_active, first_name of user 50: %s", got)
	}

	again := h.give(t, database)
	if again.Users.Added+again.Users.Updated+again.Tokens.Added+again.Tokens.Updated+again.Dropped > 0 {
		t.Errorf("a second export changed something: %+v", again)
	}
	// And once more: what Django did in the meantime is imported.
	old.Ask(nil, "logout", made[500].Token)
	var id int64
	old.Ask(&id, "register", "later", "later's password")
	report = h.take(t, database)
	if report.Users.Added != 1 || report.Users.Refused > 0 || report.Ended != 1 {
		t.Errorf("second import: %+v", report)
	}
	if _, err := h.service.Authenticate(t.Context(), policy, core.Presented(made[500].Token)); core.KindOf(err) != core.KindTokenUnknown {
		t.Errorf("a token that was logged out at Django: %v", err)
	}
	if _, err := h.service.Login(t.Context(), policy, "later", "later's password"); err != nil {
		t.Errorf("login of a user who registered at Django: %v", err)
	}
}

// TestDumpRoundTrip does the same through dumpdata and loaddata.
func TestDumpRoundTrip(t *testing.T) {
	for _, options := range [][]any{nil, {"--natural-foreign"}, {"--natural-foreign", "--natural-primary"}} {
		t.Run(fmt.Sprint(options), func(t *testing.T) {
			folder := t.TempDir()
			old := djangotest.Start(t, filepath.Join(folder, "old.sqlite3"))
			made := old.Make(50)
			dump := filepath.Join(folder, "dump.json")
			old.Ask(nil, "dump", append([]any{dump}, options...)...)
			h := mustHouse(t)
			if report := h.take(t, dump); report.Users.Added != 50 || report.Tokens["authtoken_token"].Added != 50 {
				t.Fatalf("import: %+v", report)
			}
			if report := h.take(t, dump); report.Users.Unchanged != 50 || report.Tokens["authtoken_token"].Unchanged != 50 {
				t.Fatalf("second import: %+v", report)
			}
			back := filepath.Join(folder, "back.json")
			giveDump(t, h, back)
			other := djangotest.Start(t, filepath.Join(folder, "new.sqlite3"))
			other.Ask(nil, "load", back)
			pairs, tokens := [][2]string{}, map[string]string{}
			for _, u := range made {
				pairs, tokens[u.Token] = append(pairs, [2]string{u.Username, u.Password}), u.Username
			}
			wantPasswords(t, other, pairs)
			wantTokens(t, other, tokens)
		})
	}
}
