package transfer_test

import (
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/django/live"
	"github.com/authcompat/authcompat/store/django/tables"
)

func md5Hex(s string) string {
	sum := md5.Sum([]byte(s))
	return hex.EncodeToString(sum[:])
}

// TestOwnersBySchema imports users whose primary key has to be read from the catalog: a
// guess would give them each other's tokens.
func TestOwnersBySchema(t *testing.T) {
	insert := func(table, ids string) []string {
		var all []string
		for n, name := range []string{"ann", "bob", "cid"} {
			id := fmt.Sprintf(ids, 3-n) // not in the order of the names
			all = append(all, fmt.Sprintf(`INSERT INTO %s VALUES (%s, %s)`, table, id, user(name)),
				fmt.Sprintf(`INSERT INTO authtoken_token VALUES ('%s', %s, %s)`, text(name), joined, id))
		}
		return all
	}
	untyped := `CREATE TABLE authtoken_token (key varchar(40) PRIMARY KEY, created datetime NOT NULL, user_id %s NOT NULL UNIQUE%s)`
	tests := []struct {
		name string
		sql  []string
		rows []string
		m    tables.Mapping
	}{
		{"a key named user_id, beside a table with user_ptr_id", []string{
			`CREATE TABLE accounts_user (user_id integer PRIMARY KEY AUTOINCREMENT, ` + columns + `)`,
			`CREATE TABLE accounts_staff (user_ptr_id integer PRIMARY KEY REFERENCES accounts_user, office text)`,
			fmt.Sprintf(authtoken, "accounts_user (user_id)"),
		}, insert("accounts_user", "%d"), tables.Mapping{}},
		{"a foreign key that names no column", []string{
			`CREATE TABLE accounts_user (uid integer PRIMARY KEY, ` + columns + `)`, fmt.Sprintf(authtoken, "accounts_user"),
		}, insert("accounts_user", "%d"), tables.Mapping{}},
		{"a foreign key to a column that is not the primary key", []string{
			`CREATE TABLE accounts_user (number integer NOT NULL UNIQUE, ` + columns + `, id integer PRIMARY KEY)`, fmt.Sprintf(authtoken, "accounts_user (number)"),
		}, []string{
			`INSERT INTO accounts_user VALUES (3, ` + user("ann") + `, 1), (1, ` + user("bob") + `, 2), (2, ` + user("cid") + `, 3)`,
			`INSERT INTO authtoken_token VALUES ('` + text("ann") + `', ` + joined + `, 3), ('` + text("bob") + `', ` + joined + `, 1), ('` + text("cid") + `', ` + joined + `, 2)`,
		}, tables.Mapping{}},
		{"ids that are UUIDs", []string{
			`CREATE TABLE accounts_user (id char(32) NOT NULL PRIMARY KEY, ` + columns + `)`,
			fmt.Sprintf(untyped, "char(32)", " REFERENCES accounts_user (id)"),
		}, insert("accounts_user", "'0000000000000000000000000000000%d'"), tables.Mapping{}},
		{"ids that are texts, some of digits", []string{
			`CREATE TABLE accounts_user (code varchar(9) PRIMARY KEY, ` + columns + `) WITHOUT ROWID`,
			fmt.Sprintf(untyped, "varchar(9)", " REFERENCES accounts_user"),
		}, insert("accounts_user", "'1%d'"), tables.Mapping{}},
		{"no constraint at all", []string{
			`CREATE TABLE auth_user (id integer PRIMARY KEY, ` + columns + `)`, fmt.Sprintf(untyped, "integer", ""),
		}, insert("auth_user", "%d"), tables.Mapping{}},
		{"zero and negative ids", []string{
			`CREATE TABLE auth_user (id integer PRIMARY KEY, ` + columns + `)`, fmt.Sprintf(authtoken, "auth_user (id)"),
		}, insert("auth_user", "%d - 3"), tables.Mapping{}},
		{"users that inherit from a base", []string{
			`CREATE TABLE people_person (id integer PRIMARY KEY, ` + columns + `)`,
			`CREATE TABLE people_member (person_ptr_id integer PRIMARY KEY REFERENCES people_person (id), nick text)`,
			fmt.Sprintf(authtoken, "people_member (person_ptr_id)"),
		}, append(insert("people_person", "%d"), `INSERT INTO people_member VALUES (1, 'c'), (2, 'b'), (3, 'a')`), tables.Mapping{}},
		{"another table that looks like users", []string{
			`CREATE TABLE shop_vendor (id integer PRIMARY KEY, ` + columns + `)`, `INSERT INTO shop_vendor VALUES (1, ` + user("eve") + `)`,
			`CREATE TABLE accounts_user (id integer PRIMARY KEY, ` + columns + `)`, fmt.Sprintf(authtoken, "accounts_user (id)"),
		}, insert("accounts_user", "%d"), tables.Mapping{}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := mustSQL(t, append(test.sql, test.rows...)...)
			h := mustHouse(t)
			report, err := h.both(t, test.m, nil, path)
			if err != nil {
				t.Fatal(err)
			}
			if report.Users.Added != 3 || report.Tokens["authtoken_token"].Added != 3 {
				t.Errorf("report: %+v", report)
			}
			h.wantOwners(t, map[string]string{text("ann"): "ann", text("bob"): "bob", text("cid"): "cid"})
			again, err := h.both(t, test.m, nil, path)
			if err != nil || again.Users.Added+again.Users.Updated+again.Tokens["authtoken_token"].Added+again.Ended > 0 {
				t.Errorf("second run: %+v, %v", again, err)
			}
		})
	}
}

// TestFieldOfTokens imports tokens whose foreign keys refer to a column of the users
// other than the primary key (Django's to_field): each token belongs to the right user,
// and users keep their IDs, although that column may hold the number of another user's
// ID.
func TestFieldOfTokens(t *testing.T) {
	ids := map[string]int64{"ann": 1, "bob": 2, "cid": 3}
	for field, test := range map[string]struct {
		kind   string
		values map[string]string
	}{
		"username":         {"varchar(150)", map[string]string{"ann": "ann", "bob": "bob", "cid": "cid"}},
		"public_id":        {"char(32)", map[string]string{"ann": "00000000000000000000000000000002", "bob": "00000000000000000000000000000003", "cid": "00000000000000000000000000000001"}},
		"code":             {"varchar(9)", map[string]string{"ann": "2", "bob": "3", "cid": "1"}},
		"number":           {"bigint", map[string]string{"ann": "2", "bob": "3", "cid": "1"}},
		"number, negative": {"bigint", map[string]string{"ann": "-2", "bob": "-3", "cid": "0"}},
	} {
		t.Run(field, func(t *testing.T) {
			column, _, _ := strings.Cut(field, ",")
			further, value := ", "+column+" "+test.kind+" NOT NULL UNIQUE", func(name string) string { return ", '" + test.values[name] + "'" }
			if column == "username" {
				further, value = "", func(string) string { return "" }
			}
			statements := []string{`CREATE TABLE accounts_user (id integer PRIMARY KEY AUTOINCREMENT, ` + columns + further + `)`,
				strings.Replace(fmt.Sprintf(authtoken, "accounts_user ("+column+")"), "user_id integer", "user_id "+test.kind, 1)}
			for name, id := range ids {
				statements = append(statements, fmt.Sprintf(`INSERT INTO accounts_user VALUES (%d, %s%s)`, id, user(name), value(name)),
					fmt.Sprintf(`INSERT INTO authtoken_token VALUES ('%s', %s, '%s')`, text(name), joined, test.values[name]))
			}
			path := mustSQL(t, statements...)
			h := mustHouse(t)
			for round := range 2 {
				report, err := h.both(t, tables.Mapping{}, nil, path)
				if err != nil || report.Users.Refused+report.Tokens["authtoken_token"].Refused > 0 || round == 1 && report.Users.Unchanged != 3 {
					t.Fatalf("%+v, %v", report, err)
				}
				h.wantOwners(t, map[string]string{text("ann"): "ann", text("bob"): "bob", text("cid"): "cid"})
			}
			for name, id := range ids {
				account, err := h.store.Account(t.Context(), name)
				if err != nil || account.ID != id || account.Attributes["id"] != "" {
					t.Errorf("%s has the id %d here, and %d there, attributes %v: %v", name, account.ID, id, account.Attributes, err)
				}
			}
			if back := h.give(t, path); back.Users.Added+back.Users.Refused > 0 || back.Tokens.Unchanged != 3 {
				t.Errorf("export: %+v", back)
			}
			if s, err := live.Open(t.Context(), path, tables.Mapping{}); err == nil {
				t.Error("such users can be worked on")
				s.Close()
			}
		})
	}
}

// TestOwnersUncertain has sources that are refused before the first row, with the
// remedy.
func TestOwnersUncertain(t *testing.T) {
	two := []string{`CREATE TABLE a_user (id integer PRIMARY KEY, ` + columns + `)`, `CREATE TABLE b_user (id integer PRIMARY KEY, ` + columns + `)`}
	bare := `CREATE TABLE authtoken_token (key varchar(40) PRIMARY KEY, created datetime NOT NULL, user_id integer NOT NULL)`
	row := `INSERT INTO authtoken_token VALUES ('` + text("ann") + `', ` + joined + `, 1)`
	tests := []struct {
		name, remedy string
		m            tables.Mapping
		sql          []string
	}{
		{"a primary key of two columns", "id: COLUMN", tables.Mapping{}, []string{`CREATE TABLE auth_user (tenant integer, n integer, ` + columns + `, PRIMARY KEY (tenant, n))`, bare, row}},
		{"no primary key", "id: COLUMN", tables.Mapping{}, []string{`CREATE TABLE auth_user (n integer, ` + columns + `)`, bare, row}},
		{"a view", "id: COLUMN", tables.Mapping{UserTable: "people"}, []string{two[0], `CREATE VIEW people AS SELECT * FROM a_user`, bare, row}},
		{"two tables of users", "--user-table", tables.Mapping{}, append(two, bare, row)},
		{"users whom the tokens do not belong to", "--user-table", tables.Mapping{UserTable: "b_user"}, append(two, fmt.Sprintf(authtoken, "a_user (id)"), row)},
		{"a column that is not there", "nothing", tables.Mapping{ID: "nothing"}, append(two[:1:1], bare, row)},
		{"tokens of the project's own", "--token-table api_token", tables.Mapping{}, append(two[:1:1],
			`CREATE TABLE api_token (id integer PRIMARY KEY, key varchar(64) UNIQUE, created datetime NOT NULL, user_id integer REFERENCES a_user)`,
			`INSERT INTO api_token VALUES (1, '`+text("ann")+`', `+joined+`, 1)`)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			h := mustHouse(t)
			_, err := h.both(t, test.m, nil, mustSQL(t, test.sql...))
			wantRefusal(t, h, err, test.remedy)
		})
	}
}

// TestOwnersOfDumps imports dumps that refer to users in each possible way.
func TestOwnersOfDumps(t *testing.T) {
	ann, bob := dumpUserObject("auth.user", "2", "ann"), dumpUserObject("auth.user", "1", "bob")
	annByName, bobByName := dumpUserObject("auth.user", "", "ann"), dumpUserObject("auth.user", "", "bob")
	custom := dumpUserObject("shop.customer", `"b2a0"`, "ann")
	both := map[string]string{text("ann"): "ann", text("bob"): "bob"}
	tests := []struct {
		name, remedy string
		m            tables.Mapping
		files        []string
		want         map[string]string
	}{
		{"primary keys", "", tables.Mapping{}, []string{objects(ann, bob, dumpTokenObject("ann", "2"), dumpTokenObject("bob", "1"))}, both},
		{"natural foreign keys", "", tables.Mapping{}, []string{objects(ann, bob, dumpTokenObject("bob", `["bob"]`), dumpTokenObject("ann", `["ann"]`))}, both},
		{"natural keys of both", "", tables.Mapping{}, []string{objects(annByName, bobByName, dumpTokenObject("bob", `["bob"]`), dumpTokenObject("ann", `["ann"]`))}, both},
		{"two files", "", tables.Mapping{}, []string{objects(ann, bob), objects(dumpTokenObject("ann", "2"), dumpTokenObject("bob", "1"))}, both},
		{"tokens before users in two files", "", tables.Mapping{}, []string{objects(dumpTokenObject("ann", "2"), dumpTokenObject("bob", "1")), objects(ann, bob)}, both},
		{"capitals", "", tables.Mapping{}, []string{objects(dumpUserObject("Auth.User", "2", "ann"), dumpTokenObject("ann", "2"))}, map[string]string{text("ann"): "ann"}},
		{"keys that are texts", "", tables.Mapping{}, []string{objects(custom, dumpTokenObject("ann", `"b2a0"`))}, map[string]string{text("ann"): "ann"}},
		{"no primary keys, and tokens with numbers", "--natural-foreign", tables.Mapping{}, []string{objects(annByName, bobByName, dumpTokenObject("ann", "2"))}, nil},
		{"a natural key of two parts", "--natural-foreign", tables.Mapping{}, []string{objects(ann, dumpTokenObject("ann", `["north", "ann"]`))}, nil},
		{"a natural key that may be the e-mail", "username: COLUMN", tables.Mapping{}, []string{objects(custom, dumpTokenObject("ann", `["ann@example.org"]`))}, nil},
		{"tokens alone", "give both", tables.Mapping{}, []string{objects(dumpTokenObject("ann", "2"))}, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			h := mustHouse(t)
			_, err := h.both(t, test.m, nil, dumpOf(t, test.files...)...)
			if test.remedy != "" {
				wantRefusal(t, h, err, test.remedy)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			h.wantOwners(t, test.want)
		})
	}
}

// TestNamesThatMoved imports a dump with natural keys in which a refused user has a
// name that another user still has here.
func TestNamesThatMoved(t *testing.T) {
	h := mustHouse(t)
	first := dumpOf(t, objects(dumpUserObject("auth.user", "7", "ann")))
	if _, err := h.try(t, tables.Mapping{}, nil, first...); err != nil {
		t.Fatal(err)
	}
	// Changed here, so that the source's version of user 7 is not imported.
	users, err := h.store.ExportUsers(t.Context(), 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.store.SetActive(t.Context(), users[0].ID, false, nil); err != nil {
		t.Fatal(err)
	}
	if err := h.store.SetActive(t.Context(), users[0].ID, false, nil); err != nil {
		t.Fatal(err)
	}
	second := dumpOf(t, objects(dumpUserObject("auth.user", "7", "anna"), dumpUserObject("auth.user", "8", "ann"), dumpTokenObject("ann", `["ann"]`)))
	report, err := h.both(t, tables.Mapping{}, named(first[0]), second...)
	if err != nil {
		t.Fatal(err)
	}
	if report.Tokens["authtoken_token"].Refused != 1 {
		t.Errorf("report: %+v", report)
	}
	h.wantOwners(t, map[string]string{text("ann"): ""})
}

// TestNamesOfTheOthers imports a dump with natural keys of which one user was deleted here:
// that user's token is refused, those of the others are imported.
func TestNamesOfTheOthers(t *testing.T) {
	h := mustHouse(t)
	users := []string{dumpUserObject("auth.user", "7", "ann"), dumpUserObject("auth.user", "8", "bob")}
	first := dumpOf(t, objects(users...))
	if _, err := h.try(t, tables.Mapping{}, nil, first...); err != nil {
		t.Fatal(err)
	}
	bob, err := h.store.Account(t.Context(), "bob")
	if err == nil {
		err = h.store.DeleteUser(t.Context(), bob.ID, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	second := dumpOf(t, objects(append(users, dumpTokenObject("ann", `["ann"]`), dumpTokenObject("bob", `["bob"]`))...))
	report, err := h.both(t, tables.Mapping{}, named(first[0]), second...)
	if err != nil || report.Users.Kept != 1 || report.Tokens["authtoken_token"].Refused != 1 {
		t.Errorf("%+v, %v", report, err)
	}
	h.wantOwners(t, map[string]string{text("ann"): "ann", text("bob"): ""})
}

// TestPagesOfAnyKey reads more rows than fit a page, in each possible order.
func TestPagesOfAnyKey(t *testing.T) {
	const rows = 12_000
	for _, id := range []string{"user_id integer PRIMARY KEY", "user_id char(32) PRIMARY KEY", "user_id varchar(40) PRIMARY KEY, rowid text"} {
		path := mustSQL(t, `CREATE TABLE accounts_user (`+id+`, `+columns+`)`)
		mustExec(t, path, fmt.Sprintf(`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)
			INSERT INTO accounts_user (user_id, password, username, email, is_active, date_joined) SELECT i, '!', 'u' || i, '', 1, %s FROM n`, rows, joined))
		h := mustHouse(t)
		if report, err := h.both(t, tables.Mapping{}, nil, path); err != nil || report.Users.Added != rows {
			t.Errorf("%s: %+v, %v", id, report, err)
		}
	}
}

// TestSameIDs imports users whose IDs are taken here, by users who registered here or
// who were assigned them because they could not keep their own.
func TestSameIDs(t *testing.T) {
	path := mustSQL(t, `CREATE TABLE auth_user (id integer PRIMARY KEY AUTOINCREMENT, `+columns+`)`, fmt.Sprintf(authtoken, "auth_user (id)"))
	add := func(id int, name string) {
		t.Helper()
		mustExec(t, path, fmt.Sprintf(`INSERT INTO auth_user VALUES (%d, %s)`, id, user(name)), fmt.Sprintf(`INSERT INTO authtoken_token VALUES ('%s', %s, %d)`, text(name), joined, id))
	}
	h := mustHouse(t)
	if _, err := h.service.Register(t.Context(), policy, core.Registration{Username: "admin", Password: "pw-admin"}); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	ids := []int{1, 2, 3, 0, -7}
	for n, id := range ids {
		name := fmt.Sprint("u", n)
		add(id, name)
		want[text(name)] = name
	}
	for round := range 3 {
		report, err := h.both(t, tables.Mapping{}, nil, path)
		if err != nil || report.Users.Refused > 0 || report.Users.Read != len(ids) {
			t.Fatalf("%+v, %v", report, err)
		}
		h.wantOwners(t, want)
		name := fmt.Sprint("later", round)
		ids = append(ids, 4+round) // the next IDs, which were assigned here
		add(ids[len(ids)-1], name)
		want[text(name)] = name
	}
	users, err := h.store.ExportUsers(t.Context(), 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range users {
		if (u.Username == "u1" || u.Username == "u2") && u.ID != map[string]int64{"u1": 2, "u2": 3}[u.Username] {
			t.Errorf("%s has the id %d", u.Username, u.ID)
		}
	}
	h.give(t, path)
	h.give(t, path)
	wantCount(t, path, 1, `SELECT count(*) FROM auth_user WHERE username = 'admin'`)
	wantCount(t, path, 1, `SELECT count(*) FROM authtoken_token k JOIN auth_user u ON u.id = k.user_id WHERE u.username = 'admin'`)
	wantCount(t, path, len(ids), `SELECT count(*) FROM authtoken_token k JOIN auth_user u ON u.id = k.user_id WHERE u.username <> 'admin'`)
}
