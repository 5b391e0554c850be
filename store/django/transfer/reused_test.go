package transfer_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/django/tables"
	"github.com/authcompat/authcompat/store/django/transfer"
)

// later is when the users joined who got the key of a deleted user.
const later = `'2026-05-06 07:08:09'`

// TestKeysUsedAgain has a source delete a user and reuse the key for another one: they
// are two people, in an import and in an export.
func TestKeysUsedAgain(t *testing.T) {
	for name, test := range map[string]struct {
		columns, key string
		dated        bool   // whether the source has the time of joining
		placeholder  string // the time of joining of all users; empty if they have their own
	}{
		"numbers":          {columns, "integer PRIMARY KEY", true, ""},
		"UUIDs":            {columns, "char(32) NOT NULL PRIMARY KEY", true, ""},
		"no time of joins": {strings.Replace(columns, ", date_joined datetime NOT NULL", "", 1), "integer PRIMARY KEY", false, ""},
		"the year 1":       {columns, "integer PRIMARY KEY", true, "'0001-01-01 00:00:00'"},
		"the year 1970":    {columns, "integer PRIMARY KEY", true, "'1970-01-01 00:00:00'"},
		"the year 9999":    {columns, "integer PRIMARY KEY", true, "'9999-12-31 23:59:59'"},
	} {
		t.Run(name, func(t *testing.T) {
			id := func(n int) string {
				if test.key[0] == 'i' {
					return fmt.Sprint(n)
				}
				return fmt.Sprintf("'%032d'", n)
			}
			row := func(name, at string) string {
				if test.placeholder != "" {
					at = test.placeholder
				}
				values := strings.TrimSuffix(user(name), joined) + at
				if !test.dated {
					values = strings.TrimSuffix(user(name), ", "+joined)
				}
				return values
			}
			tokens := fmt.Sprintf(authtoken, "auth_user (id)")
			if test.key[0] != 'i' {
				tokens = strings.Replace(tokens, "user_id integer", "user_id char(32)", 1)
			}
			path := mustSQL(t, `CREATE TABLE auth_user (id `+test.key+`, `+test.columns+`)`, tokens,
				`INSERT INTO auth_user VALUES (`+id(3)+`, `+row("ann", joined)+`), (`+id(4)+`, `+row("bob", joined)+`)`,
				`INSERT INTO authtoken_token VALUES ('`+text("ann")+`', `+joined+`, `+id(3)+`)`)
			h := mustHouse(t)
			if _, err := h.both(t, tables.Mapping{}, nil, path); err != nil {
				t.Fatal(err)
			}
			bob, err := h.service.Login(t.Context(), policy, "bob", "pw-bob") // issued here
			if err != nil {
				t.Fatal(err)
			}
			mustExec(t, path, `DELETE FROM auth_user WHERE id = `+id(4),
				`INSERT INTO auth_user VALUES (`+id(4)+`, `+row("eve", later)+`)`,
				`INSERT INTO authtoken_token VALUES ('`+text("eve")+`', `+later+`, `+id(4)+`)`)

			back := h.give(t, path) // before the change is known here
			if back.Tokens.Added > 0 || back.Users.Added+back.Users.Updated > 0 {
				t.Errorf("export before the import: %+v", back)
			}
			for round, want := range []transfer.Counts{{Read: 2, Added: 1, Unchanged: 1}, {Read: 2, Unchanged: 2}} {
				report, err := h.both(t, tables.Mapping{}, nil, path)
				if err != nil || report.Users != want || report.Tokens["authtoken_token"] != want {
					t.Fatalf("run %d: %+v, %v", round, report, err)
				}
				h.wantOwners(t, map[string]string{text("ann"): "ann", text("eve"): "eve", bob.Key: "bob"})
			}
			// Passwords rehashed here are exported, and nothing else.
			back = h.give(t, path)
			if back.Tokens.Added > 0 || back.Users.Added > 0 || back.Users.Updated != 2 {
				t.Errorf("export: %+v", back)
			}
			if again, err := h.both(t, tables.Mapping{}, nil, path); err != nil || again.Users.Unchanged != 2 || again.Tokens["authtoken_token"].Unchanged != 2 {
				t.Errorf("import of what was handed back: %+v, %v", again, err)
			}
			// A user with a new name and a new password is still the same user.
			if test.dated && test.placeholder == "" {
				mustExec(t, path, `UPDATE auth_user SET username = 'eva', password = '`+hashed("eva")+`' WHERE username = 'eve'`)
				if report, err := h.both(t, tables.Mapping{}, nil, path); err != nil || report.Users.Updated != 1 {
					t.Fatalf("a new name: %+v, %v", report, err)
				}
				h.wantOwners(t, map[string]string{text("eve"): "eva", bob.Key: "bob"})
			}
		})
	}
}

// TestNamesUsedAgain has users change names when only names identify them: nobody gets
// another user's password or token.
func TestNamesUsedAgain(t *testing.T) {
	at := func(object, at string) string {
		return strings.Replace(object, strings.Trim(joined, "'")[:10], strings.Trim(at, "'")[:10], 1)
	}
	ann, bob := dumpUserObject("auth.user", "", "ann"), at(dumpUserObject("auth.user", "", "bob"), later)
	if ann == bob || !strings.Contains(bob, later[1:11]) {
		t.Fatalf("no other time in %s", bob)
	}
	first := dumpOf(t, objects(ann, bob, dumpTokenObject("ann", `["ann"]`), dumpTokenObject("bob", `["bob"]`)))
	h := mustHouse(t)
	if _, err := h.both(t, tables.Mapping{}, nil, first...); err != nil {
		t.Fatal(err)
	}
	h.wantOwners(t, map[string]string{text("ann"): "ann", text("bob"): "bob"})
	swapped := strings.NewReplacer(`"username": "ann"`, `"username": "bob"`, `"username": "bob"`, `"username": "ann"`)
	second := dumpOf(t, objects(swapped.Replace(ann), swapped.Replace(bob), dumpTokenObject("ann", `["bob"]`), dumpTokenObject("bob", `["ann"]`)))
	for round := range 2 {
		report, err := h.both(t, tables.Mapping{}, func(o *transfer.Options) { named(first[0])(o); o.EndTokens = true }, second...)
		if err != nil || report.Users.Refused != 2 || report.Tokens["authtoken_token"].Refused != 2 {
			t.Fatalf("run %d: %+v, %v", round, report, err)
		}
		for _, token := range []string{text("ann"), text("bob")} {
			if session, err := h.service.Authenticate(t.Context(), policy, core.Presented(token)); err == nil {
				t.Errorf("token %.6s… speaks for %q", token, session.User.Username)
			}
		}
	}
}

// TestKeysGivenBefore has a target delete a user who had the highest key: a user who is new here, and has that key as ID, gets
// another one, since what an application has signed with the key, or keeps of it, would be this user's.
func TestKeysGivenBefore(t *testing.T) {
	sqlite := mustSQL(t, `CREATE TABLE auth_user (id integer PRIMARY KEY AUTOINCREMENT, `+columns+`)`, fmt.Sprintf(authtoken, "auth_user (id)"),
		`INSERT INTO auth_user VALUES (1, `+user("ann")+`), (2, `+user("bob")+`)`)
	postgres, exec := pgUsers(t, 2, "serial")
	maria := mustMariaUsers(t, "ann", "bob")
	for name, test := range map[string]struct {
		target string
		draw   func() // has the database give the key 3 to somebody who is gone
	}{
		"SQLite":     {sqlite, func() { mustExec(t, sqlite, `UPDATE sqlite_sequence SET seq = 3 WHERE name = 'auth_user'`) }},
		"PostgreSQL": {postgres, func() { exec(`SELECT setval(pg_get_serial_sequence('auth_user', 'id'), 3)`) }},
		"MariaDB":    {maria.dsn, func() { maria.exec(t, `ALTER TABLE auth_user AUTO_INCREMENT = 4`) }},
	} {
		t.Run(name, func(t *testing.T) {
			test.draw()
			h := mustHouse(t)
			if _, err := h.both(t, tables.Mapping{}, nil, test.target); err != nil {
				t.Fatal(err)
			}
			for _, who := range []string{"new", "newer"} { // with the IDs 3 and 4
				if _, err := h.service.Register(t.Context(), policy, core.Registration{Username: who, Password: "pw-" + who}); err != nil {
					t.Fatal(err)
				}
			}
			if back := h.give(t, test.target); back.Users.Added != 2 || back.Users.Refused > 0 {
				t.Errorf("export: %+v", back)
			}
			to, err := tables.OpenTarget(t.Context(), test.target, tables.Mapping{}, utc)
			if err != nil {
				t.Fatal(err)
			}
			defer to.Close()
			if err := to.Write(t.Context(), func(b *tables.Batch) error {
				there, err := b.Accounts(t.Context(), nil, []string{"new", "newer"})
				got := map[string]string{}
				for _, u := range there {
					got[u.Username] = u.Key
				}
				if got["new"] != "4" || got["newer"] != "5" {
					t.Errorf("keys %v", got)
				}
				return err
			}); err != nil {
				t.Error(err)
			}
			if again := h.give(t, test.target); again.Users.Added+again.Users.Updated > 0 {
				t.Errorf("second export: %+v", again)
			}
		})
	}
}
