package moving_test

import (
	"context"
	"database/sql"
	"fmt"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/django"
	"github.com/authcompat/authcompat/store/django/mariadbtest"
	"github.com/authcompat/authcompat/store/moving"
)

// Tables as Django makes them on MySQL, with the options that a database without
// its own default gives them.
const (
	mysqlColumns = "password varchar(128) NOT NULL, last_login datetime(6) NULL, is_superuser bool NOT NULL DEFAULT 0, username varchar(150) NOT NULL UNIQUE, " +
		"first_name varchar(150) NOT NULL DEFAULT '', email varchar(254) NOT NULL DEFAULT '', is_staff bool NOT NULL DEFAULT 0, is_active bool NOT NULL DEFAULT 1, date_joined datetime(6) NOT NULL"
	mysqlUsers  = "CREATE TABLE auth_user (id integer AUTO_INCREMENT NOT NULL PRIMARY KEY, " + mysqlColumns + ") CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"
	mysqlTokens = "CREATE TABLE authtoken_token (`key` varchar(40) NOT NULL PRIMARY KEY, created datetime(6) NOT NULL, user_id %s NOT NULL UNIQUE, " +
		"CONSTRAINT authtoken_token_user_id_fk FOREIGN KEY (user_id) REFERENCES %s) CHARACTER SET utf8mb4"
	moment = "2026-01-02 03:04:05.000006"
)

// maria is a database of MariaDB.
type maria struct {
	dsn string
	db  *sql.DB
}

func mustMaria(t *testing.T, statements ...string) maria {
	t.Helper()
	dsn := mariadbtest.Database(t)
	m := maria{dsn: dsn, db: mariadbtest.Open(t, dsn)}
	m.exec(t, statements...)
	return m
}

func mustMariaUsers(t *testing.T, names ...string) maria {
	t.Helper()
	m := mustMaria(t, mysqlUsers, fmt.Sprintf(mysqlTokens, "integer", "auth_user (id)"))
	for n, name := range names {
		m.add(t, n+1, name)
	}
	return m
}

func (m maria) exec(t *testing.T, statements ...string) {
	t.Helper()
	for _, s := range statements {
		if _, err := m.db.ExecContext(context.WithoutCancel(t.Context()), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

// add adds a user with a token.
func (m maria) add(t *testing.T, id int, name string) {
	t.Helper()
	if _, err := m.db.Exec("INSERT INTO auth_user (id, password, username, email, date_joined) VALUES (?, ?, ?, ?, ?)", id, hashed(name), name, name+"@example.org", moment); err != nil {
		t.Fatal(err)
	}
	if _, err := m.db.Exec("INSERT INTO authtoken_token VALUES (?, ?, ?)", text(name), moment, id); err != nil {
		t.Fatal(err)
	}
}

// rows gives the rows of a query, with bars between the columns.
func (m maria) rows(t *testing.T, query string) []string {
	t.Helper()
	found, err := m.db.Query(query)
	if err != nil {
		t.Fatal(err)
	}
	defer found.Close()
	columns, err := found.Columns()
	if err != nil {
		t.Fatal(err)
	}
	all := []string{}
	for found.Next() {
		values, targets := make([]sql.NullString, len(columns)), make([]any, len(columns))
		for i := range values {
			targets[i] = &values[i]
		}
		if err := found.Scan(targets...); err != nil {
			t.Fatal(err)
		}
		texts := make([]string, len(values))
		for i, v := range values {
			if texts[i] = v.String; !v.Valid {
				texts[i] = "NULL"
			}
		}
		all = append(all, strings.Join(texts, "|"))
	}
	if err := found.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// sums gives checksums of all tables.
func (m maria) sums(t *testing.T) []string {
	t.Helper()
	tables := m.rows(t, "SELECT concat('`', table_name, '`') FROM information_schema.tables WHERE table_schema = database() AND table_type = 'BASE TABLE' ORDER BY 1")
	return m.rows(t, "CHECKSUM TABLE "+strings.Join(tables, ", ")+" EXTENDED")
}

// reader makes a user who may only read and gives its DSN.
func (m maria) reader(t *testing.T) string {
	t.Helper()
	u, err := url.Parse(m.dsn)
	if err != nil {
		t.Fatal(err)
	}
	name := strings.Trim(u.Path, "/")
	m.exec(t, "CREATE USER "+name+" IDENTIFIED BY 'S3cret/?#@'", "GRANT SELECT ON "+name+".* TO "+name)
	t.Cleanup(func() { m.exec(t, "DROP USER "+name) })
	u.User = url.UserPassword(name, "S3cret/?#@")
	return u.String()
}

// loose makes the server one that cuts and replaces what a column can't hold, as
// MySQL does without a strict mode.
func (m maria) loose(t *testing.T) {
	t.Helper()
	before := m.rows(t, "SELECT @@GLOBAL.sql_mode")[0]
	m.exec(t, "SET GLOBAL sql_mode = ''")
	t.Cleanup(func() { m.exec(t, "SET GLOBAL sql_mode = '"+before+"'") })
}

// wantRows wants these rows of a query.
func (m maria) wantRows(t *testing.T, query string, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, m.rows(t, query)); diff != "" {
		t.Errorf("%s: (-want +got)\n%s", query, diff)
	}
}

// TestMySQLImport takes over users and tokens with the rights to read alone.
func TestMySQLImport(t *testing.T) {
	names := []string{"ann", "Ann", "żółw", "🐢", "o'neil\\", "percent%s"}
	m := mustMariaUsers(t, names...)
	m.exec(t, "UPDATE auth_user SET date_joined = '2026-07-08 23:59:59.999999', is_staff = 1, first_name = 'Ánn 🐢' WHERE id = 1",
		"INSERT INTO auth_user (id, password, username, is_active, date_joined) VALUES (50, '!unusable', 'off', 0, '1999-12-31 23:59:59.5')",
		"INSERT INTO authtoken_token VALUES ('0123456789012345678901234567890123456789', '2026-01-02', 50)")
	reader, before := m.reader(t), m.sums(t)

	from, err := django.Open(t.Context(), django.Mapping{}, reader)
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	found, err := moving.Inspect(t.Context(), from, time.UTC, policyTime())
	if err != nil {
		t.Fatal(err)
	}
	if u := found.Users; u.Number != 7 || u.Active != 6 || u.Table != "auth_user" || u.Columns["username"] != "username" || len(found.Problems) > 0 || len(found.Unsure) > 0 {
		t.Errorf("inspect: %+v", found)
	}
	if len(found.Tokens) != 1 || found.Tokens[0].Number != 7 || found.Tokens[0].Never != 7 || !found.Tokens[0].Chosen || found.Tokens[0].Digits != 40 {
		t.Errorf("inspect: %+v", found.Tokens)
	}
	if strings.Contains(found.Source, "S3cret") {
		t.Errorf("the source's name %s has the password", found.Source)
	}

	h := mustHouse(t)
	report, err := h.both(t, django.Mapping{}, nil, reader)
	if err != nil || report.Users.Added != 7 || report.Tokens["authtoken_token"].Added != 7 {
		t.Fatalf("%+v, %v", report, err)
	}
	want := map[string]string{}
	for _, name := range names {
		want[text(name)] = name
	}
	h.wantOwners(t, want)
	users, err := h.store.ExportUsers(t.Context(), 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	if u := users[0]; !u.CreatedAt.Equal(time.Date(2026, 7, 8, 23, 59, 59, 999999000, time.UTC)) || u.Attributes["is_staff"] != "true" || u.Attributes["first_name"] != "Ánn 🐢" {
		t.Errorf("user: %+v", u.User)
	}
	if u := users[6]; u.Username != "off" || u.ID != 50 || u.Active || !u.CreatedAt.Equal(time.Date(1999, 12, 31, 23, 59, 59, 500000000, time.UTC)) {
		t.Errorf("user: %+v", u.User)
	}
	report, err = h.both(t, django.Mapping{}, nil, reader)
	if err != nil || report.Users.Added+report.Users.Updated > 0 || report.Tokens["authtoken_token"].Unchanged != 7 {
		t.Errorf("second import: %+v, %v", report, err)
	}
	if diff := cmp.Diff(before, m.sums(t)); diff != "" {
		t.Errorf("the source was written to:\n%s", diff)
	}
	m.exec(t, "DELETE FROM authtoken_token WHERE user_id = 1")
	if report, err = h.both(t, django.Mapping{}, nil, reader); err != nil || report.Ended != 1 {
		t.Errorf("third import: %+v, %v", report, err)
	}
	// Who may read alone hands nothing over, and is told why.
	before = m.sums(t)
	h.mustRegister(t, policy, "new")
	back, err := h.tryGive(t, reader)
	if err == nil && back.Users.Refused == 0 {
		t.Errorf("export by a reader: %+v", back)
	}
	for _, p := range back.Problems {
		if contains(p.Reason, "GRANT SELECT") || contains(p.Reason, "\n") {
			t.Errorf("problem: %s", p.Reason)
		}
	}
	if diff := cmp.Diff(before, m.sums(t)); diff != "" {
		t.Errorf("a reader has written:\n%s", diff)
	}
}

// TestMySQLGrants says which right is missing.
func TestMySQLGrants(t *testing.T) {
	m := mustMariaUsers(t, "ann", "bob")
	reader := m.reader(t)
	u, err := url.Parse(reader)
	if err != nil {
		t.Fatal(err)
	}
	name := u.User.Username()
	m.exec(t, "REVOKE SELECT ON "+name+".* FROM "+name, "GRANT SELECT ON "+name+".auth_user TO "+name, "GRANT INSERT ON "+name+".authtoken_token TO "+name)
	h := mustHouse(t)
	_, err = h.both(t, django.Mapping{}, nil, reader)
	wantRefusal(t, h, err, "GRANT SELECT")
	if _, err = h.both(t, django.Mapping{TokenTables: django.Names{"authtoken_token"}}, nil, reader); err == nil || !contains(err.Error(), "GRANT SELECT") {
		t.Errorf("error %v", err)
	}
	// The columns that are needed are enough.
	m.exec(t, "GRANT SELECT ON "+name+".authtoken_token TO "+name, "REVOKE SELECT ON "+name+".auth_user FROM "+name,
		"GRANT SELECT (id, username, password, is_active, date_joined) ON "+name+".auth_user TO "+name)
	report, err := h.both(t, django.Mapping{}, nil, reader)
	if err != nil || report.Users.Added != 2 || report.Tokens["authtoken_token"].Added != 2 {
		t.Fatalf("%+v, %v", report, err)
	}
	h.wantOwners(t, map[string]string{text("ann"): "ann", text("bob"): "bob"})
}

// TestMySQLOddRows refuses what Django itself breaks at, by row.
func TestMySQLOddRows(t *testing.T) {
	m := mustMariaUsers(t, "ann", "bob", "cid", "dan")
	m.loose(t)
	db := mariadbtest.Open(t, m.dsn)
	for _, s := range []string{"UPDATE auth_user SET date_joined = '0000-00-00 00:00:00' WHERE id = 2", "UPDATE auth_user SET date_joined = '2026-00-10' WHERE id = 3",
		"UPDATE auth_user SET is_active = 2 WHERE id = 4", "UPDATE authtoken_token SET created = '0000-00-00' WHERE user_id = 4",
		"UPDATE auth_user SET last_login = '0000-00-00 00:00:00' WHERE id = 1"} {
		if _, err := db.Exec(s); err != nil {
			t.Fatal(err)
		}
	}
	h := mustHouse(t)
	report, err := h.both(t, django.Mapping{}, nil, m.dsn)
	if err != nil {
		t.Fatal(err)
	}
	if report.Users.Added != 1 || report.Users.Refused != 3 || report.Tokens["authtoken_token"].Added != 1 || report.Tokens["authtoken_token"].Refused != 3 {
		t.Errorf("%+v", report)
	}
	for n, part := range []string{"date_joined", "date_joined", "is_active"} {
		if p := report.Problems[n]; p.Row != fmt.Sprint("auth_user id ", n+2) || !contains(p.Reason, part) {
			t.Errorf("problem: %+v, want one that names %s", p, part)
		}
	}
	h.wantOwners(t, map[string]string{text("ann"): "ann", text("bob"): "", text("cid"): "", text("dan"): ""})

	// They stay as they are, and don't stop others, not even those whose ids they have.
	want := []string{}
	for id := 2; id <= 5; id++ {
		name := fmt.Sprint("new", id)
		want = append(want, name+"|"+h.mustRegister(t, policy, name))
	}
	back, err := h.tryGive(t, m.dsn)
	if err != nil || back.Users.Added != 4 || back.Users.Refused > 0 || back.Tokens.Added != 4 {
		t.Errorf("export: %+v, %v", back, err)
	}
	m.wantRows(t, "SELECT username FROM auth_user WHERE id <= 4 ORDER BY id", "ann", "bob", "cid", "dan")
	m.wantRows(t, "SELECT username, `key` FROM auth_user JOIN authtoken_token ON user_id = auth_user.id WHERE username LIKE 'new%' ORDER BY username", want...)
	before := m.sums(t)
	if again, err := h.tryGive(t, m.dsn); err != nil || again.Users.Added+again.Users.Updated+again.Tokens.Added+again.Tokens.Updated+again.Dropped > 0 {
		t.Errorf("second export: %+v, %v", again, err)
	}
	if diff := cmp.Diff(before, m.sums(t)); diff != "" {
		t.Errorf("a second export changed something:\n%s", diff)
	}
	m.wantRows(t, "SELECT id, username, date_joined FROM auth_user WHERE id IN (2, 3)", "2|bob|0000-00-00 00:00:00.000000", "3|cid|2026-00-10 00:00:00.000000")
}

// tryGive exports and gives the error.
func (h house) tryGive(t *testing.T, target string) (*moving.ExportReport, error) {
	t.Helper()
	to, err := django.OpenTarget(t.Context(), target, django.Mapping{}, time.UTC)
	if err != nil {
		return nil, err
	}
	defer to.Close()
	return moving.Export(t.Context(), h.store, to, moving.ExportOptions{Realm: policy.Realm, Sealer: h.sealer, Clock: time.Now})
}

// TestMySQLExport gives back what happened here.
func TestMySQLExport(t *testing.T) {
	m := mustMariaUsers(t, "ann", "bob", "żółw")
	m.exec(t, "UPDATE auth_user SET is_staff = 1, first_name = 'Ánn', last_login = '2026-03-03 03:03:03.000003' WHERE id = 1")
	h := mustHouse(t)
	if _, err := h.both(t, django.Mapping{}, nil, m.dsn); err != nil {
		t.Fatal(err)
	}
	before := m.sums(t)
	if back := h.give(t, m.dsn); back.Users.Added+back.Users.Updated+back.Users.Refused+back.Tokens.Added+back.Dropped > 0 || back.Tokens.Unchanged != 3 {
		t.Errorf("export of nothing: %+v", back)
	}
	if diff := cmp.Diff(before, m.sums(t)); diff != "" {
		t.Errorf("an export of nothing changed something:\n%s", diff)
	}
	var keys []string
	for _, name := range []string{"new", "🐢", "quote'\\\"`"} {
		session, err := h.service.Register(t.Context(), policy, core.Registration{Username: name, Email: "a@example.org", Password: "pw-" + name})
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, session.Key)
	}
	session, err := h.service.Authenticate(t.Context(), policy.Realm, core.Presented(text("bob")))
	if err == nil {
		err = h.service.Logout(t.Context(), session)
	}
	if err == nil {
		err = h.store.SetActive(t.Context(), 3, false)
	}
	if err != nil {
		t.Fatal(err)
	}
	back := h.give(t, m.dsn)
	if back.Users.Added != 3 || back.Users.Updated != 1 || back.Users.Refused > 0 || back.Tokens.Added != 3 || back.Tokens.Refused > 0 || back.Dropped != 1 {
		t.Errorf("export: %+v", back)
	}
	m.wantRows(t, "SELECT id, username, is_staff, is_active, first_name, last_login FROM auth_user ORDER BY id",
		"1|ann|1|1|Ánn|2026-03-03 03:03:03.000003", "2|bob|0|1||NULL", "3|żółw|0|0||NULL", "4|new|0|1||NULL", "5|🐢|0|1||NULL", "6|quote'\\\"`|0|1||NULL")
	m.wantRows(t, "SELECT user_id, `key` FROM authtoken_token ORDER BY user_id", "1|"+text("ann"), "3|"+text("żółw"), "4|"+keys[0], "5|"+keys[1], "6|"+keys[2])
	users, err := h.store.ExportUsers(t.Context(), 3, 1)
	if err != nil {
		t.Fatal(err)
	}
	m.wantRows(t, "SELECT date_joined, password FROM auth_user WHERE id = 4", users[0].CreatedAt.Format("2006-01-02 15:04:05.000000")+"|"+users[0].PasswordHash)
	before = m.sums(t)
	if again := h.give(t, m.dsn); again.Users.Added+again.Users.Updated+again.Tokens.Added+again.Tokens.Updated+again.Dropped > 0 {
		t.Errorf("second export: %+v", again)
	}
	if diff := cmp.Diff(before, m.sums(t)); diff != "" {
		t.Errorf("a second export changed something:\n%s", diff)
	}
	m.exec(t, "INSERT INTO auth_user (password, username, date_joined) VALUES ('!', 'next', '"+moment+"')")
	m.wantRows(t, "SELECT id FROM auth_user WHERE username = 'next'", "7")
	report, err := h.both(t, django.Mapping{}, nil, m.dsn)
	if err != nil || report.Users.Added != 1 || report.Users.Updated+report.Users.Refused > 0 || report.Tokens["authtoken_token"].Unchanged != 5 {
		t.Errorf("import after export: %+v, %v", report, err)
	}
}

// TestMySQLRefusals hands over users whom a table can't hold, at a server that
// would rather change them.
func TestMySQLRefusals(t *testing.T) {
	for _, charset := range []string{"utf8mb3", "latin1", "ascii"} {
		t.Run(charset, func(t *testing.T) {
			m := mustMariaUsers(t)
			m.loose(t)
			m.exec(t, "DROP TABLE authtoken_token", "DROP TABLE auth_user",
				strings.Replace(mysqlUsers, "CHARACTER SET utf8mb4 COLLATE utf8mb4_bin", "CHARACTER SET "+charset, 1), fmt.Sprintf(mysqlTokens, "integer", "auth_user (id)"))
			m.add(t, 1, "ann")
			h := mustHouse(t)
			if _, err := h.both(t, django.Mapping{}, nil, m.dsn); err != nil {
				t.Fatal(err)
			}
			long := strings.Repeat("x", 151)
			tokens := map[string]string{}
			names := []string{"one", "ANN", "żółw", "🐢", "Größe", long, "two"}
			for _, name := range names {
				session, err := h.service.Register(t.Context(), policy, core.Registration{Username: name, Password: "pw-" + name})
				if err != nil {
					if name == long {
						continue
					}
					t.Fatal(err)
				}
				tokens[name] = session.Key
			}
			want := []string{"ann", "one"}
			refused := []string{"ANN", "🐢"}
			for name, sets := range map[string]string{"żółw": "utf8mb3", "Größe": "utf8mb3 latin1"} {
				if strings.Contains(sets, charset) {
					want = append(want, name)
				} else {
					refused = append(refused, name)
				}
			}
			want = append(want, "two")
			back, err := h.tryGive(t, m.dsn)
			if err != nil {
				t.Fatal(err)
			}
			if back.Users.Added != len(want)-1 || back.Users.Refused != len(refused) || back.Tokens.Added != len(want)-1 {
				t.Errorf("%+v", back)
			}
			for _, p := range back.Problems {
				for _, key := range tokens {
					if strings.Contains(p.Reason, key) {
						t.Errorf("the reason %q has a token", p.Reason)
					}
				}
			}
			got := m.rows(t, "SELECT username FROM auth_user JOIN authtoken_token ON user_id = id")
			if missing := without(want, got); len(missing) > 0 || len(got) != len(want) {
				t.Errorf("users in the target: %q, want %q", got, want)
			}
			before := m.sums(t)
			if again, err := h.tryGive(t, m.dsn); err != nil || again.Users.Added+again.Users.Updated+again.Tokens.Added > 0 {
				t.Errorf("second export: %+v, %v", again, err)
			}
			if diff := cmp.Diff(before, m.sums(t)); diff != "" {
				t.Errorf("a second export changed something:\n%s", diff)
			}
		})
	}
}

// without gives those of all that are not among some.
func without(all, some []string) (rest []string) {
	for _, s := range all {
		found := false
		for _, o := range some {
			found = found || s == o
		}
		if !found {
			rest = append(rest, s)
		}
	}
	return rest
}

// TestMySQLDeadlock hands over users while another transaction is in the way: the
// server undoes all rows of the batch, not only one.
func TestMySQLDeadlock(t *testing.T) {
	m := mustMariaUsers(t, "ann")
	h := mustHouse(t)
	if _, err := h.both(t, django.Mapping{}, nil, m.dsn); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"first", "second", "third"} {
		h.mustRegister(t, policy, name)
	}
	m.exec(t, "CREATE TABLE log (id integer PRIMARY KEY, n integer NOT NULL)", "INSERT INTO log SELECT seq, 0 FROM seq_1_to_1000",
		"CREATE TRIGGER logged BEFORE INSERT ON auth_user FOR EACH ROW UPDATE log SET n = n + 1 WHERE id = 1 AND NEW.username = 'second'")
	other, err := m.db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Rollback() }()
	if _, err := other.Exec("UPDATE log SET n = 1"); err != nil { // so much that the export is the one to be undone
		t.Fatal(err)
	}
	type result struct {
		report *moving.ExportReport
		err    error
	}
	done := make(chan result, 1)
	go func() {
		report, err := h.tryGive(t, m.dsn)
		done <- result{report, err}
	}()
	for began := time.Now(); m.rows(t, "SHOW GLOBAL STATUS LIKE 'Innodb_row_lock_current_waits'")[0] == "Innodb_row_lock_current_waits|0"; {
		if time.Since(began) > 20*time.Second {
			t.Fatal("the export does not wait for the other's lock")
		}
	}
	if _, err := other.Exec("UPDATE auth_user SET is_staff = 1 WHERE id = 2"); err != nil {
		t.Fatal(err)
	}
	if err := other.Commit(); err != nil {
		t.Fatal(err)
	}
	if r := <-done; r.err == nil || !contains(r.err.Error(), "Deadlock") || contains(r.err.Error(), "\n") {
		t.Errorf("export: %+v, %v", r.report, r.err)
	}
	m.wantRows(t, "SELECT username FROM auth_user ORDER BY id", "ann")
	back := h.give(t, m.dsn)
	if back.Users.Added != 3 || back.Tokens.Added != 3 || back.Users.Refused+back.Tokens.Refused > 0 {
		t.Errorf("export again: %+v", back)
	}
	m.wantRows(t, "SELECT username FROM auth_user JOIN authtoken_token ON user_id = auth_user.id ORDER BY auth_user.id", "ann", "first", "second", "third")
}

// TestMySQLCaseBlind warns of names that are one at the source and two here, and
// keeps tokens apart that a case-blind key takes for one.
func TestMySQLCaseBlind(t *testing.T) {
	m := mustMaria(t, strings.Replace(mysqlUsers, "utf8mb4_bin", "utf8mb4_unicode_ci", 1), fmt.Sprintf(mysqlTokens, "integer", "auth_user (id)"))
	m.add(t, 1, "Ann")
	m.add(t, 2, "bob")
	h := mustHouse(t)
	report, err := h.both(t, django.Mapping{}, nil, m.dsn)
	if err != nil || report.Users.Added != 2 || len(report.Notes) != 1 || !contains(report.Notes[0], "username_case: lower") {
		t.Fatalf("%+v, %v", report, err)
	}
	h.wantOwners(t, map[string]string{text("Ann"): "Ann", text("bob"): "bob", strings.ToUpper(text("bob")): ""})

	lower := mustHouse(t)
	report, err = lower.both(t, django.Mapping{UsernameCase: "lower"}, nil, m.dsn)
	if err != nil || report.Users.Added != 2 || len(report.Notes) > 0 {
		t.Fatalf("%+v, %v", report, err)
	}
	if _, err := lower.service.Login(t.Context(), policy, "ann", "pw-Ann"); err != nil {
		t.Errorf("login: %v", err)
	}

	// A token of somebody else's that the key's collation takes for Ann's.
	other := mustHouse(t)
	source := mustSQL(t, "CREATE TABLE auth_user (id integer PRIMARY KEY, "+columns+")", fmt.Sprintf(authtoken, "auth_user (id)"),
		"INSERT INTO auth_user VALUES (7, "+user("cid")+"), (8, "+user("dan")+")",
		"INSERT INTO authtoken_token VALUES ('"+strings.ToUpper(text("Ann"))+"', "+joined+", 7), ('"+text("dan")+"', "+joined+", 8)")
	if _, err := other.both(t, django.Mapping{}, nil, source); err != nil {
		t.Fatal(err)
	}
	back, err := other.tryGive(t, m.dsn)
	if err != nil || back.Users.Added != 2 || back.Tokens.Added != 1 || back.Tokens.Refused != 1 {
		t.Errorf("export: %+v, %v", back, err)
	}
	for _, p := range back.Problems {
		if strings.Contains(strings.ToLower(p.Reason), text("Ann")) {
			t.Errorf("the reason %q has a token", p.Reason)
		}
	}
	m.wantRows(t, "SELECT user_id, `key` FROM authtoken_token ORDER BY user_id", "1|"+text("Ann"), "2|"+text("bob"), "8|"+text("dan"))
}

// TestMySQLKnox takes over and gives back tokens of each generation of knox.
func TestMySQLKnox(t *testing.T) {
	for _, g := range generations() {
		t.Run(string(g.name), func(t *testing.T) {
			m := mustMariaUsers(t, "ann", "bob")
			m.exec(t, "DROP TABLE authtoken_token", strings.ReplaceAll(strings.Replace(g.table, "datetime", "datetime(6)", 2), "integer NOT NULL REFERENCES auth_user (id)", "integer NOT NULL, FOREIGN KEY (user_id) REFERENCES auth_user (id)"))
			token := func(user, n int) string { return fmt.Sprintf("%04x%04x%056x", user, n, 0xdecade*user+n) }
			ends := time.Now().Add(time.Hour).UTC().Truncate(time.Microsecond)
			for user := 1; user <= 2; user++ {
				g.insert(t, m.db, user, token(user, 0), "")
				g.insert(t, m.db, user, token(user, 1), ends.Format("2006-01-02 15:04:05.000000"))
				g.insert(t, m.db, user, token(user, 2), "2026-01-03 00:00:00")
			}
			h := mustHouse(t)
			report, err := h.both(t, django.Mapping{}, nil, m.dsn)
			if c := report.Tokens["knox_authtoken"]; err != nil || c.Added != 4 || c.Expired != 2 {
				t.Fatalf("%+v, %v", report, err)
			}
			for user := 1; user <= 2; user++ {
				for n, end := range []time.Time{{}, ends} {
					session, err := h.service.Authenticate(t.Context(), policy.Realm, core.Presented(token(user, n)))
					if err != nil || session.User.ID != int64(user) || !session.Token.ExpiresAt.Equal(end) {
						t.Errorf("token %d of user %d: %v, ends %v", n, user, err, session.Token.ExpiresAt)
					}
				}
			}
			session, err := h.service.Authenticate(t.Context(), policy.Realm, core.Presented(token(1, 0)))
			if err == nil {
				err = h.service.LogoutAll(t.Context(), session)
			}
			if err != nil {
				t.Fatal(err)
			}
			keeping := core.Policy{Issuer: "knox-api", Realm: policy.Realm, TokenHex: 64, TTL: time.Hour, Keep: g.name}
			issued := h.mustRegister(t, keeping, "new")
			back := h.give(t, m.dsn)
			if back.Dropped != 2 || back.Tokens.Added != 1 || back.Tokens.Refused > 0 || back.Users.Added != 1 {
				t.Errorf("export: %+v", back)
			}
			wantRow(t, m.db, g, issued, true)
			wantRow(t, m.db, g, token(1, 0), false)
			wantRow(t, m.db, g, token(2, 1), true)
			if again := h.give(t, m.dsn); again.Users.Added+again.Users.Updated+again.Tokens.Added+again.Tokens.Updated+again.Dropped > 0 {
				t.Errorf("second export: %+v", again)
			}
		})
	}
}

// TestMySQLCustomUsers has user models of projects: keys that are UUIDs, generated
// columns, and an e-mail that is unique and may be missing.
func TestMySQLCustomUsers(t *testing.T) {
	kinds := map[string]struct{ kind, ann, bob string }{
		"char": {"char(32)", "b1b2c3d4e5f64a5b8c6d7e8f90a1b2c3", "a1b2c3d4e5f64a5b8c6d7e8f90a1b2c3"},
		"uuid": {"uuid", "b1b2c3d4-e5f6-4a5b-8c6d-7e8f90a1b2c3", "a1b2c3d4-e5f6-4a5b-8c6d-7e8f90a1b2c3"},
	}
	for name, kind := range kinds {
		t.Run(name, func(t *testing.T) {
			m := mustMaria(t, "CREATE TABLE accounts_user (uid "+kind.kind+" NOT NULL PRIMARY KEY, password varchar(128) NOT NULL, last_login datetime(6) NULL, "+
				"username varchar(80) CHARACTER SET utf8mb3 NOT NULL UNIQUE, name_lower varchar(80) GENERATED ALWAYS AS (lower(username)) STORED, size integer AS (char_length(username)) VIRTUAL, "+
				"email varchar(254) NULL UNIQUE, is_active bit(1) NOT NULL, created_at datetime(6) NOT NULL, points double NOT NULL, note longtext NOT NULL, ref "+kind.kind+" NOT NULL UNIQUE)",
				fmt.Sprintf(mysqlTokens, kind.kind, "accounts_user (uid)"),
				"INSERT INTO accounts_user (uid, password, username, email, is_active, created_at, points, note, ref) VALUES ('"+kind.ann+"', '"+hashed("ann")+"', 'ann', NULL, 1, '"+moment+"', 1000000000, '', '"+kind.ann+"'), "+
					"('"+kind.bob+"', '"+hashed("bob")+"', 'bob', NULL, 1, '"+moment+"', 0.5, 'ć', '"+kind.bob+"')",
				"INSERT INTO authtoken_token VALUES ('"+text("ann")+"', '"+moment+"', '"+kind.ann+"'), ('"+text("bob")+"', '"+moment+"', '"+kind.bob+"')")
			h := mustHouse(t)
			report, err := h.both(t, django.Mapping{}, nil, m.dsn)
			if err != nil || report.Users.Added != 2 || report.Tokens["authtoken_token"].Added != 2 {
				t.Fatalf("%+v, %v", report, err)
			}
			h.wantOwners(t, map[string]string{text("ann"): "ann", text("bob"): "bob"})
			if report, err = h.both(t, django.Mapping{}, nil, m.dsn); err != nil || report.Users.Unchanged != 2 || report.Tokens["authtoken_token"].Unchanged != 2 {
				t.Errorf("second import: %+v, %v", report, err)
			}
			users, err := h.store.ExportUsers(t.Context(), 0, 10)
			if err != nil {
				t.Fatal(err)
			}
			for _, u := range users {
				if u.Username == "ann" && (u.Attributes["points"] != "1000000000" || u.Attributes["name_lower"] != "ann" || u.Attributes["size"] != "3" || u.Email != "") {
					t.Errorf("attributes: %v", u.Attributes)
				}
			}
			for _, name := range []string{"New", "Newer", "🐢"} {
				h.mustRegister(t, policy, name)
			}
			if err := h.store.SetActive(t.Context(), users[0].ID, false); err != nil {
				t.Fatal(err)
			}
			back := h.give(t, m.dsn)
			if back.Users.Added != 2 || back.Users.Updated != 2 || back.Users.Refused != 1 || back.Tokens.Added != 2 || back.Tokens.Refused != 1 {
				t.Errorf("export: %+v", back)
			}
			off := 2 - len(m.rows(t, "SELECT 1 FROM accounts_user WHERE username IN ('ann', 'bob') AND is_active"))
			if off != 1 {
				t.Errorf("%d of two users are inactive, want 1", off)
			}
			m.wantRows(t, "SELECT username, name_lower, size, email, is_active + 0, points, note, char_length(uid) FROM accounts_user JOIN authtoken_token ON user_id = uid WHERE username LIKE 'new%' ORDER BY username",
				fmt.Sprintf("New|new|3|NULL|1|0||%d", len(kind.ann)), fmt.Sprintf("Newer|newer|5|NULL|1|0||%d", len(kind.ann)))
			before := m.sums(t)
			if again := h.give(t, m.dsn); again.Users.Added+again.Users.Updated+again.Tokens.Added+again.Tokens.Updated+again.Dropped > 0 {
				t.Errorf("second export: %+v", again)
			}
			if diff := cmp.Diff(before, m.sums(t)); diff != "" {
				t.Errorf("a second export changed something:\n%s", diff)
			}
		})
	}
}

// TestMySQLBytes has columns of bytes where texts are meant: those that are texts are
// taken, and others refused.
func TestMySQLBytes(t *testing.T) {
	insert := func(key, name string) string {
		return "INSERT INTO accounts_user (id, password, username, date_joined) VALUES (" + key + ", '!', " + name + ", '" + moment + "')"
	}
	m := mustMaria(t, "CREATE TABLE accounts_user (id binary(4) NOT NULL PRIMARY KEY, "+strings.Replace(mysqlColumns, "username varchar", "username varbinary", 1)+") CHARACTER SET utf8mb4",
		fmt.Sprintf(mysqlTokens, "binary(4)", "accounts_user (id)"),
		insert("'aaaa'", "'ann'"), insert("'bbbb'", "'żółw'"), insert("'cccc'", "x'ff41'"), insert("x'fffefdfc'", "'dan'"),
		"INSERT INTO authtoken_token SELECT md5(id), '"+moment+"', id FROM accounts_user")
	h := mustHouse(t)
	report, err := h.both(t, django.Mapping{}, nil, m.dsn)
	if err != nil || report.Users.Added != 2 || report.Users.Refused != 2 || report.Tokens["authtoken_token"].Added != 2 || report.Tokens["authtoken_token"].Refused != 2 {
		t.Fatalf("%+v, %v", report, err)
	}
	for token, want := range map[string]string{md5Hex("aaaa"): "ann", md5Hex("bbbb"): "żółw"} {
		if session, err := h.service.Authenticate(t.Context(), policy.Realm, core.Presented(token)); err != nil || session.User.Username != want {
			t.Errorf("a token of %s speaks for %q, %v", want, session.User.Username, err)
		}
	}
	before := m.sums(t)
	h.mustRegister(t, policy, "new") // for whom there is no key
	back, err := h.tryGive(t, m.dsn)
	if err != nil || back.Users.Refused != 1 || back.Users.Unchanged != 2 || back.Tokens.Unchanged != 2 {
		t.Errorf("export: %+v, %v", back, err)
	}
	if diff := cmp.Diff(before, m.sums(t)); diff != "" {
		t.Errorf("the target was written to:\n%s", diff)
	}
}

// TestMySQLPages reads more rows than a page has, by keys of each kind, and finds
// the same in all of them.
func TestMySQLPages(t *testing.T) {
	const rows = 11_000
	for _, id := range []string{"integer AUTO_INCREMENT", "char(32)", "varchar(40) CHARACTER SET latin1 COLLATE latin1_swedish_ci", "uuid"} {
		t.Run(id, func(t *testing.T) {
			key := "md5(seq)"
			switch {
			case id == "uuid":
				key = "uuid()"
			case strings.HasPrefix(id, "integer"):
				key = "seq"
			}
			m := mustMaria(t, "CREATE TABLE accounts_user (id "+id+" NOT NULL PRIMARY KEY, points double NOT NULL, price float NOT NULL, "+mysqlColumns+") CHARACTER SET utf8mb4",
				fmt.Sprintf("INSERT INTO accounts_user (id, points, price, password, username, date_joined) SELECT %s, 1000000000, 1000000, '!', concat('u', seq), '%s' FROM seq_1_to_%d", key, moment, rows))
			from, err := django.Open(t.Context(), django.Mapping{UsernameCase: "lower"}, m.dsn)
			if err != nil {
				t.Fatal(err)
			}
			defer from.Close()
			seen, texts := map[string]bool{}, map[string]int{}
			d := django.Decoder{Mapping: from.Shape().Mapping, Zone: time.UTC}
			err = from.Each(t.Context(), from.Shape().Users, "", func(row django.Row) error {
				u, err := d.User(row)
				seen[u.Username] = true
				texts[fmt.Sprint(u.Attributes["points"], " ", u.Attributes["price"], " ", u.CreatedAt.Format(time.RFC3339Nano))]++
				return err
			})
			if err != nil || len(seen) != rows || texts["1000000000 1000000 2026-01-02T03:04:05.000006Z"] != rows {
				t.Errorf("%d of %d users, %v: %v", len(seen), rows, texts, err)
			}
		})
	}
}

// TestMySQLUnreachable names in one line what is wrong, without the password.
func TestMySQLUnreachable(t *testing.T) {
	m := mustMariaUsers(t, "ann")
	reader, err := url.Parse(m.reader(t))
	if err != nil {
		t.Fatal(err)
	}
	with := func(change func(*url.URL)) string {
		u := *reader
		change(&u)
		return u.String()
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := listener.Addr().String()
	listener.Close()
	empty := mustMaria(t)
	form := "mysql://USER:PASSWORD@HOST/DATABASE"
	for name, test := range map[string]struct{ dsn, want string }{
		"wrong password":         {with(func(u *url.URL) { u.User = url.UserPassword(reader.User.Username(), "S3cretS3cret") }), "Access denied"},
		"unknown database":       {with(func(u *url.URL) { u.Path = "/nowhere"; u.User = url.User("root") }), "Unknown database"},
		"no right to it":         {with(func(u *url.URL) { u.Path = "/mysql" }), "Access denied"},
		"refused":                {with(func(u *url.URL) { u.Host = nobody }), "connection refused"},
		"no users":               {empty.dsn, "no table of users"},
		"no database":            {"mysql://ann:S3cret@127.0.0.1", form},
		"no host":                {"mysql:///S3cret", form},
		"bad escape":             {"mysql://ann:S3cret%zz@127.0.0.1/db", form},
		"slash in the password":  {"mysql://ann:12/S3cret@127.0.0.1/db", form},
		"letters and a slash":    {"mysql://ann:S3cret/x@127.0.0.1/db", form},
		"question mark in it":    {"mysql://ann:12/x?S3cret@127.0.0.1/db", form},
		"question mark after it": {"mysql://ann:12?S3cret@127.0.0.1/db", form},
		"hash in it":             {"mysql://ann:12/x#S3cret@127.0.0.1/db", form},
		"unknown parameter":      {"mysql://ann:S3cret@127.0.0.1/db?charset=utf8", `"charset"`},
		"sql in a parameter":     {"mysql://ann:S3cret@127.0.0.1/db?sql_log_bin=0", `"sql_log_bin"`},
		"unknown tls":            {"mysql://ann:S3cret@127.0.0.1/db?tls=perhaps", "perhaps"},
		"several":                {"mysql://ann:S3cret@127.0.0.1/a/b", form},
	} {
		t.Run(name, func(t *testing.T) {
			for _, open := range []func() error{
				func() error { _, err := django.Open(t.Context(), django.Mapping{}, test.dsn); return err },
				func() error {
					_, err := django.OpenTarget(t.Context(), test.dsn, django.Mapping{}, time.UTC)
					return err
				},
			} {
				if err := open(); err == nil || !contains(err.Error(), test.want) || contains(err.Error(), "S3cret") || contains(err.Error(), "\n") {
					t.Errorf("error %v, want one line that says %q", err, test.want)
				}
			}
			if named := django.Describe(test.dsn); contains(named, "S3cret") {
				t.Errorf("it is described as %q", named)
			}
		})
	}
}

// TestMySQLAttach refuses to work on it.
func TestMySQLAttach(t *testing.T) {
	m := mustMariaUsers(t, "ann")
	before := m.sums(t)
	if _, err := django.Attach(t.Context(), m.dsn, django.Mapping{}); err == nil || !contains(err.Error(), "can be imported from and exported to, not worked on") || contains(err.Error(), "\n") {
		t.Errorf("error %v", err)
	}
	if diff := cmp.Diff(before, m.sums(t)); diff != "" {
		t.Errorf("it was written to:\n%s", diff)
	}
}
