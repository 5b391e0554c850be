package transfer_test

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/django/live"
	"github.com/authcompat/authcompat/store/django/tables"
	"github.com/authcompat/authcompat/store/django/transfer"
)

// TestOwnTokenTable imports a project's own token table, with several tokens per user.
func TestOwnTokenTable(t *testing.T) {
	path := mustSQL(t, `CREATE TABLE auth_user (id integer PRIMARY KEY, `+columns+`)`,
		`CREATE TABLE api_multitoken (id integer PRIMARY KEY AUTOINCREMENT, key varchar(64) NOT NULL UNIQUE, created datetime NOT NULL, user_id integer NOT NULL REFERENCES auth_user (id), agent text NOT NULL)`,
		`INSERT INTO auth_user VALUES (1, `+user("ann")+`), (2, `+user("bob")+`)`,
		fmt.Sprintf(`INSERT INTO api_multitoken (key, created, user_id, agent) VALUES ('%s', %s, 2, ''), ('%s', %s, 1, ''), ('%s', %s, 1, '')`,
			text("b1"), joined, text("a1"), joined, text("a2"), joined))
	h := mustHouse(t)
	m := tables.Mapping{TokenTables: tables.Names{"api_multitoken"}}
	report, err := h.both(t, m, nil, path)
	if err != nil || report.Tokens["api_multitoken"].Added != 3 {
		t.Fatalf("%+v, %v", report, err)
	}
	h.wantOwners(t, map[string]string{text("a1"): "ann", text("a2"): "ann", text("b1"): "bob"})
	// Attach to it, and export to it.
	s, err := live.Open(t.Context(), path, m)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	many := core.Policy{Issuer: "api", Realm: core.DefaultRealm, TokenHex: 40}
	engine := core.New(core.Config{Backend: core.Backend{Store: s, Plaintext: s}, Hasher: h.hasher(t)})
	for range 2 {
		session, err := engine.Login(t.Context(), many, "ann", "pw-ann")
		if err != nil {
			t.Fatal(err)
		}
		if session, err = engine.Authenticate(t.Context(), many, core.Presented(session.Key)); err != nil || session.User.Username != "ann" {
			t.Fatalf("%+v, %v", session, err)
		}
		if err := engine.Logout(t.Context(), session); err != nil {
			t.Fatal(err)
		}
	}
	session, err := h.service.Register(t.Context(), policy, core.Registration{Username: "cid", Password: "pw-cid"})
	if err != nil {
		t.Fatal(err)
	}
	to, err := tables.OpenTarget(t.Context(), path, m, utc)
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	if back, err := exportTo(t, h, to); err != nil || back.Tokens.Added != 1 || back.Tokens.Refused > 0 {
		t.Fatalf("export: %+v, %v", back, err)
	}
	if session, err := engine.Authenticate(t.Context(), many, core.Presented(session.Key)); err != nil || session.User.Username != "cid" {
		t.Errorf("%+v, %v", session, err)
	}
}

// TestLoginByEmail attaches to users who log in by e-mail although they have a
// username.
func TestLoginByEmail(t *testing.T) {
	path := mustSQL(t, `CREATE TABLE accounts_user (user_id integer PRIMARY KEY AUTOINCREMENT, password varchar(128) NOT NULL, last_login datetime NULL, username varchar(150) NOT NULL,
		email varchar(254) NOT NULL, is_active bool NOT NULL, date_joined datetime NOT NULL)`,
		fmt.Sprintf(authtoken, "accounts_user (user_id)"),
		`INSERT INTO accounts_user VALUES (4, `+user("ann")+`), (2, `+user("bob")+`)`,
		fmt.Sprintf(`INSERT INTO authtoken_token VALUES ('%s', %s, 4), ('%s', %s, 2)`, text("ann"), joined, text("bob"), joined))
	mustExec(t, path, `CREATE UNIQUE INDEX accounts_user_email ON accounts_user (email)`)
	for name, m := range map[string]tables.Mapping{"found": {}, "said": {Username: "email"}} {
		s, err := live.Open(t.Context(), path, m)
		if err != nil {
			t.Fatal(err)
		}
		if said := strings.Join(s.Caveats(), "\n"); !strings.Contains(said, "users log in by the column email of accounts_user") {
			t.Errorf("%s: it says %s", name, said)
		}
		engine := core.New(core.Config{Backend: core.Backend{Store: s, Plaintext: s}, Hasher: mustHouse(t).hasher(t)})
		session, err := engine.Login(t.Context(), policy, "ann@example.org", "pw-ann")
		if err != nil || session.Key != text("ann") || session.User.ID != 4 {
			t.Errorf("%s: %+v, %v", name, session.User, err)
		}
		if session, err := engine.Authenticate(t.Context(), policy, core.Presented(text("bob"))); err != nil || session.User.ID != 2 {
			t.Errorf("%s: %+v, %v", name, session.User, err)
		}
		if _, err := engine.Register(t.Context(), policy, core.Registration{Username: fmt.Sprint(name, "@example.org"), Password: "pw"}); err != nil {
			t.Errorf("%s: register: %v", name, err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestInheritedUsers attaches and exports to users whose rows are split over two
// tables.
func TestInheritedUsers(t *testing.T) {
	path := mustSQL(t, `CREATE TABLE people_person (id integer PRIMARY KEY AUTOINCREMENT, `+columns+`)`,
		`CREATE TABLE people_member (person_ptr_id integer PRIMARY KEY REFERENCES people_person (id), nick varchar(20) NOT NULL)`,
		fmt.Sprintf(authtoken, "people_member (person_ptr_id)"),
		`INSERT INTO people_person VALUES (1, `+user("ann")+`), (2, `+user("bob")+`), (3, `+user("nomember")+`)`,
		`INSERT INTO people_member VALUES (2, 'b'), (1, 'a')`,
		fmt.Sprintf(`INSERT INTO authtoken_token VALUES ('%s', %s, 1), ('%s', %s, 2)`, text("ann"), joined, text("bob"), joined))
	h := mustHouse(t)
	report, err := h.both(t, tables.Mapping{}, nil, path)
	if err != nil || report.Users.Added != 2 {
		t.Fatalf("%+v, %v", report, err)
	}
	s, err := live.Open(t.Context(), path, tables.Mapping{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	engine := core.New(core.Config{Backend: core.Backend{Store: s, Plaintext: s}, Hasher: h.hasher(t)})
	for name, want := range map[string]core.Kind{"ann": core.KindOf(nil), "nomember": core.KindInvalidCredentials} {
		if _, err := engine.Login(t.Context(), policy, name, "pw-"+name); core.KindOf(err) != want {
			t.Errorf("login of %s: %v", name, err)
		}
	}
	session, err := engine.Register(t.Context(), policy, core.Registration{Username: "cid", Password: "pw-cid"})
	if err != nil {
		t.Fatal(err)
	}
	if session, err = engine.Login(t.Context(), policy, "cid", "pw-cid"); err != nil || session.User.Username != "cid" {
		t.Fatalf("%+v, %v", session, err)
	}
	if _, err := h.service.Register(t.Context(), policy, core.Registration{Username: "dan", Password: "pw-dan"}); err != nil {
		t.Fatal(err)
	}
	// User 3 of the engine and user 3 of the target are different people.
	back := h.give(t, path)
	if back.Users.Added != 1 || back.Tokens.Added != 1 || back.Users.Refused+back.Tokens.Refused > 0 {
		t.Errorf("export: %+v", back)
	}
	people := map[string]string{"1": "ann", "2": "bob", "3": "nomember", "4": "cid", "5": "dan"}
	if diff := cmp.Diff(people, queried(t, path, `SELECT id, username FROM people_person`)); diff != "" {
		t.Errorf("users (-want +got):\n%s", diff)
	}
}

// TestTokensWithParts has rows that refer to tokens: they are deleted with them if
// Django does so, or else the export is refused with the table's name.
func TestTokensWithParts(t *testing.T) {
	part := `CREATE TABLE api_devicetoken (token_ptr_id varchar(40) PRIMARY KEY REFERENCES authtoken_token (key) DEFERRABLE INITIALLY DEFERRED, device text)`
	other := `CREATE TABLE api_call (id integer PRIMARY KEY, token_id varchar(40) REFERENCES authtoken_token (key) DEFERRABLE INITIALLY DEFERRED)`
	for name, ddl := range map[string]string{"api_devicetoken": part, "api_call": other} {
		path := manyUsers(t, 2)
		mustExec(t, path, ddl)
		if _, err := live.Open(t.Context(), path, tables.Mapping{}); err == nil || !contains(err.Error(), name) {
			t.Errorf("attach: %v, want one that names %s", err, name)
		}
		h := mustHouse(t)
		if _, err := h.both(t, tables.Mapping{}, nil, path); err != nil {
			t.Fatal(err)
		}
		to, err := tables.OpenTarget(t.Context(), path, tables.Mapping{}, utc)
		if name == "api_call" {
			if err == nil || !contains(err.Error(), name) {
				t.Errorf("export: %v, want one that names %s", err, name)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		mustExec(t, path, `INSERT INTO api_devicetoken SELECT key, 'phone' FROM authtoken_token`)
		session, err := h.service.Authenticate(t.Context(), policy, core.Presented(text("u0")))
		if err == nil {
			err = h.service.Logout(t.Context(), session)
		}
		if err != nil {
			t.Fatal(err)
		}
		if back, err := exportTo(t, h, to); err != nil || back.Dropped != 1 {
			t.Errorf("export: %+v, %v", back, err)
		}
		wantCount(t, path, 1, `SELECT count(*) FROM api_devicetoken`)
		if err := to.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestTablesInACircle has tables that are parts of each other, as no model is: users of
// whom no password is found, and tokens that can be imported only.
func TestTablesInACircle(t *testing.T) {
	const partOf = `CREATE TABLE %s (id integer PRIMARY KEY REFERENCES %s (id) DEFERRABLE INITIALLY DEFERRED)`
	h := mustHouse(t)
	_, err := h.both(t, tables.Mapping{}, nil, mustSQL(t, fmt.Sprintf(partOf, "a_user", "b_user"), fmt.Sprintf(partOf, "b_user", "a_user"),
		fmt.Sprintf(authtoken, "a_user (id)")))
	wantRefusal(t, h, err, tables.ErrNoUsers.Error())

	path := mustSQL(t, `CREATE TABLE auth_user (id integer PRIMARY KEY AUTOINCREMENT, `+columns+`)`,
		`CREATE TABLE authtoken_token (key varchar(40) PRIMARY KEY REFERENCES api_part (key) DEFERRABLE INITIALLY DEFERRED, created datetime NOT NULL, user_id integer NOT NULL UNIQUE)`,
		`CREATE TABLE api_part (key varchar(40) PRIMARY KEY REFERENCES authtoken_token (key) DEFERRABLE INITIALLY DEFERRED)`,
		`INSERT INTO auth_user VALUES (1, `+user("ann")+`)`, fmt.Sprintf(`INSERT INTO authtoken_token VALUES ('%s', %s, 1)`, text("ann"), joined))
	if _, err := h.both(t, tables.Mapping{}, nil, path); err != nil {
		t.Fatal(err)
	}
	h.wantOwners(t, map[string]string{text("ann"): "ann"})
	if _, err := live.Open(t.Context(), path, tables.Mapping{}); err == nil || !contains(err.Error(), "in a circle") {
		t.Errorf("attach: %v", err)
	}
	if _, err := tables.OpenTarget(t.Context(), path, tables.Mapping{}, utc); err == nil || !contains(err.Error(), "in a circle") {
		t.Errorf("export: %v", err)
	}
}

// TestWayBackVariants exports into tables whose constraints refuse some of the rows, or
// all new ones: the others are exported, and so are the tokens of existing users.
func TestWayBackVariants(t *testing.T) {
	for name, test := range map[string]struct {
		sql            []string
		m              tables.Mapping
		added, refused int // of three users who registered here, each with a token
	}{
		"addresses that differ, or are NULL": {[]string{`UPDATE auth_user SET email = 'u' || id`, `CREATE UNIQUE INDEX addresses ON auth_user (nullif(email, ''))`}, tables.Mapping{}, 3, 0},
		"addresses that differ":              {[]string{`UPDATE auth_user SET email = 'u' || id`, `CREATE UNIQUE INDEX addresses ON auth_user (email)`}, tables.Mapping{Username: "username"}, 1, 2},
		"a check that one fails":             {[]string{`CREATE TRIGGER no_new1 BEFORE INSERT ON auth_user WHEN NEW.username = 'new1' BEGIN SELECT raise(ABORT, 'not new1'); END`}, tables.Mapping{}, 2, 1},
		"a check that all fail":              {[]string{`CREATE TRIGGER none BEFORE INSERT ON auth_user BEGIN SELECT raise(ABORT, 'none'); END`}, tables.Mapping{}, 0, 3},
		"a generated column":                 {[]string{`ALTER TABLE auth_user ADD shown text GENERATED ALWAYS AS (upper(username)) VIRTUAL`}, tables.Mapping{}, 3, 0},
		"a UUID, not NULL":                   {[]string{`ALTER TABLE auth_user ADD public_id char(32) NOT NULL DEFAULT ''`}, tables.Mapping{Defaults: map[string]string{"public_id": "$uuid"}}, 3, 0},
		"a foreign key that is not NULL": {[]string{`CREATE TABLE teams (id integer PRIMARY KEY)`, `INSERT INTO teams VALUES (7)`,
			`ALTER TABLE auth_user ADD team_id integer NOT NULL DEFAULT 7 REFERENCES teams DEFERRABLE INITIALLY DEFERRED`}, tables.Mapping{}, 3, 0},
		"a foreign key to nothing": {[]string{`CREATE TABLE teams (id integer PRIMARY KEY)`, `ALTER TABLE auth_user ADD team_id integer NULL REFERENCES teams DEFERRABLE INITIALLY DEFERRED`},
			tables.Mapping{Defaults: map[string]string{"team_id": "9"}}, 0, 3},
		"a token that the table refuses": {[]string{`CREATE TRIGGER shut BEFORE INSERT ON authtoken_token WHEN NEW.user_id % 2 = 0 BEGIN SELECT raise(ABORT, 'shut'); END`}, tables.Mapping{}, 3, 0},
	} {
		t.Run(name, func(t *testing.T) {
			path, h := manyUsers(t, 2), mustHouse(t)
			if _, err := h.both(t, tables.Mapping{}, nil, path); err != nil {
				t.Fatal(err)
			}
			for n := range 3 {
				h.mustRegister(t, policy, fmt.Sprint("new", n))
			}
			mustExec(t, path, test.sql...)
			to, err := tables.OpenTarget(t.Context(), path, test.m, utc)
			if err != nil {
				t.Fatal(err)
			}
			defer to.Close()
			back, err := exportTo(t, h, to)
			if err != nil || back.Users.Added != test.added || back.Users.Refused != test.refused || back.Tokens.Unchanged != 2 || back.Tokens.Added+back.Tokens.Refused != 3 {
				t.Errorf("%+v, %v", back, err)
			}
			wantCount(t, path, back.Tokens.Added, `SELECT count(*) FROM authtoken_token k JOIN auth_user u ON u.id = k.user_id WHERE u.username LIKE 'new%'`)
			wantCount(t, path, 0, `SELECT count(*) FROM authtoken_token WHERE user_id NOT IN (SELECT id FROM auth_user)`)
			if again, err := exportTo(t, h, to); err != nil || again.Users.Added+again.Tokens.Added+again.Dropped > 0 || again.Users.Refused != test.refused {
				t.Errorf("again: %+v, %v", again, err)
			}
		})
	}
}

func wantCount(t *testing.T, path string, want int, query string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var n int
	if err := db.QueryRow(query).Scan(&n); err != nil || n != want {
		t.Errorf("%s: %d, %v, want %d", query, n, err, want)
	}
}

// TestWALFile reads a file in WAL mode and leaves nothing beside it, even in a
// read-only directory.
func TestWALFile(t *testing.T) {
	path := manyUsers(t, 2)
	mustExec(t, path, `PRAGMA journal_mode = WAL`)
	if err := os.Chmod(filepath.Dir(path), 0o500); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(filepath.Dir(path), 0o700) })
	if report, err := mustHouse(t).both(t, tables.Mapping{}, nil, path); err != nil || report.Users.Added != 2 {
		t.Errorf("%+v, %v", report, err)
	}
	left, err := filepath.Glob(path + "-*")
	if err != nil || len(left) > 0 {
		t.Errorf("left beside the source: %v, %v", left, err)
	}
}

// TestWrappedHashes verifies passwords wrapped by Django's documented recipe, and names
// an unknown hasher.
func TestWrappedHashes(t *testing.T) {
	path := manyUsers(t, 3)
	mustExec(t, path, `UPDATE auth_user SET password = 'site_hasher$1$salt$abcd' WHERE id = 2`)
	h := mustHouse(t)
	report, err := h.both(t, tables.Mapping{}, nil, path)
	if err != nil || len(report.Problems) != 1 || !contains(report.Problems[0].Reason, "site_hasher") || contains(report.Problems[0].Reason, "abcd") {
		t.Errorf("%+v, %v", report, err)
	}
}

// TestLongNames imports e-mail addresses as usernames, up to the maximum length.
func TestLongNames(t *testing.T) {
	long := fmt.Sprintf("%0242d@example.org", 7)
	path := mustSQL(t, `CREATE TABLE auth_user (id integer PRIMARY KEY, `+columns+`)`, fmt.Sprintf(authtoken, "auth_user (id)"),
		`INSERT INTO auth_user VALUES (1, `+user("ann")+`)`, `UPDATE auth_user SET username = '`+long+`'`)
	if report, err := mustHouse(t).both(t, tables.Mapping{}, nil, path); err != nil || report.Users.Added != 1 {
		t.Errorf("%+v, %v", report, err)
	}
}

// TestTokensThatAnUpdateKilled has tokens of knox 4.1 that were in the table when the
// update to 4.2 dropped their salts: they are counted as dead.
func TestTokensThatAnUpdateKilled(t *testing.T) {
	path := mustSQL(t, `CREATE TABLE auth_user (id integer PRIMARY KEY, `+columns+`)`, `INSERT INTO auth_user VALUES (1, `+user("ann")+`)`,
		`CREATE TABLE knox_authtoken (digest varchar(128) PRIMARY KEY, created datetime NOT NULL, user_id integer NOT NULL REFERENCES auth_user (id), expiry datetime NULL, token_key varchar(8) NOT NULL)`,
		`CREATE TABLE django_migrations (id integer PRIMARY KEY, app varchar(255), name varchar(255), applied datetime)`,
		`INSERT INTO django_migrations VALUES (1, 'knox', '0008_remove_authtoken_salt', '2026-06-01 00:00:00')`,
		`INSERT INTO knox_authtoken VALUES ('`+sha512hex("a")+`', '2026-05-31 23:59:59', 1, NULL, '12345678'), ('`+sha512hex("b")+`', '2026-06-01 00:00:01', 1, NULL, '12345678')`)
	from, err := tables.Open(t.Context(), tables.Mapping{}, path)
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	found, err := transfer.Inspect(t.Context(), from, utc, policyTime())
	if err != nil || found.Tokens[0].Live != 1 || found.Tokens[0].Lost != 1 {
		t.Errorf("%+v, %v", found, err)
	}
	h := mustHouse(t)
	if report, err := h.both(t, tables.Mapping{}, nil, path); err != nil || report.Tokens["knox_authtoken"].Added != 1 || report.Tokens["knox_authtoken"].Refused != 1 {
		t.Errorf("%+v, %v", report, err)
	}
}

// TestColumnThatMustDiffer refuses to register into a table with a column that needs a
// distinct value in each row, and works if a mapping provides one.
func TestColumnThatMustDiffer(t *testing.T) {
	path := mustSQL(t, `CREATE TABLE auth_user (id integer PRIMARY KEY, code varchar(40) NOT NULL UNIQUE, `+columns+`)`, fmt.Sprintf(authtoken, "auth_user (id)"))
	if _, err := live.Open(t.Context(), path, tables.Mapping{}); err == nil || !contains(err.Error(), "defaults: {code: $uuid}") {
		t.Fatalf("attach: %v", err)
	}
	s, err := live.Open(t.Context(), path, tables.Mapping{Defaults: map[string]string{"code": "$uuid"}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	engine := core.New(core.Config{Backend: core.Backend{Store: s, Plaintext: s}, Hasher: mustHouse(t).hasher(t)})
	for _, name := range []string{"ann", "bob"} {
		if _, err := engine.Register(t.Context(), policy, core.Registration{Username: name, Password: "pw-" + name}); err != nil {
			t.Errorf("register %s: %v", name, err)
		}
	}
}
