package transfer_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/django/tables"
	"github.com/authcompat/authcompat/store/django/transfer"
)

// custom is a model of a project's own with a key and a user alone, as CustomToken in
// tests/authentication/models.py of Django REST framework 3.14.
const custom = "api_customtoken"

func customDDL(key string) string {
	return "CREATE TABLE " + custom + " (" + key + " varchar(40) NOT NULL PRIMARY KEY, user_id integer NOT NULL UNIQUE REFERENCES auth_user (id))"
}

// undated are databases with the users u0 and u1, who have a token in [custom] each.
func undated() map[string]func(*testing.T) (source string, exec func(...string)) {
	rows := func(key string) []string {
		return []string{
			customDDL(key),
			"INSERT INTO " + custom + " (" + key + ", user_id) VALUES ('" + text("u0") + "', 1), ('" + text("u1") + "', 2)",
		}
	}
	return map[string]func(*testing.T) (string, func(...string)){
		"sqlite": func(t *testing.T) (string, func(...string)) {
			path := mustSQL(t, append([]string{`CREATE TABLE auth_user (id integer PRIMARY KEY AUTOINCREMENT, ` + columns + `)`,
				`INSERT INTO auth_user VALUES (1, ` + user("u0") + `), (2, ` + user("u1") + `)`}, rows("key")...)...)
			return path, func(statements ...string) { mustExec(t, path, statements...) }
		},
		"postgres": func(t *testing.T) (string, func(...string)) {
			dsn, exec := pgUsers(t, 2, "serial")
			exec(append(rows("key"), `DROP TABLE authtoken_token`)...)
			return dsn, exec
		},
		"mariadb": func(t *testing.T) (string, func(...string)) {
			m := mustMariaUsers(t, "u0", "u1")
			m.exec(t, append(rows("`key`"), `DROP TABLE authtoken_token`)...)
			return m.dsn, func(statements ...string) { m.exec(t, statements...) }
		},
	}
}

// at makes an import run at a moment, for an API.
func at(moment time.Time, p core.Policy) func(*transfer.Options) {
	return func(o *transfer.Options) { o.Clock, o.Policy = func() time.Time { return moment }, p }
}

// TestUndated imports tokens from a table that does not say when they were created: their age
// counts from the first run that sees them, also with --since, and no later run moves it.
func TestUndated(t *testing.T) {
	sliding := core.Policy{Issuer: "old-api", Realm: core.DefaultRealm, TokenHex: 40, Reuse: true, TTL: 24 * time.Hour, Sliding: true}
	m := tables.Mapping{TokenTables: tables.Names{custom}}
	first := policyTime()
	for name, create := range undated() {
		t.Run(name, func(t *testing.T) {
			source, exec := create(t)
			h := mustHouse(t)
			if report, err := h.both(t, tables.Mapping{}, at(first, sliding), source); err != nil || len(report.Tokens) > 0 {
				t.Fatalf("tokens of a table that nobody named: %+v, %v", report, err)
			}
			since := func(o *transfer.Options) { at(first, sliding)(o); o.Since = first }
			report, err := h.both(t, m, since, source)
			if err != nil || report.Tokens[custom].Added != 2 {
				t.Fatalf("%+v, %v", report, err)
			}
			for _, later := range []time.Duration{time.Hour, 23 * time.Hour, 30 * time.Hour} {
				if report, err = h.both(t, m, at(first.Add(later), sliding), source); err != nil || report.Tokens[custom].Unchanged != 2 {
					t.Errorf("%v later: %+v, %v", later, report, err)
				}
			}
			tokens, err := h.store.ExportTokens(t.Context(), sliding.Realm, core.Token{}, 10)
			if err != nil || len(tokens) != 2 {
				t.Fatalf("%d tokens, %v", len(tokens), err)
			}
			for _, token := range tokens {
				if !token.CreatedAt.Equal(first) || !token.ExpiresAt.Equal(first.Add(sliding.TTL)) || token.Sliding != sliding.TTL || !token.Reusable {
					t.Errorf("created %v, ends %v, slides %v, shown again %t", token.CreatedAt, token.ExpiresAt, token.Sliding, token.Reusable)
				}
			}
			exec("DELETE FROM " + custom + " WHERE user_id = 2")
			if report, err = h.both(t, m, at(first.Add(time.Hour), sliding), source); err != nil || report.Ended != 1 {
				t.Errorf("logged out there: %+v, %v", report, err)
			}
		})
	}
}

// TestUndatedWayBack exports to a table that has no place for the time of creation.
func TestUndatedWayBack(t *testing.T) {
	m := tables.Mapping{TokenTables: tables.Names{custom}}
	for name, create := range undated() {
		t.Run(name, func(t *testing.T) {
			source, _ := create(t)
			h := mustHouse(t)
			if _, err := h.both(t, m, nil, source); err != nil {
				t.Fatal(err)
			}
			h.wantOwners(t, map[string]string{text("u0"): "u0", text("u1"): "u1"})
			joined, err := h.service.Register(t.Context(), policy, core.Registration{Username: "new", Password: "pw-new"})
			if err != nil {
				t.Fatal(err)
			}
			session, err := h.service.Authenticate(t.Context(), policy, core.Presented(text("u1")))
			if err == nil {
				err = h.service.Logout(t.Context(), session)
			}
			if err != nil {
				t.Fatal(err)
			}
			for round := range 2 {
				to, err := tables.OpenTarget(t.Context(), source, m, time.UTC)
				if err != nil {
					t.Fatal(err)
				}
				back, err := exportTo(t, h, to)
				if err := to.Close(); err != nil {
					t.Error(err)
				}
				if err != nil || back.Tokens.Added != 1-round || back.Dropped != 1-round || back.Tokens.Unchanged != 1+round || back.Tokens.Refused > 0 {
					t.Errorf("%+v, %v", back, err)
				}
			}
			other := mustHouse(t)
			if report, err := other.both(t, m, nil, source); err != nil || report.Tokens[custom].Added != 2 {
				t.Errorf("%+v, %v", report, err)
			}
			other.wantOwners(t, map[string]string{text("u0"): "u0", text("u1"): "", joined.Key: "new"})
		})
	}
}

// TestUndatedTables has tables with a key and a user, and a further column: one that each row
// needs a value for makes it something else than a table of tokens, whatever it is named.
func TestUndatedTables(t *testing.T) {
	m := tables.Mapping{TokenTables: tables.Names{custom}}
	for further, taken := range map[string]bool{
		"label varchar(9) NULL":           true,
		"plan integer NOT NULL DEFAULT 1": true,
		"expiry datetime NULL":            true,
		"label varchar(9) NOT NULL":       false,
		"modified datetime NOT NULL":      false,
	} {
		t.Run(further, func(t *testing.T) {
			path := mustSQL(t, `CREATE TABLE auth_user (id integer PRIMARY KEY AUTOINCREMENT, `+columns+`)`, `INSERT INTO auth_user VALUES (1, `+user("u0")+`)`,
				strings.TrimSuffix(customDDL("key"), ")")+", "+further+")", "INSERT INTO "+custom+" VALUES ('"+text("u0")+"', 1, '')")
			if strings.HasPrefix(further, "expiry") {
				mustExec(t, path, "UPDATE "+custom+" SET expiry = '2027-01-01 00:00:00'")
			}
			h := mustHouse(t)
			report, err := h.both(t, m, at(policyTime(), policy), path)
			if !taken {
				wantRefusal(t, h, err, "key and user_id")
				return
			}
			if err != nil || report.Tokens[custom].Added != 1 {
				t.Fatalf("%+v, %v", report, err)
			}
			if !strings.HasPrefix(further, "expiry") {
				return
			}
			// The table's own expiry is no guess: it moves.
			mustExec(t, path, "UPDATE "+custom+" SET expiry = '2027-01-02 00:00:00'")
			if report, err = h.both(t, m, at(policyTime().Add(time.Hour), policy), path); err != nil || report.Tokens[custom].Updated != 1 {
				t.Errorf("moved there: %+v, %v", report, err)
			}
		})
	}
}

// TestUndatedDump imports objects of such a model, which is one of tokens if it is named.
func TestUndatedDump(t *testing.T) {
	token := func(further string) string {
		return fmt.Sprintf(`{"model": "api.customtoken", "pk": "%s", "fields": {"user": 1%s}}`, text("ann"), further)
	}
	m := tables.Mapping{TokenTables: tables.Names{"api.customtoken"}}
	paths := dumpOf(t, objects(dumpUserObject("auth.user", "1", "ann"), token("")))
	h := mustHouse(t)
	if report, err := h.both(t, m, nil, paths...); err != nil || report.Tokens["api.customtoken"].Added != 1 {
		t.Fatalf("%+v, %v", report, err)
	}
	h.wantOwners(t, map[string]string{text("ann"): "ann"})
	h = mustHouse(t)
	_, err := h.both(t, m, nil, dumpOf(t, objects(dumpUserObject("auth.user", "1", "ann"), token(`, "note": "x"`)))...)
	wantRefusal(t, h, err, "key and user_id")
}

// TestUndatedIsNotLeftOver inspects such a table beside authtoken's: that it does not say when
// its tokens were created does not make them older than others.
func TestUndatedIsNotLeftOver(t *testing.T) {
	path := mustSQL(t, `CREATE TABLE auth_user (id integer PRIMARY KEY AUTOINCREMENT, `+columns+`)`, `INSERT INTO auth_user VALUES (1, `+user("u0")+`)`,
		fmt.Sprintf(authtoken, "auth_user (id)"), `INSERT INTO authtoken_token VALUES ('`+text("old")+`', `+joined+`, 1)`,
		customDDL("key"), "INSERT INTO "+custom+" VALUES ('"+text("u0")+"', 1)")
	from, err := tables.Open(t.Context(), tables.Mapping{TokenTables: tables.Names{custom}}, path)
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	found, err := transfer.Inspect(t.Context(), from, time.UTC, policyTime())
	if err != nil || len(found.Tokens) != 2 {
		t.Fatalf("%+v, %v", found, err)
	}
	for _, table := range found.Tokens {
		if table.LeftOver || table.Live != 1 || table.Undated != (table.Table == custom) || table.Chosen != table.Undated {
			t.Errorf("%+v", table)
		}
	}
}
