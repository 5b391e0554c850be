package transfer_test

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/authcompat/authcompat/store/django/mariadbtest"
	"github.com/authcompat/authcompat/store/django/tables"
	"github.com/authcompat/authcompat/store/django/transfer"
)

// Tables as Django creates them on MySQL, with the default options of a database that
// has none of its own.
const (
	mysqlColumns = "password varchar(128) NOT NULL, last_login datetime(6) NULL, is_superuser bool NOT NULL DEFAULT 0, username varchar(150) NOT NULL UNIQUE, " +
		"first_name varchar(150) NOT NULL DEFAULT '', email varchar(254) NOT NULL DEFAULT '', is_staff bool NOT NULL DEFAULT 0, is_active bool NOT NULL DEFAULT 1, date_joined datetime(6) NOT NULL"
	mysqlUsers  = "CREATE TABLE auth_user (id integer AUTO_INCREMENT NOT NULL PRIMARY KEY, " + mysqlColumns + ") CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"
	mysqlTokens = "CREATE TABLE authtoken_token (`key` varchar(40) NOT NULL PRIMARY KEY, created datetime(6) NOT NULL, user_id %s NOT NULL UNIQUE, " +
		"CONSTRAINT authtoken_token_user_id_fk FOREIGN KEY (user_id) REFERENCES %s) CHARACTER SET utf8mb4"
	moment = "2026-01-02 03:04:05.000006"
)

// maria is a MariaDB database.
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

// add inserts a user with a token.
func (m maria) add(t *testing.T, id int, name string) {
	t.Helper()
	if _, err := m.db.Exec("INSERT INTO auth_user (id, password, username, email, date_joined) VALUES (?, ?, ?, ?, ?)", id, hashed(name), name, name+"@example.org", moment); err != nil {
		t.Fatal(err)
	}
	if _, err := m.db.Exec("INSERT INTO authtoken_token VALUES (?, ?, ?)", text(name), moment, id); err != nil {
		t.Fatal(err)
	}
}

// rows returns the rows of a query, with bars between the columns.
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

// sums returns checksums of all tables.
func (m maria) sums(t *testing.T) []string {
	t.Helper()
	names := m.rows(t, "SELECT concat('`', table_name, '`') FROM information_schema.tables WHERE table_schema = database() AND table_type = 'BASE TABLE' ORDER BY 1")
	return m.rows(t, "CHECKSUM TABLE "+strings.Join(names, ", ")+" EXTENDED")
}

// reader creates a user with read access only and returns its DSN.
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

// loose makes the server truncate and replace what a column can't hold, as MySQL does
// without a strict mode.
func (m maria) loose(t *testing.T) {
	t.Helper()
	before := m.rows(t, "SELECT @@GLOBAL.sql_mode")[0]
	m.exec(t, "SET GLOBAL sql_mode = ''")
	t.Cleanup(func() { m.exec(t, "SET GLOBAL sql_mode = '"+before+"'") })
}

// wantRows checks the rows of a query.
func (m maria) wantRows(t *testing.T, query string, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, m.rows(t, query)); diff != "" {
		t.Errorf("%s: (-want +got)\n%s", query, diff)
	}
}

// TestMySQLImport imports users and tokens with read access only.
func TestMySQLImport(t *testing.T) {
	names := []string{"ann", "Ann", "żółw", "🐢", "o'neil\\", "percent%s"}
	m := mustMariaUsers(t, names...)
	m.exec(t, "UPDATE auth_user SET date_joined = '2026-07-08 23:59:59.999999', is_staff = 1, first_name = 'Ánn 🐢' WHERE id = 1",
		"INSERT INTO auth_user (id, password, username, is_active, date_joined) VALUES (50, '!unusable', 'off', 0, '1999-12-31 23:59:59.5')",
		"INSERT INTO authtoken_token VALUES ('0123456789012345678901234567890123456789', '2026-01-02', 50)")
	reader, before := m.reader(t), m.sums(t)

	from, err := tables.Open(t.Context(), tables.Mapping{}, reader)
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	found, err := transfer.Inspect(t.Context(), from, time.UTC, policyTime())
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
	report, err := h.both(t, tables.Mapping{}, nil, reader)
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
	report, err = h.both(t, tables.Mapping{}, nil, reader)
	if err != nil || report.Users.Added+report.Users.Updated > 0 || report.Tokens["authtoken_token"].Unchanged != 7 {
		t.Errorf("second import: %+v, %v", report, err)
	}
	if diff := cmp.Diff(before, m.sums(t)); diff != "" {
		t.Errorf("the source was written to:\n%s", diff)
	}
	m.exec(t, "DELETE FROM authtoken_token WHERE user_id = 1")
	if report, err = h.both(t, tables.Mapping{}, nil, reader); err != nil || report.Ended != 1 {
		t.Errorf("third import: %+v, %v", report, err)
	}
	// An export with read access only fails, and says why.
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

// TestMySQLGrants checks that errors name the missing right.
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
	_, err = h.both(t, tables.Mapping{}, nil, reader)
	wantRefusal(t, h, err, "GRANT SELECT")
	if _, err = h.both(t, tables.Mapping{TokenTables: tables.Names{"authtoken_token"}}, nil, reader); err == nil || !contains(err.Error(), "GRANT SELECT") {
		t.Errorf("error %v", err)
	}
	// Access to the required columns is sufficient.
	m.exec(t, "GRANT SELECT ON "+name+".authtoken_token TO "+name, "REVOKE SELECT ON "+name+".auth_user FROM "+name,
		"GRANT SELECT (id, username, password, is_active, date_joined) ON "+name+".auth_user TO "+name)
	report, err := h.both(t, tables.Mapping{}, nil, reader)
	if err != nil || report.Users.Added != 2 || report.Tokens["authtoken_token"].Added != 2 {
		t.Fatalf("%+v, %v", report, err)
	}
	h.wantOwners(t, map[string]string{text("ann"): "ann", text("bob"): "bob"})
}

// TestMySQLOddRows refuses the rows that Django itself fails on.
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
	report, err := h.both(t, tables.Mapping{}, nil, m.dsn)
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

	// They stay as they are, and do not affect others, not even those with the same
	// IDs.
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

// tryGive exports and returns the error.
func (h house) tryGive(t *testing.T, target string) (*transfer.ExportReport, error) {
	t.Helper()
	to, err := tables.OpenTarget(t.Context(), target, tables.Mapping{}, time.UTC)
	if err != nil {
		return nil, err
	}
	defer to.Close()
	return transfer.Export(t.Context(), h.store, to, transfer.ExportOptions{Realm: policy.Realm, Sealer: h.sealer, Clock: time.Now})
}
