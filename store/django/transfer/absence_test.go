package transfer_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/django/live"
	"github.com/authcompat/authcompat/store/django/tables"
	"github.com/authcompat/authcompat/store/django/transfer"
)

// manyUsers creates a file with users u0, u1, … and a token for each.
func manyUsers(t *testing.T, n int) string {
	t.Helper()
	statements := []string{`CREATE TABLE auth_user (id integer PRIMARY KEY, ` + columns + `)`, fmt.Sprintf(authtoken, "auth_user (id)")}
	for i := range n {
		name := fmt.Sprint("u", i)
		statements = append(statements, fmt.Sprintf(`INSERT INTO auth_user VALUES (%d, %s)`, i+1, user(name)),
			fmt.Sprintf(`INSERT INTO authtoken_token VALUES ('%s', %s, %d)`, text(name), joined, i+1))
	}
	return mustSQL(t, statements...)
}

// TestAbsence removes tokens from the source in ways other than logouts.
func TestAbsence(t *testing.T) {
	all := map[string]string{}
	for i := range 30 {
		name := fmt.Sprint("u", i)
		all[text(name)] = name
	}
	tests := []struct {
		name, remedy string
		sql          []string
		m            tables.Mapping
		ended        int
	}{
		{"the table is gone", "--token-table", []string{`DROP TABLE authtoken_token`}, tables.Mapping{}, 0},
		{"the table has another name", "--token-table", []string{`ALTER TABLE authtoken_token RENAME TO authtoken_token_old`}, tables.Mapping{}, 0},
		{"another table has taken its place", "--token-table", []string{`DROP TABLE authtoken_token`,
			`CREATE TABLE knox_authtoken (digest varchar(128) PRIMARY KEY, created datetime, user_id integer, expiry datetime, token_key varchar(25))`}, tables.Mapping{}, 0},
		{"tokens are left by order", "", []string{`DROP TABLE authtoken_token`}, tables.Mapping{TokenTables: tables.Names{tables.NoTokens}}, 0},
		{"the table is empty", "30 of the 30", []string{`DELETE FROM authtoken_token`}, tables.Mapping{}, 0},
		{"more than a tenth", "11 of the 30", []string{`DELETE FROM authtoken_token WHERE user_id <= 11`}, tables.Mapping{}, 0},
		{"few", "", []string{`DELETE FROM authtoken_token WHERE user_id <= 10`}, tables.Mapping{}, 10},
		{"none", "", nil, tables.Mapping{}, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path, h := manyUsers(t, 30), mustHouse(t)
			if _, err := h.both(t, tables.Mapping{}, nil, path); err != nil {
				t.Fatal(err)
			}
			mustExec(t, path, test.sql...)
			report, err := h.both(t, test.m, nil, path)
			switch {
			case test.remedy == "" && err != nil:
				t.Fatal(err)
			case test.remedy != "":
				if err == nil || !contains(err.Error(), test.remedy) {
					t.Errorf("error %v, want one that says %q", err, test.remedy)
				}
			case report.Ended != test.ended:
				t.Errorf("%d ended, want %d", report.Ended, test.ended)
			}
			want := map[string]string{}
			for token, name := range all {
				want[token] = name
			}
			for i := range test.ended {
				want[text(fmt.Sprint("u", i))] = ""
			}
			h.wantOwners(t, want)
		})
	}
}

// TestAbsentComeBack revokes missing tokens because EndTokens says so, and then
// restores them at the source: they are live again, except for those that were logged
// out here.
func TestAbsentComeBack(t *testing.T) {
	path, h := manyUsers(t, 20), mustHouse(t)
	take := func(end bool) (*transfer.Report, error) {
		t.Helper()
		return h.both(t, tables.Mapping{}, func(o *transfer.Options) { o.EndTokens = end }, path)
	}
	if _, err := take(false); err != nil {
		t.Fatal(err)
	}
	session, err := h.service.Authenticate(t.Context(), policy, core.Presented(text("u0")))
	if err == nil {
		err = h.service.Logout(t.Context(), session)
	}
	if err != nil {
		t.Fatal(err)
	}
	mustExec(t, path, `CREATE TABLE kept AS SELECT key AS k, created AS c, user_id AS u FROM authtoken_token`, `DELETE FROM authtoken_token`)
	var ending *transfer.EndingError
	if _, err := take(false); !errors.As(err, &ending) || ending.Unseen != 19 || ending.Here != 19 {
		t.Fatalf("error %v", err)
	}
	if report, err := take(true); err != nil || report.Ended != 19 {
		t.Fatalf("%+v, %v", report, err)
	}
	mustExec(t, path, `INSERT INTO authtoken_token SELECT * FROM kept`)
	report, err := take(false)
	if err != nil || report.Tokens["authtoken_token"].Added != 19 || report.Tokens["authtoken_token"].Kept != 1 {
		t.Fatalf("%+v, %v", report, err)
	}
	h.wantOwners(t, map[string]string{text("u0"): "", text("u1"): "u1", text("u19"): "u19"})
}

// TestRehashIsNoChange has a login here rehash a weak password, and then changes the
// password at the source.
func TestRehashIsNoChange(t *testing.T) {
	path, h := manyUsers(t, 3), mustHouse(t)
	if _, err := h.both(t, tables.Mapping{}, nil, path); err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		name := fmt.Sprint("u", i)
		if _, err := h.service.Login(t.Context(), policy, name, "pw-"+name); err != nil {
			t.Fatal(err)
		}
	}
	if report, err := h.both(t, tables.Mapping{}, nil, path); err != nil || report.Users.Unchanged != 3 {
		t.Errorf("nothing changed: %+v, %v", report, err)
	}
	mustExec(t, path, `UPDATE auth_user SET password = '`+hashed("new")+`' WHERE id = 1`)
	if report, err := h.both(t, tables.Mapping{}, nil, path); err != nil || report.Users.Updated != 1 {
		t.Errorf("changed there: %+v, %v", report, err)
	}
	if _, err := h.service.Login(t.Context(), policy, "u0", "pw-new"); err != nil {
		t.Errorf("the new password: %v", err)
	}
	if _, err := h.service.Login(t.Context(), policy, "u0", "pw-u0"); core.KindOf(err) != core.KindInvalidCredentials {
		t.Errorf("the old password: %v", err)
	}
}

// TestRehashVariants has a login here rehash a weak password, and changes other columns
// at the source, or nothing, or the same one: the last password set at Django works.
func TestRehashVariants(t *testing.T) {
	const set = `UPDATE auth_user SET `
	for name, test := range map[string]struct {
		sql      string
		counts   transfer.Counts
		password string
		attended string // the expected address
	}{
		"Django made it anew too": {set + `password = 'md5$pepper$` + md5Hex("pepperpw-u0") + `' WHERE id = 1`, transfer.Counts{Read: 1, Updated: 1}, "pw-u0", "u0@example.org"},
		"another address":         {set + `email = 'new@example.org'`, transfer.Counts{Read: 1, Updated: 1}, "pw-u0", "new@example.org"},
		"a password and a name":   {set + `password = '` + hashed("new") + `', email = ''`, transfer.Counts{Read: 1, Updated: 1}, "pw-new", ""},
		"a login there":           {set + `last_login = ` + joined, transfer.Counts{Read: 1, Unchanged: 1}, "pw-u0", "u0@example.org"},
		"no password any more":    {set + `password = '!'`, transfer.Counts{Read: 1, Updated: 1}, "", "u0@example.org"},
	} {
		t.Run(name, func(t *testing.T) {
			path, h := manyUsers(t, 1), mustHouse(t)
			for range 2 { // the second one keeps the rehashed password
				if _, err := h.both(t, tables.Mapping{}, nil, path); err != nil {
					t.Fatal(err)
				}
				if _, err := h.service.Login(t.Context(), policy, "u0", "pw-u0"); err != nil {
					t.Fatal(err)
				}
			}
			mustExec(t, path, test.sql)
			report, err := h.both(t, tables.Mapping{}, nil, path)
			if err != nil || report.Users != test.counts {
				t.Errorf("%+v, %v", report, err)
			}
			for _, password := range []string{"pw-u0", "pw-new", "!", ""} {
				session, err := h.service.Login(t.Context(), policy, "u0", password)
				if works := password != "" && password == test.password; (err == nil) != works || works && session.User.Email != test.attended {
					t.Errorf("login with %q: %+v, %v", password, session.User, err)
				}
			}
		})
	}
}

// TestLeftOver has an authtoken table from before the switch to knox.
func TestLeftOver(t *testing.T) {
	path := manyUsers(t, 2)
	digest := sha512hex("x")
	mustExec(t, path, `CREATE TABLE knox_authtoken (digest varchar(128) PRIMARY KEY, created datetime NOT NULL, user_id integer NOT NULL REFERENCES auth_user (id), expiry datetime NULL, token_key varchar(8) NOT NULL)`,
		`INSERT INTO knox_authtoken VALUES ('`+digest+`', '2026-05-05 00:00:00', 1, NULL, '12345678')`)
	h := mustHouse(t)
	_, err := h.both(t, tables.Mapping{}, nil, path)
	wantRefusal(t, h, err, "--token-table")
	from, err := tables.Open(t.Context(), tables.Mapping{}, path)
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	found, err := transfer.Inspect(t.Context(), from, time.UTC, policyTime())
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range found.Tokens {
		if table.LeftOver != (table.Table == "authtoken_token") {
			t.Errorf("%s looks left over: %t", table.Table, table.LeftOver)
		}
	}
	if _, err := live.Open(t.Context(), path, tables.Mapping{}); err == nil || !contains(err.Error(), "token_table") {
		t.Errorf("attach: %v", err)
	}
	report, err := h.both(t, tables.Mapping{TokenTables: tables.Names{"knox_authtoken"}}, nil, path)
	if err != nil || report.Tokens["knox_authtoken"].Added != 1 || len(report.Tokens) != 1 {
		t.Fatalf("%+v, %v", report, err)
	}
	h.wantOwners(t, map[string]string{text("u0"): "", text("u1"): ""})
}

// TestLeftOverVariants has two kinds of tokens, of which one may be dead: none is
// imported unless it is named, and then it is imported alone.
func TestLeftOverVariants(t *testing.T) {
	knox := `CREATE TABLE knox_authtoken (digest varchar(128) PRIMARY KEY, created datetime NOT NULL, user_id integer NOT NULL REFERENCES auth_user (id), expiry datetime NULL, token_key varchar(15) NOT NULL)`
	knoxRow := func(day string) string {
		return `INSERT INTO knox_authtoken VALUES ('` + sha512hex("x") + `', '` + day + ` 00:00:00', 1, NULL, '123456789012345')`
	}
	own := []string{`CREATE TABLE api_key (id integer PRIMARY KEY, key varchar(64) UNIQUE, created datetime NOT NULL, user_id integer REFERENCES auth_user)`,
		`INSERT INTO api_key VALUES (1, 'a key of their own', ` + joined + `, 1)`}
	for name, test := range map[string]struct {
		sql  []string
		take string
	}{
		"back from knox":        {[]string{knox, knoxRow("2025-05-05")}, "authtoken_token"},
		"the same day":          {[]string{knox, knoxRow("2026-01-02")}, "knox_authtoken"},
		"one of the project's":  {own, "authtoken_token"},
		"three kinds":           {append(own, knox, knoxRow("2026-05-05")), "knox_authtoken"},
		"the other one is NULL": {append(own, `UPDATE api_key SET user_id = NULL`), "authtoken_token"},
	} {
		t.Run(name, func(t *testing.T) {
			path := manyUsers(t, 2)
			mustExec(t, path, test.sql...)
			h := mustHouse(t)
			_, err := h.both(t, tables.Mapping{}, nil, path)
			wantRefusal(t, h, err, "--token-table")
			if s, err := live.Open(t.Context(), path, tables.Mapping{}); err == nil || !contains(err.Error(), "token_table") {
				t.Errorf("attach: %v, %v", s, err)
			}
			report, err := h.both(t, tables.Mapping{TokenTables: tables.Names{test.take}}, nil, path)
			if err != nil || len(report.Tokens) != 1 || report.Tokens[test.take].Added == 0 {
				t.Fatalf("%+v, %v", report, err)
			}
			want := map[string]string{text("u0"): "", text("u1"): "", "a key of their own": ""}
			if test.take == "authtoken_token" {
				want[text("u0")], want[text("u1")] = "u0", "u1"
			}
			h.wantOwners(t, want)
		})
	}
}

// TestInactiveVariants reads users whom Django considers inactive, or active, in every
// way that a column or a dump can say so.
func TestInactiveVariants(t *testing.T) {
	inDump := func(value string) string {
		return objects(strings.Replace(dumpUserObject("auth.user", "1", "u0"), `"is_active": true`, `"is_active": `+value, 1), dumpTokenObject("u0", "1"))
	}
	for name, test := range map[string]struct {
		sql, dump string
		active    bool
	}{
		"zero":              {sql: `UPDATE auth_user SET is_active = 0`},
		"text of zero":      {sql: `UPDATE auth_user SET is_active = '0'`},
		"no such column":    {sql: `ALTER TABLE auth_user DROP is_active`, active: true},
		"null in a dump":    {dump: inDump("null")},
		"false in a dump":   {dump: inDump("false")},
		"true in a dump":    {dump: inDump("true"), active: true},
		"missing in a dump": {dump: strings.Replace(inDump("1"), `"is_active": 1, `, "", 1), active: true},
	} {
		t.Run(name, func(t *testing.T) {
			var source string
			if test.dump != "" {
				source = dumpOf(t, test.dump)[0]
			} else {
				source = manyUsers(t, 1)
				mustExec(t, source, test.sql)
			}
			h := mustHouse(t)
			if report, err := h.both(t, tables.Mapping{}, nil, source); err != nil || report.Users.Added != 1 {
				t.Fatalf("%+v, %v", report, err)
			}
			_, err := h.service.Authenticate(t.Context(), policy, core.Presented(text("u0")))
			if test.active != (err == nil) || err != nil && core.KindOf(err) != core.KindUserInactive {
				t.Errorf("token: %v", err)
			}
			if _, err = h.service.Login(t.Context(), policy, "u0", "pw-u0"); test.active != (err == nil) || err != nil && core.KindOf(err) != core.KindUserInactive {
				t.Errorf("login: %v", err)
			}
		})
	}
}

// TestInactiveByNull has a user whose is_active is NULL: the token is treated as Django
// treats it.
func TestInactiveByNull(t *testing.T) {
	path := manyUsers(t, 2)
	mustExec(t, path, `UPDATE auth_user SET is_active = NULL WHERE id = 1`)
	h := mustHouse(t)
	if _, err := h.both(t, tables.Mapping{}, nil, path); err != nil {
		t.Fatal(err)
	}
	s, err := live.Open(t.Context(), path, tables.Mapping{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	attached := core.New(core.Config{Backend: core.Backend{Store: s, Plaintext: s}, Hasher: h.hasher(t)})
	for name, service := range map[string]*core.Service{"imported": h.service, "attached": attached} {
		if _, err := service.Authenticate(t.Context(), policy, core.Presented(text("u0"))); core.KindOf(err) != core.KindUserInactive {
			t.Errorf("%s: token: %v", name, err)
		}
		if _, err := service.Login(context.WithoutCancel(t.Context()), policy, "u0", "pw-u0"); core.KindOf(err) != core.KindUserInactive {
			t.Errorf("%s: login: %v", name, err)
		}
		if _, err := service.Authenticate(t.Context(), policy, core.Presented(text("u1"))); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
